"""Days of a series that are deleted: in the trash as events of their own, out of it again with the undo."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import calendar_of, put, share
from tests.support.calendar_texts import times
from tests.support.visits import Page, Visitor
from webmail.dav.deletion import restore
from webmail.models import CalendarObject, TrashedItem, User

ZONE = ";TZID=Europe/Paris:"
SECOND = "20281211T090000"


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance") as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app)


@pytest.fixture
def course(app: Flask, alice: Visitor) -> str:
    """Four Mondays in December 2028; the address of its events."""
    uid = put(calendar_of(), "Cours", f"{ZONE}20281204T090000", f"{ZONE}20281204T100000", "RRULE:FREQ=WEEKLY;COUNT=4")
    return f"/calendar/events/{calendar_of().id}/{uid}.ics"


def user(local: str = "alice") -> User:
    return User.get(User.address == f"{local}@lycee.example")


def delete(person: Visitor, course: str, scope: str, at: str = SECOND) -> Page:
    return person.submit(person.get(f"{course}/delete?at={at}"), "form[action$='/delete']", scope=scope)


def bring_back(app: Flask, local: str = "alice") -> None:
    restore.restore(user(local), [], app.extensions["settings"])


def all_times() -> list[str]:
    return sorted(one for row in CalendarObject.select() for one in times(row.text))


def test_one_day_comes_back_as_an_event_of_its_own(app, alice, course):
    delete(alice, course, "one")
    assert all_times() == ["2028-12-04 09:00 Cours", "2028-12-18 09:00 Cours", "2028-12-25 09:00 Cours"]
    assert "Cours (Monday 11 December 2028)" in alice.get("/collections/trash").text
    bring_back(app)
    assert len(all_times()) == 4 and all_times()[1] == "2028-12-11 09:00 Cours"
    assert CalendarObject.select().count() == 2 and not TrashedItem.select().exists()
    assert len({row.uid for row in CalendarObject.select()}) == 2
    [alone] = [row for row in CalendarObject.select() if not row.recurring]
    assert not any(word in alone.text for word in ("RRULE", "EXDATE", "RECURRENCE-ID")) and alone.text.count("BEGIN:VEVENT") == 1


def test_a_changed_day_comes_back_as_it_was_changed(app, alice, course):
    form = alice.get(f"{course}/edit?at={SECOND}")
    alice.submit(form, "form[data-event-form]", title="Examen", start_hour="14:00", end_hour="16:00", scope="one", action="save")
    delete(alice, course, "one")
    assert "Examen (Monday 11 December 2028)" in alice.get("/collections/trash").text
    bring_back(app)
    assert "2028-12-11 14:00 Examen" in all_times() and len(all_times()) == 4


def test_this_and_the_following_come_back_as_a_series(app, alice, course):
    delete(alice, course, "following")
    assert all_times() == ["2028-12-04 09:00 Cours"]
    assert "Cours (from Monday 11 December 2028)" in alice.get("/collections/trash").text
    bring_back(app)
    assert len(all_times()) == 4 and CalendarObject.select().where(CalendarObject.recurring == 1).count() == 2


@pytest.mark.parametrize("scope", ["one", "following"])
def test_undo_takes_it_out_of_the_trash(app, alice, course, scope):
    put(calendar_of(), "Autre", f"{ZONE}20281211T090000", "", "RRULE:FREQ=DAILY;COUNT=2")
    other = delete(alice, f"/calendar/events/{calendar_of().id}/Autre--TZID=Europe-Paris-{SECOND}.ics", "one")
    assert "was deleted" in other.notices and TrashedItem.select().count() == 1
    page = delete(alice, course, scope)
    assert TrashedItem.select().count() == 2
    alice.submit(page, "#notices form:has([name=undo])")
    assert [one.title for one in TrashedItem.select()] == ["Autre (Monday 11 December 2028)"]
    assert sum("Cours" in one for one in all_times()) == 4


def test_undo_of_another_change_leaves_the_trash_alone(app, alice, course):
    delete(alice, course, "one")
    page = alice.submit(alice.get(f"{course}/edit"), "form[data-event-form]", title="Séminaire", scope="all", action="save")
    alice.submit(page, "#notices form:has([name=undo])")
    assert all("Cours" in one for one in all_times()) and TrashedItem.select().count() == 1


def test_what_others_take_out_is_in_the_owners_trash(app, alice, course):
    bob = ground.person(app, "bob")
    share(calendar_of(), "bob", "write")
    delete(bob, course, "one")
    assert [(one.user_id, one.by) for one in TrashedItem.select()] == [(user().id, "bob@lycee.example")]
    bring_back(app)
    assert len(all_times()) == 4


def test_the_whole_series_is_there_as_before(app, alice, course):
    delete(alice, course, "all")
    assert [one.title for one in TrashedItem.select()] == ["Cours"]
    bring_back(app)
    assert len(all_times()) == 4 and CalendarObject.select().count() == 1
