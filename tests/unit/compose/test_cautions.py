"""What a person is asked before a message leaves."""

import pytest

from webmail.compose.cautions import Caution, cautions
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
    ],
)
def test_a_text_that_speaks_of_a_file_without_one(text):
    assert cautions(draft(text=text)) == [Caution.NO_ATTACHMENT]
    assert cautions(draft(text=text, attachments=(Attachment("a", "text/plain", 1, "/a"),))) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Bonjour",
        "reattachable",
        "ok\n\nOn Monday, Bob wrote:\n> see the attachment",
        "fyi\n\n---------- Message transféré ----------\nci-joint",
    ],
)
def test_other_people_s_words_are_not_asked_about(text):
    assert cautions(draft(text=text)) == []


def test_no_subject():
    assert cautions(draft(subject="  ")) == [Caution.NO_SUBJECT]


def test_many_visible_addresses():
    many = tuple(Address("", f"p{i}@x.example") for i in range(21))
    assert cautions(draft(to=many)) == [Caution.MANY_VISIBLE]
    assert cautions(draft(to=many[:20])) == []
    assert cautions(draft(to=(), bcc=many)) == []
