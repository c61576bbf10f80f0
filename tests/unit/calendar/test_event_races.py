"""Several at once: of changes that began from the same version one wins, undo happens once, a failure leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.auth_app import add
from tests.support.calendar_ground import calendar_of, put
from webmail.calendar import editing
from webmail.calendar.editing import Write
from webmail.calendar.objects import UidTakenError
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import CalendarObject, Collection, GoneItem, Occurrence, User

AT_ONCE = 4


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance") as made:
        add("alice@lycee.example")
        put(calendar_of(), "Conseil", ":20261208T160000Z", ":20261208T180000Z")
        yield made


def settings(app: Flask) -> Settings:
    return app.extensions["settings"]


def user() -> User:
    return User.get(User.address == "alice@lycee.example")


def at_once(act: Callable[[int], object]) -> list[object]:
    """What each of several threads got, or the exception."""
    gate = Barrier(AT_ONCE)

    def one(number: int) -> object:
        gate.wait(10)
        with db.connection_context():
            try:
                return act(number)
            except Exception as error:
                return error

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(one, range(AT_ONCE)))


def test_one_of_several_changes_wins(app):
    row = CalendarObject.get()
    alice = user()

    def change(number: int) -> object:
        text = row.text.replace("SUMMARY:Conseil", f"SUMMARY:{number}")
        return editing.write(alice, [Write(row.collection_id, row.href, text, row.etag)], settings(app))

    answers = at_once(change)
    won = [number for number, one in enumerate(answers) if not isinstance(one, Exception)]
    assert len(won) == 1 and sum(isinstance(one, editing.EventChangedElsewhereError) for one in answers) == AT_ONCE - 1
    assert f"SUMMARY:{won[0]}" in CalendarObject.get().text and Occurrence.get().summary == str(won[0])


def test_undo_happens_once(app):
    row, alice = CalendarObject.get(), user()
    done = editing.write(alice, [Write(row.collection_id, row.href, "", row.etag)], settings(app))
    name = editing.offer_undo(alice, done)
    answers = at_once(lambda _number: editing.undo(alice, name, settings(app)))
    assert sorted(map(str, answers)) == ["False"] * (AT_ONCE - 1) + ["True"]
    assert CalendarObject.get().text == row.text and CalendarObject.select().count() == 1


def test_all_of_it_is_done_or_nothing(app):
    row, alice, calendar = CalendarObject.get(), user(), calendar_of()
    other = calendar_of(name="work")
    put(other, "Conseil", ":20261208T160000Z", ":20261208T180000Z")
    before = Collection.get_by_id(calendar.id).seq
    with pytest.raises(UidTakenError):  # the second step fails after the first was done
        editing.write(alice, [Write(calendar.id, row.href, "", row.etag), Write(other.id, "new.ics", row.text)], settings(app))
    assert CalendarObject.select().count() == 2 and not GoneItem.select().count()
    assert Collection.get_by_id(calendar.id).seq == before and Occurrence.select().count() == 2


def test_rights_are_asked_for_while_writing(app):
    add("bob@lycee.example")
    row = CalendarObject.get()
    bob = User.get(User.address == "bob@lycee.example")
    for write in (
        Write(row.collection_id, row.href, "", row.etag),
        Write(row.collection_id, "new.ics", row.text.replace("UID:", "UID:x")),
    ):
        with pytest.raises(editing.NotWritableError):
            editing.write(bob, [write], settings(app))
    ground.share(calendar_of(), "bob", "read")
    with pytest.raises(editing.NotWritableError):
        editing.write(bob, [Write(row.collection_id, row.href, "", row.etag)], settings(app))
    assert CalendarObject.select().count() == 1
