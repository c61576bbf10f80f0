"""What a person is asked before a message leaves."""

import pytest

from webmail.compose.send_checks import SendWarning, cautions
from webmail.mail import Address, Attachment, Draft, Identity


def draft(**values):
    return Draft(Identity("A", "a@x.example"), **{"to": (Address("", "b@x.example"),), "subject": "s", **values})


@pytest.mark.parametrize(
    "text",
    [
        "Please find attached the list.",
        "Voir la pièce jointe.",
        "piece jointe",
        "Ci-joint le bulletin",
        "See the attachment",
        "ci-jointe la note",
        "Ci joint le planning",
        "Le fichier joint est à jour",
        "Je vous joins la liste",
        "Je t’envoie la liste en PJ",
        "cf. PJ",
        "Vous trouverez en annexe le compte rendu",
        "document ci-annexé",
        "Please find enclosed our offer",
        "Bonjour,\nPJ : le planning",
        "Le planning (PJ) est prêt",
        "Vous trouverez joint le planning",
        "Voir la pièce(s) jointe(s)",
        "le tableau joint à ce mail",
        "J’ai joint le planning",
        "le document attaché",
        "ci‑joint le planning",
    ],
)
def test_a_text_that_speaks_of_a_file_without_one(text):
    assert cautions(draft(text=text)) == [SendWarning.NO_ATTACHMENT]
    assert cautions(draft(text=text, attachments=(Attachment("a", "text/plain", 1, list),))) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Bonjour",
        "reattachable",
        "Je me joins à vous",
        "Paul s’est joint à nous",
        "joint de culasse",
        "Il est très attaché à ce projet",
        "Je joindrai Paul demain",
        "la PJJ",
        "ok\n\nOn Monday, Bob wrote:\n> see the attachment",
        "fyi\n\n---------- Message transféré ----------\nci-joint",
    ],
)
def test_other_people_s_words_are_not_asked_about(text):
    assert cautions(draft(text=text)) == []


def test_no_subject():
    assert cautions(draft(subject="  ")) == [SendWarning.NO_SUBJECT]


def test_many_visible_addresses():
    many = tuple(Address("", f"p{i}@x.example") for i in range(21))
    assert cautions(draft(to=many)) == [SendWarning.MANY_VISIBLE]
    assert cautions(draft(to=many[:20])) == []
    assert cautions(draft(to=(), bcc=many)) == []


def test_people_of_the_house_may_see_each_other():
    colleagues = tuple(Address("", f"p{i}@LYCEE.example") for i in range(40))
    guests = tuple(Address("", f"p{i}@x.example") for i in range(21))
    assert cautions(draft(to=colleagues), "lycee.example") == []
    assert cautions(draft(to=colleagues, cc=guests[:20]), "lycee.example") == []
    assert cautions(draft(to=colleagues, cc=guests), "lycee.example") == [SendWarning.MANY_VISIBLE]
    assert cautions(draft(to=colleagues, cc=guests), "lycee.example", "x.example") == []


def test_an_answer_to_many():
    many = tuple(Address("", f"p{i}@lycee.example") for i in range(20))
    to = (Address("", "b@lycee.example"),)
    assert cautions(draft(to=to, cc=many, in_reply_to="<a@b>"), "lycee.example") == [SendWarning.MANY_ANSWERED]
    assert cautions(draft(to=to, cc=many[:19], in_reply_to="<a@b>"), "lycee.example") == []
    assert cautions(draft(to=to, cc=many), "lycee.example") == []
    assert cautions(draft(to=many + to, in_reply_to="<a@b>"), "lycee.example") == [SendWarning.MANY_ANSWERED]
    strangers = tuple(Address("", f"p{i}@x.example") for i in range(21))
    assert cautions(draft(to=strangers, in_reply_to="<a@b>"), "lycee.example") == [SendWarning.MANY_VISIBLE]
