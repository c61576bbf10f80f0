"""The event of an absence: it comes, changes and goes with it, where the person chose that; and colleagues are told."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from flask import Flask

from tests.support.calendar_ground import PARIS, calendar_of
from tests.support.visits import Visitor
from webmail import preferences
from webmail.calendar.free_busy import absence_event, busy_people
from webmail.filters.absence import absence_copy
from webmail.filters.absence.absence import Absence
from webmail.mail import Address
from webmail.models import CalendarObject, User

DAY = timedelta(days=1)
FIRST = datetime.combine(date.today() + 3 * DAY, time(), PARIS)
AWAY = Absence(True, FIRST, FIRST + 4 * DAY, text="Absente")


@pytest.fixture
def here(app: Flask, alice: Visitor, bob: Visitor):
    with app.app_context():
        preferences.change(user(), absence_shown=True)
        yield app


def user(name: str = "bob") -> User:
    return User.get(User.address == f"{name}@lycee.example")


def away(absence: Absence, app: Flask) -> None:
    absence_copy.keep_times(user(), absence, app.extensions["settings"])


def events() -> list[str]:
    rows = CalendarObject.select().where(CalendarObject.collection == calendar_of("bob")).order_by(CalendarObject.id)
    return [row.text for row in rows]


def test_it_is_of_whole_days_changes_and_goes_with_the_absence(here):
    away(AWAY, here)
    [text] = events()
    assert f"DTSTART;VALUE=DATE:{FIRST:%Y%m%d}" in text and f"DTEND;VALUE=DATE:{FIRST + 4 * DAY:%Y%m%d}" in text
    assert "TRANSP:OPAQUE" in text and "X-MICROSOFT-CDO-BUSYSTATUS:OOF" in text
    uid = CalendarObject.get().uid
    away(Absence(True, FIRST + timedelta(hours=8), FIRST + 5 * DAY, text="x"), here)
    [text] = events()
    assert f"DTSTART:{(FIRST + timedelta(hours=8)).astimezone(UTC):%Y%m%dT%H%M%SZ}" in text and CalendarObject.get().uid == uid
    away(Absence(text="x"), here)
    assert events() == [] and preferences.for_user(user()).absence_event == ""


def test_one_that_ends_early_ends_in_the_calendar_and_one_that_is_over_stays(here):
    start = datetime.now(UTC).replace(second=0, microsecond=0) - 2 * DAY
    away(Absence(True, start, start + 9 * DAY, text="x"), here)
    away(Absence(text="x"), here)
    [text] = events()
    assert f"DTSTART:{start:%Y%m%dT%H%M%SZ}" in text and f"DTEND:{start + 2 * DAY:%Y%m%dT%H}" in text
    away(AWAY, here)
    assert len(events()) == 2


def test_what_the_person_deleted_is_not_put_back(here):
    away(AWAY, here)
    CalendarObject.delete().execute()
    absence_event.keep(user(), here.extensions["settings"])
    assert events() == []


def test_without_an_end_or_the_choice_there_is_none(here):
    away(Absence(True, FIRST, None, text="x"), here)
    assert events() == []
    preferences.change(user(), absence_shown=False)
    away(AWAY, here)
    assert events() == []


def test_colleagues_are_told_and_find_no_time_then(here):
    away(AWAY, here)
    bounds = int(FIRST.timestamp()), int((FIRST + DAY).timestamp())
    settings = here.extensions["settings"]
    [found] = busy_people.times_of(user("alice"), [Address("", "bob@lycee.example")], *bounds, PARIS, settings)
    assert busy_people.ABSENT in [one.level for one in found.spans]
    preferences.change(user(), absence_shown=False)
    [found] = busy_people.times_of(user("alice"), [Address("", "bob@lycee.example")], *bounds, PARIS, settings)
    assert busy_people.ABSENT not in [one.level for one in found.spans]


def test_the_grid_says_so_in_words(here, alice):
    away(AWAY, here)
    day = f"{FIRST:%Y-%m-%d}"
    values = {"title": "x", "start": day, "start_hour": "09:00", "end": day, "end_hour": "10:00", "invite": "bob"}
    page = alice.submit(alice.get("/calendar/events/new"), "form[data-event-form]", **values, action="find")
    assert "Out of office" in next(row.get_text() for row in page.soup.select("tbody tr") if "bob@" in row.get_text())
    week = alice.get(page.link("Week"))
    assert "Out of office" in next(row.get_text() for row in week.soup.select("tbody tr") if "bob@" in row.get_text())
