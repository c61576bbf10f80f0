"""Optional questions: a server that refuses one, or never answers it, does not keep a page from being shown."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.servers import serving
from webmail.account import Account, Password, Server
from webmail.errors import MailError, NoSuchMailboxError, SearchNotReadyError
from webmail.imap import close_all, connect
from webmail.imap.connections.optional import optional
from webmail.imap.mailbox_list import mailboxes
from webmail.imap.reading import earlier_messages, messages

HEAD = b"From: Ann <ann@far.example>\r\nSubject: Bonjour\r\n\r\n"
SHAPE = b'("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "7BIT" 7 1)'
FETCHED = (
    b'* 4 FETCH (UID 5 FLAGS () RFC822.SIZE 90 INTERNALDATE "01-Mar-2026 12:00:00 +0000" BODYSTRUCTURE ' + SHAPE
    + b" BODY[HEADER.FIELDS (SUBJECT FROM)]<0> {%d}\r\n" % len(HEAD) + HEAD + b" BODY[1]<0> {7}\r\nBonjour)\r\n"
)  # fmt: skip


class ServerWith:
    """A server that refuses or leaves unanswered the commands that begin with one of these words."""

    def __init__(self) -> None:
        self.refused: tuple[bytes, ...] = ()
        self.unanswered: tuple[bytes, ...] = ()
        self.asked: list[bytes] = []

    def answer(self, line: bytes) -> bytes | None:
        tag, _, command = line.partition(b" ")
        self.asked.append(command)
        if command.startswith(self.unanswered):
            return b""
        if command.startswith(self.refused):
            return tag + b" NO [SERVERBUG] Internal error\r\n"
        told = {
            b"CAPABILITY": b"* CAPABILITY IMAP4rev1 LITERAL+ NAMESPACE QUOTA LIST-STATUS\r\n",
            b"SELECT": b"* 9 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n",
            b"UID FETCH": FETCHED,
            b"LIST": b'* LIST () "/" INBOX\r\n',
            b"UID SEARCH": b"* SEARCH 3\r\n",
        }
        return next((said for word, said in told.items() if command.startswith(word)), b"") + tag + b" OK done\r\n"


@pytest.fixture
def server() -> ServerWith:
    return ServerWith()


@pytest.fixture
def person(server: ServerWith) -> Iterator[Account]:
    with serving(b"* OK ready\r\n", server.answer) as port:
        where = Server("127.0.0.1", port, "none", 4)
        account = Account(f"ann-{port}@x.example", where, where, Password("ann", "secret"))
        yield account
        close_all(account)


def read(person: Account) -> messages.Message:
    with connect(person) as connection:
        return messages.read(connection, "INBOX", 5, prefer_html=False, stranger=lambda envelope: envelope.sender[0].email)[0]


@pytest.mark.parametrize("word", [b"GETQUOTAROOT", b"NAMESPACE", b"UID STORE"])
def test_a_message_is_shown_where_the_server_refuses_what_the_text_does_without(server, person, word) -> None:
    server.refused = (word,)
    assert read(person).bodies == {"1": "Bonjour"}
    assert any(command.startswith(word) for command in server.asked)


def test_the_folders_are_listed_where_the_quota_is_refused(server, person) -> None:
    server.refused = (b"GETQUOTAROOT",)
    with connect(person) as connection:
        found = mailboxes.overview(connection)
    assert [box.name for box in found.mailboxes] == ["INBOX"] and found.quota is None


def test_a_refusal_of_what_the_page_needs_is_still_one(server, person) -> None:
    server.refused = (b"SELECT",)
    with pytest.raises(MailError, match="Internal error"):
        read(person)


def test_earlier_messages_of_a_stranger_are_looked_for_after_the_message_is_there(server, person) -> None:
    message = read(person)
    assert not any(command.startswith(b"UID SEARCH") for command in server.asked)
    assert message.earlier is None
    assert earlier_messages.looked_for(person, message).earlier is True
    assert server.asked[-1] == b'UID SEARCH 1:3 UID 1:4 FROM "ann@far.example"'
    asked = len(server.asked)
    assert earlier_messages.looked_for(person, message).earlier is True
    assert len(server.asked) == asked  # remembered
    earlier_messages.looked_for(person, replace(message, uid=message.uid + 1))
    assert len(server.asked) > asked  # of another message it is another question


def test_a_search_that_is_never_answered_costs_two_seconds_once(server, person) -> None:
    server.unanswered = (b"UID SEARCH",)
    began = time.monotonic()
    for _ in range(3):
        message = earlier_messages.looked_for(person, read(person))
        assert message.bodies == {"1": "Bonjour"} and message.earlier is None
    assert time.monotonic() - began < 5.5  # once for each would be six


def test_a_search_that_is_refused_tells_nothing(server, person) -> None:
    server.refused = (b"UID SEARCH",)
    assert earlier_messages.looked_for(person, read(person)).earlier is None


def test_an_index_that_is_not_ready_keeps_no_other_question_from_being_asked(person) -> None:
    def indexing(_connection: object) -> int:
        raise SearchNotReadyError("wait")

    assert optional(person, "INBOX", indexing, 7) == 7
    assert optional(person, "INBOX", lambda connection: 8, 7) == 8


def test_what_is_optional_raises_nothing_of_the_server(person) -> None:
    def gone(_connection: object) -> int:
        raise NoSuchMailboxError("gone")

    assert optional(person, "INBOX", gone, 7) == 7
