"""Pieces: many writes, every item once, in order, and never long in one go."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import peewee as pw
import pytest

from tests.support import write_locks
from webmail import audit
from webmail.compose.outbox import delivery
from webmail.config import settings as config
from webmail.contacts import store, undo
from webmail.contacts.imports import import_task, merge
from webmail.database import pieces
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.errors import LimitReachedError
from webmail.models import AuditEntry, Contact, Outbox, OutboxState, Task, TaskState, Undo, User, now
from webmail.storage import open_storage
from webmail.tasks import store as tasks
from webmail.tasks import undo_steps
from webmail.tasks.runner import TaskRunner

CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u{0}\r\nFN:Person {0}\r\nEMAIL:p{0}@ailleurs.example\r\n{1}END:VCARD\r\n"
COUNT = 300
LONGEST = 0.4  # seconds of computing under the lock; in one piece it was several, and what is aimed at is an eighth


@pytest.fixture
def settings(tmp_path: Path):
    loaded = config.load(tmp_path / "instance")
    open_database(loaded.database_url)
    migrate()
    with db.connection_context():
        yield loaded
    db.obj.close()


@pytest.fixture
def alice(settings) -> User:
    return User.create(address="alice@lycee.example", local="alice", domain="lycee.example")


@pytest.fixture
def held(monkeypatch):
    with write_locks.held(monkeypatch) as times:
        yield times


def cards(more: str = "") -> str:
    return "".join(CARD.format(number, more.format(number)) for number in range(COUNT))


def pieces_of(held: list[float]) -> int:
    """In how many pieces something was written, none of which was long."""
    count, longest = len(held), max(held, default=0)
    held.clear()
    assert longest < LONGEST
    return count


# --- how large -------------------------------------------------------------------------------------------------------


def test_every_item_comes_once_and_in_order(monkeypatch):
    monkeypatch.setattr(pieces, "give_way", lambda _took: None)
    for count in (0, 1, 49, 50, 51, 1234):
        found = list(pieces.in_pieces(range(count)))
        assert [one for piece in found for one in piece] == list(range(count))
        assert all(len(piece) <= 500 for piece in found)


@pytest.mark.parametrize(
    ("size", "took", "following"), [(50, 0.05, 50), (50, 0.5, 5), (50, 0.0, 100), (400, 0.0, 500), (1, 9.0, 1)]
)
def test_a_piece_is_as_large_as_could_be_written_in_time(size, took, following):
    assert pieces.next_size(size, took) == following


def test_others_get_as_much_time_as_was_taken(monkeypatch):
    slept = []
    monkeypatch.setattr(pieces.time, "sleep", slept.append)
    for took in (0.001, 0.1, 30.0):
        pieces.give_way(took)
    assert slept == [0.1, 0.2]


# --- who writes much -------------------------------------------------------------------------------------------------


def test_contacts_come_in_are_completed_and_taken_back_in_pieces(settings, alice, held):
    """By a worker; then undone by the person."""
    results, done = [], []
    for more in ("", "TEL:+33 4 72 {0:04d}\r\n"):
        task_id = tasks.new_id()
        open_storage(settings).put(import_task.file_name(task_id), [cards(more).encode()])
        tasks.start(alice, import_task.NAME, {"name": "all.vcf"}, task_id=task_id)
        assert TaskRunner((import_task.KIND,), settings, "w").run_one()
        task = Task.get_by_id(task_id)
        assert task.state == TaskState.DONE
        results.append(json.loads(task.result))
        done.append(task)
        assert pieces_of(held) >= COUNT // 40
    assert (results[0]["added"], results[1]["merged"]) == (COUNT, COUNT)
    assert undo_steps.undo_now(done[1], undo.take_back, settings) == COUNT
    assert pieces_of(held) >= 3
    assert "TEL" not in "".join(card for (card,) in Contact.select(Contact.vcard).tuples())
    assert undo_steps.undo_now(done[0], undo.take_back, settings) == COUNT
    assert pieces_of(held) >= 3
    assert Contact.select().count() == 0


def test_contacts_that_somebody_waits_for_come_in_pieces(settings, alice, held):
    taken = merge.apply(alice, merge.plan(alice, cards()))
    assert len(taken.added) == COUNT and pieces_of(held) >= 3
    taken = merge.apply(alice, merge.plan(alice, cards("TEL:+33 4 72 {0:04d}\r\n")))
    assert (taken.merged, len(taken.before)) == (COUNT, COUNT) and pieces_of(held) >= 3


def test_nothing_comes_in_of_what_would_be_too_many(settings, alice, monkeypatch):
    monkeypatch.setattr(store, "MOST", COUNT - 1)
    with pytest.raises(LimitReachedError):
        merge.apply(alice, merge.ImportPlan(fresh=[CARD.format(number, "") for number in range(COUNT)]))
    assert Contact.select().count() == 0


def test_an_undo_that_breaks_off_is_gone_on_with(settings, alice, monkeypatch):
    taken = merge.apply(alice, merge.plan(alice, cards()))
    name = undo.offer(alice, taken.before)
    remove, calls = store.remove, []

    def away(user, uids, **more):
        calls.append(len(uids))
        if len(calls) == 3:
            raise pw.OperationalError("database is locked")
        return remove(user, uids, **more)

    monkeypatch.setattr(store, "remove", away)
    with pytest.raises(pw.OperationalError):
        undo.undo(alice, name)
    done = sum(calls[:2])
    assert (Contact.select().count(), Undo.select().count()) == (COUNT - done, 1)
    assert undo.undo(alice, name) == COUNT - done
    assert (Contact.select().count(), Undo.select().count()) == (0, 0)


def test_old_entries_of_the_audit_log_go_in_pieces(settings, held):
    old = now() - timedelta(days=500)
    row = {"at": old, "actor_address": "a@x", "act": "sign-in", "target": "t", "network": "n", "details": "{}"}
    for _ in range(20):
        AuditEntry.insert_many([row] * 200).execute()
    held.clear()
    assert audit.expire(settings) == 4000 and pieces_of(held) >= 8


def test_old_messages_of_the_outbox_go_in_pieces(settings, alice, held):
    old = now() - timedelta(days=500)
    for number in range(700):
        Outbox.insert(
            user=alice, draft=f"{number:032x}", message_id=f"<{number}@x>", sender="a@x", recipients="[]", due=old, created=old,
            state=OutboxState.CANCELLED if number else OutboxState.WAITING, content=os.urandom(20_000),
        ).execute()  # fmt: skip
    held.clear()
    delivery.sweep(settings)
    assert pieces_of(held) >= 5
    delivery.sweep(settings)
    assert [row.draft for row in Outbox.select(Outbox.draft)] == ["0" * 32]
