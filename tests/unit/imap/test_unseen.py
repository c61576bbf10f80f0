"""A message that is read ahead: nothing marks it as read before somebody sees it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.servers import serving
from webmail.account import Account, Password, Server
from webmail.errors import MailboxChangedError, NoSuchMessageError
from webmail.imap import close_all, connect
from webmail.imap.mailbox_list import mailboxes, overviews
from webmail.imap.reading import messages

LETTER = (
    b'* 4 FETCH (UID 5 FLAGS () RFC822.SIZE 60 INTERNALDATE "01-Mar-2026 10:00:00 +0000" BODYSTRUCTURE '
    b'("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "7BIT" 5 1) BODY[HEADER.FIELDS (SUBJECT)] {15}\r\nSubject: Un\r\n\r\n '
    b"BODY[1]<0> {5}\r\nSalut)\r\n"
)
SEEN = LETTER.replace(b"FLAGS ()", rb"FLAGS (\Seen)")


@pytest.fixture
def asked() -> list[bytes]:
    return []


@pytest.fixture
def person(asked: list[bytes], request: pytest.FixtureRequest) -> Iterator[Account]:
    """Of a server with one folder, one message unread in it; the fixture's parameter answers a UID FETCH."""

    def answer(line: bytes) -> bytes | None:
        tag, _, command = line.partition(b" ")
        asked.append(command)
        told = {
            b"CAPABILITY": b"* CAPABILITY IMAP4rev1 LITERAL+\r\n",
            b"SELECT": b"* 9 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [READ-WRITE] ok\r\n",
            b"LIST": b'* LIST () "/" INBOX\r\n',
            b"STATUS": b"* STATUS INBOX (MESSAGES 9 UNSEEN 3)\r\n",
            b"UID FETCH": request.param,
        }
        return next((text for name, text in told.items() if command.upper().startswith(name)), b"") + tag + b" OK done\r\n"

    with serving(b"* OK ready\r\n", answer) as port:
        server = Server("127.0.0.1", port, "none", 1)
        account = Account("ann@x.example", server, server, Password("ann@x.example", "secret"))
        yield account
        close_all(account)


def counted(person: Account) -> int:
    """The unread messages of the inbox, as the next page would say."""
    kept = overviews.cached(person)
    inbox = kept.found.get("INBOX") if kept else None
    assert inbox
    return inbox.unseen


def stored(asked: list[bytes]) -> list[bytes]:
    return [line for line in asked if b"STORE" in line]


@pytest.mark.parametrize("person", [LETTER], indirect=True)
def test_what_is_read_ahead_stays_unread_though_its_page_counts_it_as_read(person: Account, asked: list[bytes]) -> None:
    with connect(person) as connection:
        ahead, shown = messages.read(connection, "INBOX", 5, 7, prefer_html=True, mark=False)
        known = counted(person)
    assert not ahead.seen and stored(asked) == []
    assert not any(b"BODY[" in line for line in asked)  # PEEK everywhere: BODY[...] marks by itself
    here = shown.get("INBOX")
    assert here and (here.unseen, known) == (2, 3)


@pytest.mark.parametrize("person", [LETTER], indirect=True)
def test_once_it_is_seen_it_is_marked_and_counted(person: Account, asked: list[bytes]) -> None:
    with connect(person) as connection:
        mailboxes.overview(connection)
        messages.mark_seen(connection, "INBOX", 5, 7)
    assert stored(asked) == [rb"UID STORE 5 +FLAGS.SILENT (\Seen)"] and counted(person) == 2
    with connect(person) as connection, pytest.raises(MailboxChangedError):
        messages.mark_seen(connection, "INBOX", 5, 8)


@pytest.mark.parametrize("person", [SEEN], indirect=True)
def test_what_is_marked_already_is_not_marked_nor_counted_again(person: Account, asked: list[bytes]) -> None:
    with connect(person) as connection:
        mailboxes.overview(connection)
        messages.mark_seen(connection, "INBOX", 5, 7)
    assert stored(asked) == [] and counted(person) == 3


@pytest.mark.parametrize("person", [b""], indirect=True)
def test_what_is_gone_is_told(person: Account) -> None:
    with connect(person) as connection, pytest.raises(NoSuchMessageError):
        messages.mark_seen(connection, "INBOX", 5, 7)
