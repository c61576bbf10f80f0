"""Actions on many messages at a server that takes long: what was done is told and can be undone, and nothing untrue is said."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.support.servers import serving
from webmail.account import Account, Password, Server
from webmail.errors import OutOfTimeError, OverQuotaError, ServerAwayError, UnconfirmedError
from webmail.imap import close_all, connect
from webmail.imap.bulk import actions
from webmail.imap.bulk.actions import paced
from webmail.imap.connections.connection import Connection
from webmail.mailbox.actions import apply_action
from webmail.mailbox.selection import Selection

PATIENCE = 0.2  # seconds for an answer; four times as long for a change
CAPABILITIES = b"* CAPABILITY IMAP4rev1 MOVE UIDPLUS LITERAL+\r\n"
MANY = 1_200  # messages: two pieces

Moves = Callable[[int, bytes, bytes], bytes | None]  # what answers a UID MOVE: which it is, its tag, its UIDs


@contextmanager
def connected(moves: Moves) -> Iterator[Connection]:
    """A server that has two folders and does nothing but what `moves` says."""
    moved: list[bytes] = []

    def answer(line: bytes) -> bytes | None:
        tag, _, command = line.strip().partition(b" ")
        told = b""
        if command.upper().startswith(b"CAPABILITY"):
            told = CAPABILITIES
        elif command.startswith(b"SELECT"):
            told = b"* OK [UIDVALIDITY 7] x\r\n* FLAGS (\\Seen)\r\n* OK [PERMANENTFLAGS (\\Seen \\Deleted \\*)] x\r\n"
        elif command.startswith(b"LIST"):
            told = b'* LIST () "/" "INBOX"\r\n* LIST () "/" "Away"\r\n'
        elif command.startswith(b"UID MOVE"):
            moved.append(command)
            return moves(len(moved), tag, command.split()[2])
        return told + tag + b" OK done\r\n"

    with serving(b"* OK ready\r\n", answer) as port:
        server = Server("127.0.0.1", port, "none", PATIENCE)
        person = Account("ann@x.example", server, server, Password("ann@x.example", "secret"))
        try:
            with connect(person) as connection:
                yield connection
        finally:
            close_all(person)


def well(tag: bytes, uids: bytes) -> bytes:
    first, last = map(int, uids.split(b":"))
    return tag + b" OK [COPYUID 9 %b %d:%d] moved\r\n" % (uids, first + 5000, last + 5000)


def move(connection: Connection):
    return apply_action(connection, [Selection("INBOX", 7, tuple(range(1, MANY + 1)))], "move", to="Away")


def test_all_pieces_are_undone_together() -> None:
    with connected(lambda _which, tag, uids: well(tag, uids)) as connection:
        done = move(connection)
    assert done.count == MANY and done.failed is None
    assert json.loads(done.undo.dumps()) == [["move", "Away", 9, "INBOX", "5001:6200"]]


@pytest.mark.parametrize(
    ("then", "error"),
    [
        (None, UnconfirmedError),
        (b"", UnconfirmedError),
        (b" NO [OVERQUOTA] full\r\n", OverQuotaError),
        (b" NO [INUSE] later\r\n", ServerAwayError),
    ],
    ids=["hangs up", "silent", "full", "refused"],
)
def test_where_the_second_piece_fails_the_first_is_counted_and_can_be_undone(then: bytes | None, error: type[Exception]) -> None:
    def moves(which: int, tag: bytes, uids: bytes) -> bytes | None:
        return well(tag, uids) if which == 1 else then and tag + then

    with connected(moves) as connection:
        done = move(connection)
    assert done.count == 1000
    assert type(done.failed) is error
    assert json.loads(done.undo.dumps()) == [["move", "Away", 9, "INBOX", "5001:6000"]]


@pytest.mark.parametrize("then", [None, b""], ids=["hangs up", "silent"])
def test_a_server_that_does_not_answer_is_not_said_to_have_done_nothing(then: bytes | None) -> None:
    with connected(lambda _which, _tag, _uids: then) as connection, pytest.raises(UnconfirmedError):
        move(connection)
    assert not connection.in_step  # what answers later belongs to no other command


def test_a_change_is_waited_for_longer_than_other_answers() -> None:
    def moves(_which: int, tag: bytes, uids: bytes) -> bytes:
        time.sleep(PATIENCE * 1.5)
        return well(tag, uids)

    with connected(moves) as connection:
        assert move(connection).count == MANY
        assert connection.client.socket().gettimeout() == PATIENCE


def test_what_would_take_longer_than_a_page_may_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "_ALTOGETHER", PATIENCE / 2)

    def moves(_which: int, tag: bytes, uids: bytes) -> bytes:
        time.sleep(PATIENCE)
        return well(tag, uids)

    with connected(moves) as connection:
        done = move(connection)
        assert connection.in_step
    assert done.count == 1000 and type(done.failed) is OutOfTimeError
    assert json.loads(done.undo.dumps()) == [["move", "Away", 9, "INBOX", "5001:6000"]]


def sizes(monkeypatch: pytest.MonkeyPatch, total: int, seconds: Callable[[int], float]) -> list[int]:
    """Of the pieces where the server takes so many seconds for a number of messages."""
    clock = [0.0]
    monkeypatch.setattr(actions.time, "monotonic", lambda: clock[0])
    found = []
    for piece in paced(range(1, total + 1)):
        found.append(len(piece))
        clock[0] += seconds(len(piece))
    assert sum(found) == total
    return found


def test_pieces_are_as_large_as_the_pace_of_the_server_lets_them_be(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sizes(monkeypatch, 1000, lambda _count: 9.0) == [1000]
    assert sizes(monkeypatch, 16_000, lambda count: count / 10_000) == [1000, 4000, 5000, 5000, 1000]
    assert sizes(monkeypatch, 3000, lambda _count: 9.0) == [1000, 500, 500, 500, 500]
    assert sizes(monkeypatch, 5000, lambda count: count / 500) == [1000, 2000, 2000]
