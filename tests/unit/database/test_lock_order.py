"""The order in which rows are locked: what several do at the same moment on PostgreSQL is done by all of them, once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import peewee as pw
import pytest
from flask import Flask

from tests.support.auth_app import add
from tests.support.calendar_ground import PARIS, calendar_of
from tests.support.interleaved import application, at_once
from tests.support.transfer_ground import published
from webmail.admin import account_deletion
from webmail.auth.recovery import deputies
from webmail.calendar import editing, objects
from webmail.calendar.editing import Write
from webmail.calendar.notifications import reminders as calendar_letters
from webmail.calendar.reminders import reminder_rows, reminders
from webmail.collections import store, trash
from webmail.database import again
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.dav import item_writes
from webmail.dav.deletion import restore
from webmail.models import CalendarObject, ShownReminder, TransferRecipient, TrashedItem, User
from webmail.transfers import changes as transfer_changes

pytestmark = pytest.mark.postgresql
START = int(time.time()) + 3600


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with application(tmp_path_factory.mktemp("order") / "instance") as made:
        yield made


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is begun again: the order alone has to do."""
    monkeypatch.setattr(again, "_PAUSES", ())


def person(local: str, **values: object) -> User:
    add(f"{local}@lycee.example")
    User.update(second_step=1, **values).where(User.address == f"{local}@lycee.example").execute()
    return User.get(User.address == f"{local}@lycee.example")


def event(uid: str, title: str = "Conseil") -> str:
    start = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(START))
    alarm = ["BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT10M", "END:VALARM"]
    inside = ["BEGIN:VEVENT", f"UID:{uid}", f"DTSTART:{start}", f"SUMMARY:{title}", *alarm, "END:VEVENT"]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *inside, "END:VCALENDAR", ""])


def with_events(local: str, count: int = 2) -> list[CalendarObject]:
    calendar = calendar_of(local)
    with db.atomic():
        for number in range(count):
            text = event(f"{local}-{number}")
            objects.write(calendar.id, f"{number}.ics", text, objects.prepared(text, PARIS), None)
    return list(CalendarObject.select().where(CalendarObject.collection == calendar).order_by(CalendarObject.id))


def sweep(app: Flask) -> None:
    settings = app.extensions["settings"]
    with app.app_context():
        reminders.sweep(settings, calendar_letters.reminder_writer(settings), START - 500)


@pytest.mark.parametrize("title", ["Moved", ""])
def test_reminders_are_sent_while_their_events_are_changed_or_deleted(app, once, monkeypatch, title):
    local = f"reminded{len(title)}"
    alice = person(local)
    rows = with_events(local)
    last_first = [Write(one.collection_id, one.href, title and event(one.uid, title), one.etag) for one in reversed(rows)]
    edit = partial(editing.write, alice, last_first, app.extensions["settings"])
    at_once(monkeypatch, edit, 'INSERT INTO "next_reminders"' if title else 'DELETE FROM "calendar_objects"', lambda: sweep(app))
    sweep(app)
    assert ShownReminder.select().where(ShownReminder.user == alice).count() == (2 if title else 0)


def test_another_hour_is_chosen_while_reminders_are_sent(app, once, monkeypatch):
    alice = person("hours")
    with_events("hours", 3)
    at_once(monkeypatch, lambda: sweep(app), 'UPDATE "next_reminders"', lambda: reminder_rows.look_again(alice))
    assert ShownReminder.select().where(ShownReminder.user == alice).count() == 3


def test_deputies_who_help_each_other_do_so_one_after_the_other(app, once, monkeypatch):
    one, other = person("first-helper", role="admin"), person("second-helper", role="admin")
    settings = app.extensions["settings"]

    def help_them(helper: User, whom: User) -> None:
        with pytest.raises(deputies.NotHelpedError):  # administrators don't; that is known once both are held
            deputies.remove_factors(helper, whom.id, "lost", settings)

    at_once(monkeypatch, lambda: help_them(one, other), 'UPDATE "accounts"', lambda: help_them(other, one))


def test_an_event_comes_back_while_its_calendar_goes(app, once, monkeypatch):
    alice = person("restoring")
    calendar_of("restoring")
    rows = with_events("restoring", 1)
    calendar = rows[0].collection
    calendar_of("restoring", "work")
    with db.atomic():
        store.lock([calendar.id])
        item_writes.trash(calendar, rows, alice.address, "Phone")
    numbers = trash.numbers_of(alice, TrashedItem.get(TrashedItem.user == alice).batch)
    back = partial(restore.restore, alice, numbers, app.extensions["settings"])

    def delete() -> None:
        with db.atomic():
            store.lock([calendar.id])
            item_writes.trash_all(calendar, alice.address, "Phone")

    at_once(monkeypatch, delete, 'SELECT "t1"."id" FROM "collections"', back)
    there = CalendarObject.select().join(store.Collection).where(store.Collection.user == alice).count()
    assert there + TrashedItem.select().where(TrashedItem.user == alice).count() == 1


def test_an_account_goes_while_a_recipient_is_removed(app, once, monkeypatch):
    person("administrator", role="admin")
    leaver = person("leaver")
    settings = app.extensions["settings"]
    transfer = published(leaver, {"a.txt": b"x"}, settings, recipients=[("R", "r@example.org")])
    recipient = TransferRecipient.get(TransferRecipient.transfer == transfer)
    remove = partial(transfer_changes.remove_person, recipient)
    at_once(monkeypatch, remove, 'UPDATE "transfer_recipients"', lambda: account_deletion.delete(leaver, settings))
    assert not User.select().where(User.id == leaver.id).exists()


def test_what_the_database_ends_is_begun_again(app, monkeypatch):
    """Two transactions that wait for each other: a real deadlock, once."""
    names, both, tries = [person("left").id, person("right").id], Barrier(2), []

    @begun_again
    def rename(numbers: list[int]) -> None:
        tries.append(numbers)
        with db.atomic():
            for number in numbers:
                User.update(name=User.name + "x").where(User.id == number).execute()
                if len(tries) <= 2 and number == numbers[0]:
                    both.wait(10)

    def one(numbers: list[int]) -> None:
        with db.connection_context():
            rename(numbers)

    before = {row.id: row.name for row in User.select().where(User.id.in_(names))}
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(one, [names, names[::-1]]))
    assert len(tries) == 3
    assert {row.id: row.name for row in User.select().where(User.id.in_(names))} == {k: f"{v}xx" for k, v in before.items()}


def test_within_another_transaction_nothing_is_begun_again(app):
    tries = []

    class Ended(Exception):
        sqlstate = "40P01"

    @begun_again
    def work() -> None:
        tries.append(1)
        error = pw.OperationalError("deadlock detected")
        error.orig = Ended()
        raise error

    with pytest.raises(pw.OperationalError), db.atomic():
        work()
    assert len(tries) == 1
    tries.clear()
    with pytest.raises(pw.OperationalError):
        work()
    assert len(tries) == 3
