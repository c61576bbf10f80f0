"""Objects that would take for ever, as imports, subscriptions and other servers bring them: kept as sent, shown once; all pages open."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.cpu_time import cpu_seconds
from webmail.calendar import objects
from webmail.calendar.files import importing
from webmail.calendar.objects import TooMuchAskedError
from webmail.database.connection import db
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.models import CalendarObject, Occurrence

HEAD = "BEGIN:VEVENT\r\nUID:bomb\r\nDTSTART:20261208T090000Z\r\nDURATION:PT1H\r\nSUMMARY:Bombe\r\n"
OTHER = "BEGIN:VEVENT\r\nUID:bomb\r\nRECURRENCE-ID:20261209T090000Z\r\nDTSTART:20261210T090000Z\r\nEND:VEVENT\r\n"
ALARM = "BEGIN:VALARM\r\nTRIGGER:PT0S\r\nEND:VALARM\r\n"
BOMBS = {
    "each second": f"{HEAD}RRULE:FREQ=SECONDLY\r\nEND:VEVENT\r\n",
    "each second since the year 1": f"{HEAD}RRULE:FREQ=SECONDLY\r\nRDATE:00010101T000000Z\r\nEND:VEVENT\r\n",
    "never": f"{HEAD}RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\r\nEND:VEVENT\r\n",
    "an interval of 0": f"{HEAD}RRULE:FREQ=DAILY;INTERVAL=0\r\nEND:VEVENT\r\n",
    "exceptions": f"{HEAD}RRULE:FREQ=DAILY\r\nEXDATE:{','.join(['20261209T090000Z'] * 50_000)}\r\nEND:VEVENT\r\n",
    "lines of exceptions": HEAD + "RRULE:FREQ=DAILY\r\n" + "EXDATE:20261209T090000Z\r\n" * 35_000 + "END:VEVENT\r\n",
    "alarms": HEAD + ALARM * 18_000 + "END:VEVENT\r\n",
    "changed ones": HEAD + "RRULE:FREQ=DAILY\r\nEND:VEVENT\r\n" + OTHER * 8_000,
    "changed ones before it": OTHER * 8_000 + HEAD + "RRULE:FREQ=DAILY\r\nEND:VEVENT\r\n",
    "components in components": HEAD + "BEGIN:VALARM\r\n" * 30_000 + "END:VALARM\r\n" * 30_000 + "END:VEVENT\r\n",
    "two rules": f"{HEAD}RRULE:FREQ=DAILY\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\n",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with ground.application(tmp_path_factory.mktemp("bombs")) as made:
        ground.person(made)
        yield made


@pytest.mark.parametrize("kind", BOMBS)
def test_it_is_shown_once_and_everything_opens(app: Flask, kind: str) -> None:
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{BOMBS[kind]}END:VCALENDAR\r\n"
    calendar, alice = ground.calendar_of(), ground.signed_in(app)
    with cpu_seconds(0.5, kind), pytest.raises(UnusableCalendarError):
        objects.prepared(text, ground.PARIS)
    with cpu_seconds(1.5, kind), db.atomic():
        row = objects.write(calendar.id, "bomb.ics", text, objects.prepared(text, ground.PARIS, once=True), None)
    try:
        assert CalendarObject.get_by_id(row.id).text == text
        assert [one.summary for one in Occurrence.select().where(Occurrence.object == row.id)] == ["Bombe"]
        with cpu_seconds(3.0, kind):
            assert "Bombe" in alice.get("/calendar/month/2026-12").text
            page = alice.get(f"/calendar/events/{calendar.id}/bomb.ics")
        assert page.status == 200 and "Bombe" in page.text
    finally:
        with db.atomic():
            objects.take_out(calendar.id, [row])


# --- rules that are allowed, but take their time ---------------------------------------------------------------------


def series(number: int, start: str, *lines: str) -> str:
    inside = [f"UID:{number}", f"DTSTART;TZID=Europe/Paris:{start}", "SUMMARY:Cours", *lines]
    return "\r\n".join(["BEGIN:VEVENT", *inside, "END:VEVENT", ""])


def file_of(*events: str) -> bytes:
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{''.join(events)}END:VCALENDAR\r\n".encode()


DAILY, WEEKLY, MOVED = "RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY;BYDAY=MO", "RECURRENCE-ID:20261201T080000Z"
FILES = {
    "a timetable": (True, [series(number, "20250901T080000", WEEKLY) for number in range(20)]),
    "twenty birthdays": (True, [series(number, "19700101", "RRULE:FREQ=YEARLY") for number in range(20)]),
    "one daily since 1970": (True, [series(1, "19700101T080000", DAILY)]),
    "two daily since 1970": (False, [series(number, "19700101T080000", DAILY) for number in range(2)]),
    "one with other dates": (False, [series(1, "20000101T080000", DAILY, "RDATE:20260101T080000Z")]),
    "one that was changed": (False, [series(1, "20000101T080000", DAILY), series(1, "20261201T090000", MOVED)]),
    "another that was changed": (True, [series(1, "20000101T080000", DAILY), series(2, "20261201T090000", MOVED)]),
    "a rule before its beginning": (False, ["BEGIN:VEVENT\r\nRRULE:FREQ=DAILY\r\nDTSTART:19700101\r\nEND:VEVENT\r\n" * 2]),
    "what is never expanded": (True, [series(number, "19700101T080000", "RRULE:FREQ=SECONDLY") for number in range(20)]),
}


@pytest.mark.parametrize("kind", FILES)
def test_nobody_waits_for_rules_that_take_long(app: Flask, kind: str) -> None:
    at_once, events = FILES[kind]
    content = file_of(*events)
    assert importing.is_small(content) is at_once
    if at_once:
        calendar = ground.calendar_of()
        with cpu_seconds(1.5, kind):
            importing.plan(content, calendar.id, ground.PARIS, calendar.user)


def test_a_question_beyond_the_table_has_an_end(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    calendar = ground.calendar_of(name="far")
    for number in range(2):
        ground.put_text(calendar, str(number), series(number, "20260101T080000", WEEKLY).strip())
    start = int(time.time()) + 5 * 365 * 86_400
    asked = (calendar.id, start, start + 14 * 86_400, ground.PARIS)
    assert len(objects.events_in(*asked)) == 2 and len(objects.busy_times(*asked)) == 2
    monkeypatch.setattr(objects, "LONGEST_LIVE", -1.0)  # the thread's clock may stand still for a moment
    for question in (objects.events_in, objects.busy_times):
        with pytest.raises(TooMuchAskedError):
            question(*asked)


def test_months_far_away_show_what_recurs_and_name_what_is_too_slow(app: Flask) -> None:
    calendar, alice = ground.calendar_of(name="decades"), ground.signed_in(app)
    weekly = series(1, "20260105T080000", WEEKLY).replace("Cours", "Latin")
    yearly = series(2, "20000612", "RRULE:FREQ=YEARLY").replace(";TZID=Europe/Paris", ";VALUE=DATE").replace("Cours", "Jeanne")
    often = series(3, "20260105T000000", "RRULE:FREQ=HOURLY;INTERVAL=6").replace("Cours", "Relevé")
    for number, text in enumerate((weekly, yearly, often)):
        ground.put_text(calendar, f"far{number}", text.strip())
    for month in ("2038-06", "2050-06"):
        with cpu_seconds(2.0, month):
            page = alice.get(f"/calendar/month/{month}").text
        assert "Latin" in page and "Jeanne" in page, month
        assert "“Relevé” is not shown: it repeats so often" in page, month
    assert "is not shown" not in alice.get("/calendar/month/2026-12").text
