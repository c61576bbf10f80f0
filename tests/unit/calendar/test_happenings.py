"""What takes place between two days: zones, what lasts long, what recurs beyond the table, what may be seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import PARIS, put
from webmail.calendar.display import crowded_days, happenings
from webmail.calendar.display.day_counts import DaySpan
from webmail.calendar.display.happenings import Found
from webmail.models import CalendarObject, Collection

NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance") as made:
        ground.add("alice@lycee.example")
        yield made


@pytest.fixture
def calendar(app: Flask) -> Collection:
    return ground.calendar_of()


def seen(calendar: Collection, first: str, last: str = "", zone: ZoneInfo = PARIS, rights: str = "own") -> list[str]:
    """Title, and from and until when; of whole days the days."""
    found = happenings.between({calendar.id: rights}, date.fromisoformat(first), date.fromisoformat(last or first), zone, PARIS)
    return [
        f"{one.summary} {one.first}..{one.last}" if one.whole_day else f"{one.summary} {one.begins:%m-%d %H:%M}-{one.ends:%H:%M}"
        for one in found.rows
    ]


def crowded(rights: dict[int, str], first: date, last: date, per_day: int) -> tuple[Found, dict[date, int]]:
    """The events that these days show, and how many each day has."""
    return crowded_days.first_of_each_day(rights, DaySpan(first, last, PARIS, per_day), PARIS, {})


@pytest.mark.parametrize(
    ("start", "end", "zone", "expected"),
    [
        (":20261208T090000Z", ":20261208T100000Z", PARIS, "x 12-08 10:00-11:00"),
        (";TZID=America/New_York:20261208T090000", ";TZID=America/New_York:20261208T100000", PARIS, "x 12-08 15:00-16:00"),
        (":20261208T090000", ":20261208T100000", PARIS, "x 12-08 09:00-10:00"),  # floating: as in the establishment
        (":20261208T090000", ":20261208T100000", NEW_YORK, "x 12-08 03:00-04:00"),
        (";VALUE=DATE:20261208", ";VALUE=DATE:20261209", NEW_YORK, "x 2026-12-08..2026-12-08"),
        (";VALUE=DATE:20261208", "", PARIS, "x 2026-12-08..2026-12-08"),
        (";VALUE=DATE:20261101", ";VALUE=DATE:20270201", PARIS, "x 2026-11-01..2027-01-31"),  # 92 days: by its own index
        (":20261208T110000Z", "", PARIS, "x 12-08 12:00-12:00"),
        (";TZID=Europe/Paris:20261207T230000", ";TZID=Europe/Paris:20261208T010000", PARIS, "x 12-07 23:00-01:00"),
    ],
)
def test_what_a_day_has(calendar, start, end, zone, expected):
    put(calendar, "x", start, end)
    assert seen(calendar, "2026-12-08", zone=zone) == [expected]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (";TZID=Europe/Paris:20261207T220000", ";TZID=Europe/Paris:20261208T000000"),  # it ends as the day begins
        (";TZID=Europe/Paris:20261209T000000", ";TZID=Europe/Paris:20261209T010000"),
        (";VALUE=DATE:20261207", ";VALUE=DATE:20261208"),
        (";VALUE=DATE:20261209", ";VALUE=DATE:20261210"),
    ],
)
def test_what_only_touches_a_day_is_not_of_it(calendar, start, end):
    put(calendar, "x", start, end)
    assert seen(calendar, "2026-12-08") == []


def test_the_same_moment_is_another_day_elsewhere(calendar):
    put(calendar, "x", ":20261208T230000Z", ":20261208T233000Z")
    assert seen(calendar, "2026-12-09") == ["x 12-09 00:00-00:30"]
    assert seen(calendar, "2026-12-08", zone=NEW_YORK) == ["x 12-08 18:00-18:30"]


@pytest.mark.parametrize(
    ("rule", "day", "expected"),
    [
        # at 02:30 each night: it does not exist on 28 March 2027, and comes twice on 31 October
        ("FREQ=DAILY", "2027-03-28", ["x 03-28 03:30-04:00"]),
        ("FREQ=DAILY", "2027-10-31", ["x 10-31 02:30-02:00"]),  # half an hour: until 02:00 by the new time
        ("FREQ=DAILY", "2027-03-29", ["x 03-29 02:30-03:00"]),
    ],
)
def test_nights_on_which_clocks_change(calendar, rule, day, expected):
    put(calendar, "x", ";TZID=Europe/Paris:20270301T023000", "", "DURATION:PT30M", f"RRULE:{rule}")
    assert seen(calendar, day) == expected


def test_what_recurs_further_away_than_the_table_reaches(calendar):
    today = date.today()
    put(calendar, "weekly", f";TZID=Europe/Paris:{today:%Y%m%d}T090000", "", "DURATION:PT1H", "RRULE:FREQ=WEEKLY")
    far = today + timedelta(weeks=5 * 52)
    assert seen(calendar, far.isoformat()) == [f"weekly {far:%m-%d} 09:00-10:00"]
    near_end = date.fromtimestamp(CalendarObject.get().indexed_until)
    found = seen(calendar, str(near_end - timedelta(days=20)), str(near_end + timedelta(days=20)))
    assert len(found) == len(set(found)) and len(found) in (5, 6)  # none twice where the table ends, none missing


def test_what_recurred_long_ago(calendar):
    put(calendar, "old", ";TZID=Europe/Paris:19990105T090000", "", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;UNTIL=20300101T000000Z")
    assert seen(calendar, "1999-01-12") == ["old 01-12 09:00-10:00"]


def test_expanding_is_bounded_in_time(calendar, monkeypatch):
    for number in range(4):
        put(calendar, f"e{number}", ";TZID=Europe/Paris:20260105T090000", "", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    monkeypatch.setattr(happenings, "PATIENCE", -1)
    day = date.today() + timedelta(days=5 * 365)
    found = happenings.between({calendar.id: "own"}, day, day, PARIS, PARIS)
    assert not found.whole and not found.rows


def test_rows_are_bounded(calendar):
    for number in range(4):
        put(calendar, f"e{number}", ":20261208T090000Z")
    day = date(2026, 12, 8)
    found = happenings.between({calendar.id: "own"}, day, day, PARIS, PARIS, most=3)
    assert not found.whole and len(found.rows) == 3


def test_who_may_see_times_alone_sees_no_words(calendar):
    uid = put(calendar, "Secret", ":20261208T090000Z", ":20261208T100000Z", "LOCATION:Paris")
    put(calendar, "Free", ":20261208T110000Z", ":20261208T120000Z", "TRANSP:TRANSPARENT")
    put(calendar, "Off", ":20261208T110000Z", ":20261208T120000Z", "STATUS:CANCELLED")
    day = date(2026, 12, 8)
    [one] = happenings.between({calendar.id: "busy"}, day, day, PARIS, PARIS).rows
    assert (one.summary, one.location, one.href, one.at, one.words) == ("", "", "", "", False)
    assert one.uid != uid and "Secret" not in repr(one)
    assert len(happenings.between({calendar.id: "read"}, day, day, PARIS, PARIS).rows) == 3


def test_other_calendars_are_not_asked(calendar):
    put(ground.calendar_of("alice", "second"), "x", ":20261208T090000Z")
    assert seen(calendar, "2026-12-08") == []
    assert happenings.between({}, date(2026, 12, 8), date(2026, 12, 8), PARIS, PARIS).rows == []


def test_days_are_counted(calendar):
    put(calendar, "a", ";VALUE=DATE:20261207", ";VALUE=DATE:20261210")
    put(calendar, "b", ":20261208T090000Z")
    found, counts = crowded({calendar.id: "own"}, date(2026, 12, 8), date(2026, 12, 31), 0)
    assert found.whole and {day: count for day, count in counts.items() if count} == {date(2026, 12, 8): 2, date(2026, 12, 9): 1}


@pytest.mark.parametrize("rights", ["own", "busy"])
def test_of_a_crowded_day_only_the_first_are_read(calendar, rights):
    for number in range(12):
        put(
            calendar,
            f"e{number:02}",
            f";TZID=Europe/Paris:20261208T{23 - number}0000",
            f";TZID=Europe/Paris:20261208T{23 - number}3000",
        )
    put(calendar, "night", ";TZID=Europe/Paris:20261208T220000", ";TZID=Europe/Paris:20261209T010000")
    put(calendar, "day", ";VALUE=DATE:20261208", "", "TRANSP:OPAQUE")
    put(calendar, "trip", ";VALUE=DATE:20261207", ";VALUE=DATE:20261210", "TRANSP:OPAQUE")
    put(calendar, "free", ";TZID=Europe/Paris:20261208T010000", ";TZID=Europe/Paris:20261208T013000", "TRANSP:TRANSPARENT")
    found, counts = crowded({calendar.id: rights}, date(2026, 12, 7), date(2026, 12, 9), 4)
    free = rights != "busy"
    assert counts == {date(2026, 12, 7): 1, date(2026, 12, 8): 15 + free, date(2026, 12, 9): 2}
    begins = sorted(f"{one.first:%d} {one.begins:%H:%M}" for one in found.rows)
    assert begins == sorted(["08 00:00", "08 01:00" if free else "08 13:00", "08 12:00", "08 22:00", "07 00:00"])


def test_the_next_one(calendar):
    put(calendar, "a", ":20301208T230000Z")
    assert happenings.next_after({calendar.id: "own"}, date(2026, 12, 8), PARIS) == date(2030, 12, 9)
    assert happenings.next_after({calendar.id: "own"}, date(2031, 12, 8), PARIS) is None


def test_the_next_one_is_one_that_may_be_seen(calendar):
    put(calendar, "free", ":20261210T090000Z", "", "TRANSP:TRANSPARENT")
    put(calendar, "busy", ":20261215T090000Z", ":20261215T100000Z")
    other = ground.calendar_of(name="other")
    put(other, "free too", ":20261212T090000Z", "", "TRANSP:TRANSPARENT")
    assert happenings.next_after({calendar.id: "busy"}, date(2026, 12, 8), PARIS) == date(2026, 12, 15)
    assert happenings.next_after({calendar.id: "busy", other.id: "read"}, date(2026, 12, 8), PARIS) == date(2026, 12, 12)


def test_both_questions_are_answered_by_an_index(calendar):
    """What a page asks grows with what it shows, not with the years that a calendar has."""
    plans = ground.plans_of(happenings.between, {calendar.id: "own"}, date(2026, 12, 1), date(2026, 12, 31), PARIS, PARIS)
    assert len(plans) == 2
    assert "occurrences_long" in plans[0] and "collection_id=? AND start>? AND start<?" in plans[0], plans[0]
    assert "calendar_objects_recurring" in plans[1] and "indexed_until<?" in plans[1], plans[1]


@pytest.mark.parametrize("rights", ["own", "busy"])
def test_days_are_counted_from_an_index_alone(calendar, rights):
    plan = ground.plans_of(crowded, {calendar.id: rights}, date(2026, 12, 1), date(2026, 12, 31), 4)[0]
    assert plan.count("SEARCH") == plan.count("USING COVERING INDEX occurrences_") >= 2, plan
