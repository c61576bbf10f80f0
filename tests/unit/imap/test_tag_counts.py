"""Counts of what is unread of each tag: asked in few words, kept, and never in anybody's way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from tests.support.servers import closed_port, serving
from tests.support.waiting import eventually
from webmail.account import Account, Password, Server
from webmail.imap.connections import account_queue
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list import mailboxes, tag_counts

COUNTS = {(b"INBOX", b"Urgent"): 2, (b"INBOX", b"Later"): 1, (b"A", b"Urgent"): 3, (b"A", b"Later"): 0}


class Script:
    """An IMAP server with two mailboxes, and keywords on unread messages in them."""

    def __init__(self) -> None:
        self.capability = b"ESEARCH"
        self.selected = b""
        self.asked: list[bytes] = []
        self.dumb = False
        self.late: list[bytes] | None = None  # tags of what is answered, but not said to be done

    def __call__(self, line: bytes) -> bytes:
        tag, _, command = line.partition(b" ")
        self.asked.append(command)
        if self.dumb and command.startswith((b"EXAMINE", b"SEARCH")):
            return b""
        return self.said(tag, command)

    def said(self, tag: bytes, command: bytes) -> bytes:
        if command.startswith(b"CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1 LITERAL+ " + self.capability + b"\r\n" + tag + b" OK done\r\n"
        if command.startswith(b"EXAMINE"):
            self.selected = command.split(b'"')[1]
            if self.selected == b"Gone":
                return tag + b" NO [NONEXISTENT] no such mailbox\r\n"
            return b"* 9 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n" + tag + b" OK done\r\n"
        if not command.startswith(b"SEARCH"):
            return tag + b" OK done\r\n"
        if self.selected == b"Gone":
            return tag + b" BAD nothing is selected\r\n"
        number = COUNTS[self.selected, command.split()[-1]]
        if b"RETURN" in command:
            return b'* ESEARCH (TAG "%b") COUNT %d\r\n' % (tag, number) + self.done(tag, command)
        return b"* SEARCH " + b" ".join(b"%d" % n for n in range(1, number + 1)) + b"\r\n" + tag + b" OK done\r\n"

    def done(self, tag: bytes, command: bytes) -> bytes:
        if self.late is None:
            return tag + b" OK done\r\n"
        self.late.append(tag)
        if command.endswith(b"Urgent"):
            return b""
        tags, self.late = self.late, []
        return b"".join(one + b" OK done\r\n" for one in tags)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def person(script: Script, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    monkeypatch.setattr(tag_counts, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(tag_counts, "_PATIENCE_SECONDS", 0.5)
    with serving(b"* OK ready\r\n", script) as port:
        server = Server("127.0.0.1", port, "none", 4)
        yield Account(f"{uuid4()}@x.example", server, server, Password("ann", "secret"))


@pytest.mark.parametrize("capability", [b"ESEARCH", b""])
def test_one_round_trip_counts_all_tags_in_all_folders(script: Script, person: Account, capability: bytes) -> None:
    script.capability = capability
    connection = Connection(person)
    before = connection.round_trips
    assert tag_counts.count(connection, ["Urgent", "Later"], ["INBOX", "Gone", "A"]) == {"Urgent": 5, "Later": 1}
    assert connection.round_trips - before == 1
    connection.close()


def test_a_count_belongs_to_its_tag_though_the_server_says_later_that_it_is_done(script: Script, person: Account) -> None:
    script.late = []  # as Dovecot does, which looks for changes once after several searches
    connection = Connection(person)
    assert tag_counts.count(connection, ["Urgent", "Later"], ["INBOX", "A"]) == {"Urgent": 5, "Later": 1}
    connection.close()


def test_what_is_not_counted_yet_is_not_known(person: Account) -> None:
    assert tag_counts.cached(person) == {}
    tag_counts.count_soon(person, ["Urgent"], ["INBOX", "A"])
    assert eventually(lambda: tag_counts.cached(person)) == {"Urgent": 5}


def searches(script: Script) -> int:
    return sum(command.startswith(b"SEARCH") for command in script.asked)


def counted(script: Script, person: Account, keywords: list[str], places: list[str], times: int) -> None:
    """Ask, and wait until that many searches were made in all."""
    tag_counts.count_soon(person, keywords, places)
    eventually(
        lambda: searches(script) == times and tag_counts._accounts._worker is None,
        what=f"{times} searches",
        found=lambda: script.asked,
    )


def test_counts_hold_until_something_changes(script: Script, person: Account) -> None:
    counted(script, person, ["Urgent"], ["INBOX", "A"], 2)
    counted(script, person, ["Urgent"], ["INBOX"], 2)  # fewer folders with unread mail: nothing to learn
    tag_counts.recount_soon(person)
    counted(script, person, ["Urgent"], ["INBOX", "A"], 2)
    mailboxes.forget(person)
    counted(script, person, ["Urgent"], ["INBOX", "A"], 4)
    counted(script, person, ["Urgent", "Later"], ["INBOX"], 6)  # another tag
    counted(script, person, ["Urgent"], ["A"], 7)  # another folder with unread mail
    mailboxes.forget(person)
    tag_counts.recount_soon(person)
    eventually(lambda: searches(script) == 8)


def test_an_account_is_counted_once_in_two_seconds_at_most(
    script: Script, person: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tag_counts, "_PAUSE_SECONDS", 60.0)
    counted(script, person, ["Urgent"], ["INBOX"], 1)
    mailboxes.forget(person)
    counted(script, person, ["Urgent", "Later"], ["INBOX", "A"], 1)


def test_no_password_is_kept_with_the_counts(script: Script, person: Account) -> None:
    counted(script, person, ["Urgent"], ["INBOX"], 1)
    kept = [part for key in tag_counts._kept for part in (key if isinstance(key, tuple) else (key,))]
    assert person.address in kept and not any(isinstance(part, Account | Password) for part in kept)
    assert tag_counts.cached(replace(person, credential=Password("ann", "changed"))) == {"Urgent": 2}
    assert tag_counts.cached(replace(person, address="bob@x.example")) == {}


def test_a_thread_that_breaks_counts_for_the_others_all_the_same(
    script: Script, person: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, broken = tag_counts.count, []

    def breaking(connection: Connection, keywords: list[str], names: list[str]) -> dict[str, int]:
        if "Broken" in keywords:
            broken.append(keywords)
            raise ValueError("an answer that nobody foresaw")
        return real(connection, keywords, names)

    monkeypatch.setattr(tag_counts, "count", breaking)
    with tag_counts._accounts.lock:  # both wait before the thread begins
        tag_counts._accounts.put(replace(person, address="other@x.example"), (frozenset(["Broken"]), frozenset(["INBOX"])))
        tag_counts._accounts.put(person, (frozenset(["Urgent"]), frozenset(["INBOX"])))
    assert eventually(lambda: tag_counts.cached(person)) == {"Urgent": 2} and broken


def test_without_unread_mail_nothing_is_asked(script: Script, person: Account) -> None:
    tag_counts.count_soon(person, ["Urgent"], [])
    assert eventually(lambda: tag_counts.cached(person)) == {"Urgent": 0}
    assert script.asked == []


def test_a_server_that_does_not_answer_is_left_alone_and_the_old_counts_stay(script: Script, person: Account) -> None:
    counted(script, person, ["Urgent"], ["A"], 1)
    script.dumb = True
    mailboxes.forget(person)
    counted(script, person, ["Urgent"], ["A"], 2)
    asked = len(script.asked)
    for _page in range(3):
        counted(script, person, ["Urgent", "Later"], ["A", "INBOX"], 2)
    assert len(script.asked) == asked and tag_counts.cached(person) == {"Urgent": 3}


def test_asking_costs_no_time_even_where_no_server_is() -> None:
    server = Server("127.0.0.1", closed_port(), "none", 4)
    account = Account("nobody@x.example", server, server, Password("x", "y"))
    began = time.monotonic()
    tag_counts.count_soon(account, ["Urgent"], ["INBOX"])
    assert time.monotonic() - began < 3.9  # the server would have four
    eventually(lambda: tag_counts._accounts._worker is None)
    assert tag_counts.cached(account) == {}


def test_waiting_accounts_and_what_is_kept_are_bounded(person: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_queue, "MOST_WAITING", 0)
    tag_counts.count_soon(person, ["Urgent"], ["A"])
    assert person not in tag_counts._accounts.waiting and tag_counts.cached(person) == {}
    monkeypatch.setattr(account_queue, "MOST_WAITING", 5)
    tag_counts.count_soon(person, [f"k{n}" for n in range(50)], [])
    assert len(eventually(lambda: tag_counts.cached(person))) == tag_counts.MOST_KEYWORDS
