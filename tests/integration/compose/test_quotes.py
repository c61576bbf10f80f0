"""What an answer quotes: the words of an HTML whose plain text says nothing, and no signature of the sender's."""

from __future__ import annotations

from email.message import EmailMessage

from tests.support.bobs_letter import letter
from tests.support.compose_form import text_of
from tests.support.settings_pages import choose

EXCUSE = "Ce message nécessite un lecteur HTML.\n"
SIGNED = "Premier point.\n\n-- \nBob Martin\nLycée\n"


def both(text, html):
    message: EmailMessage = letter()
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


def test_the_html_is_quoted_where_the_text_says_nothing(alice, fill):
    [uid] = fill(alice, both(EXCUSE, "<p>La sortie est <b>lundi</b>.</p>"))
    for way in ("reply", "forward"):
        text = text_of(alice.get(f"/{way}/{uid}/INBOX"))
        assert "La sortie est lundi." in text and "nécessite" not in text
    *_, uid = fill(alice, both("Le texte du message.\n", "<p>La sortie est <b>lundi</b>.</p>"))
    assert "> Le texte du message." in text_of(alice.get(f"/reply/{uid}/INBOX"))


def test_the_signature_of_the_sender_is_not_quoted(alice, fill):
    message = letter()
    message.set_content(SIGNED)
    [uid] = fill(alice, message)
    text = text_of(alice.get(f"/reply/{uid}/INBOX"))
    assert "> Premier point." in text and "Bob Martin" not in text
    assert "Bob Martin" in text_of(alice.get(f"/forward/{uid}/INBOX"))


def test_the_signature_of_an_html_is_not_quoted(alice, fill):
    message = letter()
    message.set_content('<p>Oui.</p><div class="gmail_signature">Bob Martin</div>', subtype="html")
    [uid] = fill(alice, message)
    text = text_of(alice.get(f"/reply/{uid}/INBOX"))
    assert "> Oui." in text and "Bob Martin" not in text


def test_one_may_wish_to_quote_signatures(alice, fill):
    message = letter()
    message.set_content(SIGNED)
    [uid] = fill(alice, message)
    choose(alice, without_signatures=None)
    assert "> Bob Martin" in text_of(alice.get(f"/reply/{uid}/INBOX"))
