"""The next events with somebody."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from webmail import create_app
from webmail.calendar import meetings, objects
from webmail.collections import store as collections
from webmail.database.connection import db
from webmail.models import Collection, User

BOB = (
    "ATTENDEE;CN=Bob;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT;RSVP=TRUE:mailto:b\r\n ob@lycee.example"  # folded in the address
)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    made = create_app(tmp_path / "instance", sign_in="accounts", domain="lycee.example", secure_cookies=False)
    with db.connection_context():
        yield made
    db.obj.close()


@pytest.fixture
def alice(app: Flask) -> User:
    return User.create(address="alice@lycee.example", local="alice", domain="lycee.example", name="Alice")


def put(calendar: Collection, uid: str, start: str, *lines: str) -> None:
    inside = ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", start, f"SUMMARY:{uid}", *lines, "END:VEVENT"]
    text = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *inside, "END:VCALENDAR", ""])
    with db.atomic():
        objects.write(calendar.id, f"{uid}.ics", text, objects.prepared(text, UTC), None)


def at(days: int) -> str:
    return f"DTSTART:{datetime.now(UTC) + timedelta(days=days):%Y%m%dT%H%M%SZ}"


def names(user: User, *addresses: str, most: int = 5) -> list[str]:
    return [one.summary for one in meetings.next_with(user, addresses, most)]


def test_the_next_ones_come_first_and_those_that_are_over_not_at_all(alice: User) -> None:
    calendar = collections.default_collection(alice, collections.CALENDAR)
    put(calendar, "later", at(9), "DURATION:PT1H", BOB)
    put(calendar, "soon", at(2), "DURATION:PT1H", BOB)
    put(calendar, "over", at(-2), "DURATION:PT1H", BOB)
    put(calendar, "with others", at(1), "ATTENDEE:mailto:eve@lycee.example")
    put(calendar, "alone", at(1))
    put(calendar, "theirs", at(3), "ORGANIZER:MAILTO:Bob@Lycee.example")
    put(calendar, "cancelled", at(4), "STATUS:CANCELLED", BOB)
    assert names(alice, "bob@lycee.example") == ["soon", "theirs", "later"]
    assert names(alice, "bob@lycee.example", most=1) == ["soon"]
    assert names(alice) == []


def test_one_that_recurs_is_told_once_with_its_next_time(alice: User) -> None:
    calendar = collections.default_collection(alice, collections.CALENDAR)
    put(calendar, "weekly", at(-20), "DURATION:PT1H", "RRULE:FREQ=WEEKLY", BOB)
    [one] = meetings.next_with(alice, ["bob@lycee.example"], 5)
    assert time.time() < one.begins.timestamp() < time.time() + 7 * 86_400
    assert one.at
    assert one.day is None


def test_whole_days_are_told_as_days(alice: User) -> None:
    tomorrow = date.today() + timedelta(days=2)
    put(collections.default_collection(alice, collections.CALENDAR), "trip", f"DTSTART;VALUE=DATE:{tomorrow:%Y%m%d}", BOB)
    assert [one.day for one in meetings.next_with(alice, ["bob@lycee.example"], 5)] == [tomorrow]


def test_only_calendars_of_ones_own_are_looked_at(alice: User) -> None:
    bob = User.create(address="bob@lycee.example", local="bob", domain="lycee.example", name="Bob")
    put(collections.default_collection(bob, collections.CALENDAR), "his", at(2), BOB)
    assert names(alice, "bob@lycee.example") == []
