"""Two clicks at once, and a click against the worker: no message is there twice, none is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.visits import Page, Visitor
from tests.support.waiting import eventually
from webmail import imap
from webmail.database import user_lock
from webmail.database.connection import db
from webmail.errors import ServerAwayError
from webmail.mailbox.snooze import snooze_leases
from webmail.models import Snoozed, User, now

Fill = Callable[..., list[int]]
ImapOf = Callable[[str], IMAPClient]
AT_ONCE = 3


@pytest.fixture
def windows(app: Flask, person: Visitor) -> list[Visitor]:
    return [person, *(Visitor(app, person.address).sign_in() for _ in range(AT_ONCE - 1))]


def token_of(visitor: Visitor) -> str:
    return str(visitor.get("/snoozed").all("[name=csrf_token]")[0]["value"])


def at_once(windows: list[Visitor], url: str, **fields: Any) -> list[Page]:
    """The same form sent from several windows at the same moment."""
    tokens, start = [token_of(window) for window in windows], threading.Barrier(len(windows))
    pages: list[Page] = []

    def click(window: Visitor, token: str) -> None:
        start.wait()
        pages.append(window.post(url, {"csrf_token": token, **fields}))

    threads = [threading.Thread(target=click, args=each) for each in zip(windows, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return pages


class Moves:
    """Moves as the server is asked for them. The first of several clicks takes until all of them have come."""

    def __init__(self) -> None:
        self.clicks = 1
        self.begun: list[int] = []  # how many were under way as each began
        self._under_way = 0
        self._move = imap.actions.move

    def expect(self, clicks: int) -> None:
        self.clicks = clicks
        self.begun.clear()

    def __call__(self, *args: Any) -> imap.actions.Moved:
        self._under_way += 1
        self.begun.append(self._under_way)
        try:
            if len(self.begun) == 1:
                eventually(self._all_have_come)
            return self._move(*args)
        finally:
            self._under_way -= 1

    def _all_have_come(self) -> bool:
        """Waiting for their turn, or under way already."""
        return self._under_way > 1 or sum(turn.people for turn in user_lock._turns.values()) == self.clicks


@pytest.fixture
def moves(monkeypatch: pytest.MonkeyPatch) -> Moves:
    watched = Moves()
    monkeypatch.setattr(imap.actions, "move", watched)
    return watched


def where(client: IMAPClient) -> dict[str, int]:
    """How many messages are in which folder."""
    found = {name: client.folder_status(name, ["MESSAGES"])[b"MESSAGES"] for _flags, _delimiter, name in client.list_folders()}
    return {name: count for name, count in found.items() if count}


@pytest.mark.parametrize(
    ("action", "folder"), [("delete", "Trash"), ("archive", "Archive"), ("junk", "Junk"), ("snooze:tomorrow", "Snoozed")]
)
def test_an_action_clicked_twice_is_done_once(
    windows: list[Visitor], moves: Moves, fill: Fill, imap_of: ImapOf, action: str, folder: str
) -> None:
    person = windows[0]
    (uid,) = fill(person, message("Un"))
    v = person.get("/mailbox/INBOX").one("[name=v]")["value"]
    moves.expect(AT_ONCE)
    pages = at_once(windows, "/act/INBOX", v=v, uids=str(uid), action=action)
    assert {page.status for page in pages} == {200}
    assert where(imap_of(person.address)) == {folder: 1} and set(moves.begun) == {1}
    with db.connection_context():
        assert Snoozed.select().join(User).where(User.address == person.address).count() == (folder == "Snoozed")


@pytest.mark.parametrize("action", ["delete", "snooze:tomorrow"])
def test_an_undo_clicked_twice_is_done_once(
    windows: list[Visitor], moves: Moves, fill: Fill, imap_of: ImapOf, action: str
) -> None:
    person = windows[0]
    fill(person, message("Un"))
    inbox = person.get("/mailbox/INBOX")
    done = person.submit(inbox, "form#messages", action=action, uids=inbox.one("[name=uids]")["value"])
    moves.expect(AT_ONCE)
    pages = at_once(windows, "/undo", undo=done.one("[name=undo]")["value"])
    assert sorted("Undone for 1 message" in page.notices for page in pages) == [False] * (AT_ONCE - 1) + [True]
    assert where(imap_of(person.address)) == {"INBOX": 1} and moves.begun == [1]


def test_an_undo_of_which_nothing_could_be_done_is_offered_again(
    person: Visitor, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object) -> None:
        raise ServerAwayError("gone")

    fill(person, message("Un"))
    inbox = person.get("/mailbox/INBOX")
    done = person.submit(inbox, "form#messages", action="delete", uids=inbox.one("[name=uids]")["value"])
    with monkeypatch.context() as patch:
        patch.setattr(imap.actions, "move_back", away)
        assert person.submit(done, "#notices form").status == 502
    assert "Undone for 1 message" in person.submit(done, "#notices form").notices


@pytest.mark.parametrize("begun", ["held", "copied"])
def test_the_undo_of_a_snooze_leaves_what_is_coming_back_already(
    person: Visitor, fill: Fill, imap_of: ImapOf, begun: str
) -> None:
    fill(person, message("Un"), message("Deux"))
    inbox = person.get("/mailbox/INBOX")
    uids = [box["value"] for box in inbox.all("[name=uids]")]
    done = person.submit(inbox, "form#messages", action="snooze:tomorrow", uids=uids)
    with db.connection_context():
        rows = list(Snoozed.select().join(User).where(User.address == person.address))
        change = {"lease": now() + timedelta(minutes=1)} if begun == "held" else {"target_uidnext": 1}
        Snoozed.update(change).where(Snoozed.id == rows[0].id).execute()
    assert "Undone for 1 message" in person.submit(done, "#notices form").notices
    assert where(imap_of(person.address)) == {"INBOX": 1, "Snoozed": 1}
    with db.connection_context():
        assert [row.id for row in Snoozed.select().join(User).where(User.address == person.address)] == [rows[0].id]
        assert snooze_leases.lease(rows[0]) == (begun == "copied")


def test_who_waits_too_long_for_a_turn_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_lock, "PATIENCE", 0.05)
    told: list[str] = []

    def second(user_id: int) -> None:
        try:
            with user_lock.user_lock(user_id):
                told.append("done")
        except ServerAwayError:
            told.append("away")

    with user_lock.user_lock(1):
        for user_id in (1, 2):
            thread = threading.Thread(target=second, args=(user_id,))
            thread.start()
            thread.join()
    second(1)
    assert told == ["away", "done", "done"] and not user_lock._turns
