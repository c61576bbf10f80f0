"""Import filing: where a message goes: the marks of programs, dates; Gmail's labels in two languages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from webmail.mail import Role
from webmail.mailbox.imports.import_filing import Filing, decoded, mozilla_marks, received_at, state_marks
from webmail.mailbox.imports.import_labels import BOTH, IN_IMAP, by_labels, labels_in, words_of
from webmail.mime.headers import headers


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
        (["Messages archivés", "Ouvert"], Filing(("\\Seen",), role=Role.ARCHIVE)),
        (["Messages archivés", "Ouvert", "Boulot"], Filing(("\\Seen",), path=("Boulot",))),
        (["Boîte de réception", "Muted", "Ouvert"], Filing(("\\Seen",), role=Role.INBOX)),
        (["Archivés", "Envoyé"], Filing(("\\Seen",), role=Role.SENT)),
        (["Sent", "Inbox"], Filing(("\\Seen",), role=Role.INBOX)),  # written to oneself
        (["Archivés", "Catégorie\xa0: E-mails personnels"], Filing(("\\Seen",), role=Role.ARCHIVE)),
        (["Spam", "Facture"], Filing(("\\Seen",), role=Role.JUNK)),
        (["Brouillons"], Filing(("\\Seen", "\\Draft"), role=Role.DRAFTS)),
        (["Travail/2024", "Amis", "Important", "Starred"],
         Filing(("\\Seen", "\\Flagged", "$Important"), path=("Travail", "2024"), tags=("Amis",))),
        ([], Filing(("\\Seen",), role=Role.ARCHIVE)),
    ],
)  # fmt: skip
def test_a_message_of_gmail_has_one_folder(labels, filing):
    assert by_labels(labels, BOTH) == filing


@pytest.mark.parametrize(
    ("labels", "filing"),
    [
        (["\\Inbox", "\\Muted", "Amis"], Filing(("\\Seen",), path=("Amis",))),
        (["\\Inbox", "\\Muted"], Filing(("\\Seen",), role=Role.INBOX)),
        (["\\Sent", "Corbeille"], Filing(("\\Seen",), path=("Corbeille",))),
        (["Unread", "\\Starred"], Filing(("\\Seen", "\\Flagged"), path=("Unread",))),
    ],
)
def test_in_imap_gmails_own_labels_begin_with_a_backslash(labels, filing):
    assert by_labels(labels, IN_IMAP) == filing


def test_what_is_gmails_label_in_one_language_is_ones_own_in_another():
    english = words_of([["Inbox", "Opened"], ["Archived", "Corbeille"]])
    assert by_labels(["Archived", "Opened", "Corbeille"], english).path == ("Corbeille",)
    french = words_of([["Boîte de réception", "Ouvert"], ["Messages archivés", "Bin"]])
    assert by_labels(["Messages archivés", "Bin"], french).path == ("Bin",)
    assert by_labels(["Corbeille"], french).role is Role.TRASH


@pytest.mark.parametrize(
    ("head", "filing"),
    [
        (b"", Filing(("\\Seen",))),  # old mail, nothing noted: read
        (b"X-Mozilla-Status: 0001", Filing(("\\Seen",))),
        (b"X-Mozilla-Status: 0000", Filing()),
        (b"X-Mozilla-Status: 0007", Filing(("\\Seen", "\\Answered", "\\Flagged"))),
        (b"X-Mozilla-Status: 1001", Filing(("\\Seen", "$Forwarded"))),
        (b"X-Mozilla-Status: 0009", Filing(("\\Seen",), skip=True)),
        (b"X-Mozilla-Status: zzzz", Filing()),
        (b"X-Mozilla-Status: 0001\r\nX-Mozilla-Keys: $label1 nonjunk classe r&AOk-union        ",
         Filing(("\\Seen", "$label1"), tags=("classe", "réunion"))),
    ],
)  # fmt: skip
def test_marks_of_thunderbird(head, filing):
    assert mozilla_marks(headers.fields(head + b"\r\n\r\n")) == filing


@pytest.mark.parametrize(
    ("head", "flags"),
    [
        (b"", ("\\Seen",)),
        (b"Status: RO", ("\\Seen",)),
        (b"Status: O", ()),
        (b"Status: RO\r\nX-Status: AF", ("\\Seen", "\\Answered", "\\Flagged")),
        (b"Status: RO\r\nX-Status: T\r\nX-Keywords: classe $Junk", ("\\Seen", "\\Draft", "classe")),
        (b"Status: RO\r\nX-Status: D", ("\\Seen",)),  # never lost by what is in a message
    ],
)
def test_marks_of_mbox_files(head, flags):
    found = state_marks(headers.fields(b"Subject: x\r\n" + head + b"\r\n\r\ntext"))
    assert (found.flags, found.skip) == (flags, False)


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
    assert received_at(headers.fields(head + b"\r\n\r\n"), separator) == (datetime(*at, tzinfo=UTC) if at else None)


def test_the_date_that_an_export_of_ours_notes_wins():
    found = headers.fields(b"Received: from a by b; Tue, 5 Mar 2019 10:00:00 +0100\r\n\r\n")
    noted = received_at(found, b"From a@x.example Wed Mar  6 09:00:00 2019", noted=True)
    assert noted == datetime(2019, 3, 6, 9, tzinfo=UTC)


@pytest.mark.parametrize(("name", "read_as"), [("Envoy&AOk-s", "Envoyés"), ("a & b", "a & b"), ("R&D", "R&D"), ("R&-D", "R&D")])
def test_names_in_modified_utf7_are_read(name, read_as):
    assert decoded(name) == read_as
