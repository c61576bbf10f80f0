"""One search in several mailboxes, against a server that says what the test wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from tests.support.servers import serving
from webmail.account import Account, Password, Server
from webmail.errors import NoSuchMailboxError, RefusedError
from webmail.imap import close_all, connect
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.imap.searching import multi_search
from webmail.imap.searching.multi_search import within
from webmail.imap.searching.search import parse
from webmail.mail import Mailbox, Role

LISTED = b'* LIST () "/" INBOX\r\n* LIST () "/" A\r\n* LIST () "/" B\r\n* LIST () "/" Gone\r\n'
ROW = b'UID %d FLAGS (\\Seen) RFC822.SIZE 9 INTERNALDATE "%02d-Mar-2026 10:00:00 +0100" BODY[HEADER.FIELDS (FROM TO SUBJECT DATE)]<0> {%d}\r\n%b'


class Script:
    """An IMAP server without SORT, LIST-STATUS and LITERAL+: two mailboxes that can be looked at, one that went meanwhile."""

    def __init__(self) -> None:
        self.selected = b""
        self.lines: list[bytes] = []
        self.validity = {b"INBOX": 1, b"A": 2, b"B": 3}
        self.refuse_search = False

    def __call__(self, line: bytes) -> bytes:
        self.lines.append(line)
        tag, _, command = line.partition(b" ")
        return self.said(command) + tag + self.done(command)

    def done(self, command: bytes) -> bytes:
        if command.startswith(b"EXAMINE") and self.selected not in self.validity:
            return b" NO [NONEXISTENT] no such mailbox\r\n"
        if command.startswith(b"UID") and self.selected not in self.validity:
            return b" BAD nothing is selected\r\n"
        if command.startswith(b"UID SEARCH") and self.refuse_search:
            return b" NO [CANNOT] not today\r\n"
        return b" OK done\r\n"

    def said(self, command: bytes) -> bytes:
        if command.upper().startswith(b"CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1\r\n"
        if command.startswith(b"LIST"):
            return LISTED
        if command.startswith(b"EXAMINE"):
            self.selected = command.split(b'"')[1]
            return b"* 3 EXISTS\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY %d] x\r\n" % self.validity.get(self.selected, 0)
        if self.selected not in self.validity:
            return b""
        if command.startswith(b"UID SEARCH"):
            return b"* SEARCH 1 2 3\r\n"
        if command.startswith(b"UID FETCH") and b"HEADER" in command:
            return b"".join(self.row(uid) for uid in (1, 2, 3) if b"%d" % uid in command or b":" in command)
        if command.startswith(b"UID FETCH"):
            return b"".join(self.dated(uid) for uid in (1, 2, 3))
        return b""

    def day(self, uid: int) -> int:
        return uid * 3 + {b"INBOX": 0, b"A": 1, b"B": 2}[self.selected]

    def dated(self, uid: int) -> bytes:
        return b'* %d FETCH (UID %d INTERNALDATE "%2d-Mar-2026 10:00:00 +0100")\r\n' % (uid, uid, self.day(uid))

    def row(self, uid: int) -> bytes:
        head = b"Subject: %b %d\r\n\r\n" % (self.selected, uid)
        return b"* %d FETCH (" % uid + ROW % (uid, self.day(uid), len(head), head) + b")\r\n"


@contextmanager
def at(script: Callable[[bytes], bytes]) -> Iterator[Connection]:
    with serving(b"* OK ready\r\n", script) as port:
        server = Server("127.0.0.1", port, "none", 2)
        person = Account("ann@x.example", server, server, Password("ann@x.example", "secret"))
        try:
            with connect(person) as connection:
                yield connection
        finally:
            close_all(person)


def test_the_answers_to_each_command_are_told_apart() -> None:
    script = Script()
    with at(script) as connection:
        found = connection.run_apart(
            (b"EXAMINE", b'"A"'), (b"UID SEARCH", b"ALL"), (b"EXAMINE", b'"Gone"'), (b"UID SEARCH", b"ALL")
        )
        first, hits, gone, nothing = found
        assert isinstance(first, dict) and first["UIDVALIDITY"] == [b"2"] and "SEARCH" not in first
        assert isinstance(hits, dict) and hits["SEARCH"] == [b"1 2 3"]
        assert isinstance(gone, NoSuchMailboxError) and isinstance(nothing, RefusedError)
        assert connection.in_step and connection.mailbox == ""


def test_results_are_merged_and_a_mailbox_that_went_is_passed_over() -> None:
    with at(Script()) as connection:
        found = multi_search.search(connection, "INBOX", query=parse("x"), below=False, size=4)
        assert [row.subject for row in found.rows] == ["B 3", "A 3", "INBOX 3", "B 2"]
        assert [row.mailbox for row in found.rows] == ["B", "A", "INBOX", "B"]
        assert found.rows[0].received == datetime(2026, 3, 11, 9, tzinfo=UTC) and found.rows[0].uidvalidity == 3
        assert (found.total, found.pages, found.skipped) == (9, 3, ("Gone",))
        last = multi_search.search(connection, "INBOX", query=parse("x"), below=False, size=4, page=3)
        assert [row.subject for row in last.rows] == ["INBOX 1"]


def test_rows_of_a_mailbox_that_was_rebuilt_in_between_are_not_shown() -> None:
    class Rebuilt(Script):
        def said(self, command: bytes) -> bytes:
            if command.startswith(b"UID FETCH") and b"HEADER" not in command:
                self.validity[b"B"] = 99  # from now on
            return super().said(command)

    with at(Rebuilt()) as connection:
        found = multi_search.search(connection, "INBOX", query=parse("x"), below=False)
        assert {row.mailbox for row in found.rows} == {"INBOX", "A"}


def test_when_no_mailbox_can_be_searched_it_is_an_error() -> None:
    script = Script()
    script.refuse_search = True
    with at(script) as connection, pytest.raises(RefusedError, match="not today"):
        multi_search.search(connection, "INBOX", query=parse("x"), below=False)


def test_known_rows_cost_flags_only() -> None:
    script = Script()
    with at(script) as connection:
        multi_search.search(connection, "INBOX", query=parse("x"), below=False)
        script.lines.clear()
        assert len(multi_search.search(connection, "INBOX", query=parse("x"), below=False).rows) == 9
        fetches = [line for line in script.lines if b"FETCH" in line]
        assert len(fetches) == 3 and all(line.endswith(b"(UID FLAGS)") for line in fetches)


def boxes(*names: str) -> Overview:
    roles = {"Trash": Role.TRASH, "Junk": Role.JUNK, "INBOX": Role.INBOX}
    return Overview(tuple(Mailbox(name, "/", roles.get(name), name != "Box") for name in names))


def test_a_scope_is_a_folder_with_those_inside_it_or_everything_but_what_was_thrown_away() -> None:
    found = boxes("INBOX", "A", "A/1", "AB", "Box", "Box/1", "Junk", "Trash", "Trash/old")
    assert within(found, "A", below=True).names == ("A", "A/1")
    everything = within(found, "A", below=False)
    assert everything.names == ("A", "INBOX", "A/1", "AB", "Box/1") and everything.left_out == ("Junk", "Trash")
    assert within(found, "Trash", below=False).names[0] == "Trash" and within(found, "Trash", below=False).left_out == ("Junk",)
    assert "Trash/old" in within(found, "Trash/old", below=False).names
    assert within(found, "Trash", below=True).names == ("Trash", "Trash/old")


def test_the_number_of_mailboxes_is_bounded_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multi_search, "MOST_MAILBOXES", 2)
    reach = within(boxes("INBOX", "A", "B", "C"), "C", below=False)
    assert reach.names == ("C", "INBOX") and reach.too_many == 2
