"""Import filing: where a message goes: Gmail's labels in two languages, the marks of mbox files, dates."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from webmail.mail import Role
from webmail.mailbox.import_filing import Filing, by_labels, filing_of, labels_in, named


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        (b"Inbox,Unread", ["Inbox", "Unread"]),
        (b'"Projets, divers",Travail', ["Projets, divers", "Travail"]),
        (b"=?UTF-8?Q?Bo=C3=AEte_de_r=C3=A9ception?=, Suivis", ["Boîte de réception", "Suivis"]),
        (b"", []),
        (b",,,", []),
        (b"A,A,A", ["A"]),
        (b",".join(b"L%d" % n for n in range(1000)), [f"L{n}" for n in range(30)]),
    ],
)
def test_labels_are_read(value, labels):
    assert labels_in(value) == labels


@pytest.mark.parametrize(
    ("labels", "filing"),
    [
        (["Inbox", "Opened"], Filing(("\\Seen",), role=Role.INBOX)),
        (["Boîte de réception", "Non lus"], Filing((), role=Role.INBOX)),
        (["Messages envoyés", "Ouvert"], Filing(("\\Seen",), role=Role.SENT)),
        (["Sent", "Inbox"], Filing(("\\Seen",), role=Role.INBOX)),  # written to oneself
        (["Archivés", "Catégorie : Promotions"], Filing(("\\Seen",), role=Role.ARCHIVE)),
        (["Spam", "Facture"], Filing(("\\Seen",), role=Role.JUNK)),
        (["Brouillons"], Filing(("\\Seen", "\\Draft"), role=Role.DRAFTS)),
        (["Travail/2024", "Amis", "Important", "Starred"],
         Filing(("\\Seen", "\\Flagged", "$Important"), path=("Travail", "2024"), tags=("Amis",))),
        (["\\Inbox", "\\Muted", "Amis"], Filing(("\\Seen",), path=("Amis",))),  # as IMAP names those of Gmail itself
        (["\\Inbox", "\\Muted"], Filing(("\\Seen",), role=Role.INBOX)),
        ([], Filing(("\\Seen",), role=Role.ARCHIVE)),
    ],
)  # fmt: skip
def test_a_message_of_gmail_has_one_folder(labels, filing):
    assert by_labels(labels, None) == filing


@pytest.mark.parametrize(
    ("head", "flags", "skip"),
    [
        (b"", ("\\Seen",), False),  # old mail, nothing noted: read
        (b"Status: RO", ("\\Seen",), False),
        (b"Status: O", (), False),
        (b"Status: RO\r\nX-Status: AF", ("\\Seen", "\\Answered", "\\Flagged"), False),
        (b"Status: RO\r\nX-Status: D", ("\\Seen",), True),
        (b"X-Mozilla-Status: 0001", ("\\Seen",), False),
        (b"X-Mozilla-Status: 0000", (), False),
        (b"X-Mozilla-Status: 0007", ("\\Seen", "\\Answered", "\\Flagged"), False),
        (b"X-Mozilla-Status: 0009", ("\\Seen",), True),
        (b"X-Mozilla-Status: zzzz", (), False),
    ],
)
def test_marks_of_mbox_files(head, flags, skip):
    found = filing_of(b"Subject: x\r\n" + head + b"\r\n\r\ntext")
    assert (found.flags, found.skip) == (flags, skip)


@pytest.mark.parametrize(
    ("head", "separator", "at"),
    [
        (b"Received: from a by b; Tue, 5 Mar 2019 10:00:00 +0100\r\nDate: Mon, 4 Mar 2019 10:00:00 +0100", b"", (2019, 3, 5, 9)),
        (b"Date: Mon, 4 Mar 2019 10:00:00 +0100", b"From a@x.example Wed Mar  6 09:00:00 2019", (2019, 3, 6, 9)),
        (b"Date: Mon, 4 Mar 2019 10:00:00 +0100", b"From nonsense", (2019, 3, 4, 9)),
        (b"Date: Mon, 4 Mar 1200 10:00:00 +0100", b"", None),
        (b"Date: Mon, 4 Mar 9999 10:00:00 +0100", b"", None),
    ],
)  # fmt: skip
def test_the_date_is_that_of_its_arrival(head, separator, at):
    assert filing_of(head + b"\r\n\r\n", separator).received == (datetime(*at, tzinfo=UTC) if at else None)


def test_a_folder_called_sent_is_the_one_for_sent_mail():
    assert named("Sent").role is Role.SENT and named("Corbeille").role is Role.TRASH
    assert named("Classe", "Sent").path == ("Classe", "Sent")
    assert named("", " ", "Été").path == ("Été",)
