"""Plain texts that say nothing, beside an HTML that has the message."""

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mail import Message, Part, Structure
from webmail.mime.text import excuse

EXCUSES = (
    "",
    " \n\xa0\n",
    "https://news.example/view?id=1\n",
    "<https://news.example/1>\n\n-- \n",
    "This message requires HTML.",
    "This is a multi-part message in MIME format.\nYour e-mail program does not support HTML.",
    "To view this message, please use an HTML compatible email viewer!",
    "Ce message nécessite un lecteur HTML.",
    "Votre messagerie ne prend pas en charge l'affichage au format HTML.",
    "Si ce message ne s'affiche pas correctement, consultez la version en ligne : https://news.example/" + "x" * 500,
    "Pour lire ce message dans votre navigateur : https://news.example/1",
    "View this email in your browser: https://news.example/1",
    "Diese Nachricht wird nur mit HTML richtig angezeigt.",
)
TEXTS = (
    "Bonjour,\n\nLa sortie est lundi.",
    "Oui.",
    "Voir https://lycee.example/menu pour le menu de lundi",
    "The HTML course begins on Monday.",
    "Please read chapter 3 for tomorrow.",
    "View this email in your browser: https://news.example/1\n\n" + "The school fair is on Saturday. " * 20,
    "x" * 50_000,
)


@pytest.mark.parametrize("text", EXCUSES)
def test_an_excuse(text):
    assert excuse.is_excuse(text)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text(text):
    assert not excuse.is_excuse(text)


def shape(**text):
    return Structure(
        text=(Part("1", "text/plain", **{"size": 30, "alternative": True, **text}),), html=(Part("2", "text/html", 99),)
    )


def test_only_an_alternative_of_html_is_an_excuse():
    assert excuse.stands_for_html(shape(), {"1": "This message requires HTML."})
    assert not excuse.stands_for_html(shape(), {"1": "Oui."})
    assert not excuse.stands_for_html(shape(alternative=False), {"1": ""})
    assert not excuse.stands_for_html(shape(size=40_000), {"1": ""})
    assert not excuse.stands_for_html(Structure(text=shape().text), {"1": ""})
    assert not excuse.stands_for_html(Structure(html=shape().html), {})


def test_what_is_not_an_alternative_stays():
    beside = Part("3", "text/plain", 10)
    whole = Structure(text=(*shape().text, beside), html=shape().html)
    message = Message("INBOX", 1, 1, frozenset(), 1, None, None, whole, {"1": "", "3": "list footer"})  # type: ignore[arg-type]
    assert excuse.without(message).bodies == {"3": "list footer"}


@pytest.mark.parametrize("text", ["read " * 1500, "html " * 1500, "<http://" * 900, "voir en " * 900])
def test_hostile_texts_take_no_time(text):
    with cpu_seconds(0.5):
        excuse.is_excuse(text)
