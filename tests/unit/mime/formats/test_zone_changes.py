"""Zones that a text defines itself: as the library follows them, at a small part of the cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from io import StringIO

import pytest
from dateutil import tz

from tests.support.cpu_time import cpu_seconds
from webmail.mime.formats.calendars import calendar_object
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.recurrence import event_expansion
from webmail.mime.formats.zones import zone_transitions

PARIS = [
    ("STANDARD", "0300", "+0200", "+0100", "BYMONTH=10;BYDAY=-1SU"),
    ("DAYLIGHT", "0200", "+0100", "+0200", "BYMONTH=3;BYDAY=-1SU"),
]
NEW_YORK = [
    ("DAYLIGHT", "0200", "-0500", "-0400", "BYMONTH=3;BYDAY=2SU"),
    ("STANDARD", "0200", "-0400", "-0500", "BYMONTH=11;BYDAY=1SU"),
]

CHANGES = [datetime(2026, *day) for day in ((3, 8), (3, 29), (10, 25), (11, 1))]  # of both


def zone_text(observances: list[tuple[str, str, str, str, str]]) -> str:
    lines = ["BEGIN:VTIMEZONE", "TZID:Own"]
    for kind, at, before, after, rule in observances:
        lines += [f"BEGIN:{kind}", f"DTSTART:19700101T{at}00", f"TZOFFSETFROM:{before}", f"TZOFFSETTO:{after}"]
        lines += [f"RRULE:FREQ=YEARLY;{rule}", f"END:{kind}"]
    return "\r\n".join([*lines, "END:VTIMEZONE", ""])


def series(zone: str, rule: str, start: str = "20260105T100000") -> str:
    event = [
        "BEGIN:VEVENT",
        "UID:z",
        "DTSTAMP:20260101T000000Z",
        f"DTSTART;TZID=Own:{start}",
        "DURATION:PT1H",
        rule,
        "END:VEVENT",
    ]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", zone.strip(), *event, "END:VCALENDAR", ""])


@pytest.mark.parametrize("observances", [PARIS, NEW_YORK], ids=["Paris", "New York"])
def test_each_quarter_of_an_hour_around_a_change_is_as_dateutil_has_it(observances: list[tuple[str, str, str, str, str]]) -> None:
    text = zone_text(observances)
    ours = zone_transitions.zone_from_definition(text)
    theirs: tzinfo = tz.tzical(StringIO(text)).get()  # type: ignore[assignment]
    at = datetime(2026, 3, 1)
    while at < datetime(2026, 11, 20):
        for fold in (0, 1):
            there = tz.datetime_exists(at.replace(tzinfo=theirs)) and (not fold or tz.datetime_ambiguous(at, theirs))
            if there:
                assert ours.utcoffset(at.replace(fold=fold)) == theirs.utcoffset(at.replace(fold=fold)), (at, fold)
        moment = at.replace(tzinfo=UTC)
        assert (shown := moment.astimezone(ours)).replace(tzinfo=None) == moment.astimezone(theirs).replace(tzinfo=None), at
        assert shown.astimezone(UTC) == moment, at
        at += timedelta(minutes=15) if any(abs(at - change) < timedelta(hours=30) for change in CHANGES) else timedelta(hours=6)


def test_a_series_that_goes_on_for_centuries_in_a_zone_of_many_rules_takes_a_moment() -> None:
    text = series(
        zone_text([(*one[:4], f"BYMONTH={month};BYDAY=1SU") for one in PARIS for month in range(1, 11)]), "RRULE:FREQ=WEEKLY"
    )
    start = int(datetime(2300, 1, 1, tzinfo=UTC).timestamp())
    with cpu_seconds(2.0):
        assert event_expansion.expanded(text, start, start + 30 * 86_400, UTC)[1] == 5


def test_a_zone_of_a_hundred_rules_is_nobodys() -> None:
    text = zone_text(
        [(*one[:4], f"BYMONTH={month};BYDAY={day}SU") for one in PARIS for month in range(1, 13) for day in range(1, 6)]
    )
    with pytest.raises(UnusableCalendarError):
        calendar_object.read(series(text, "RRULE:FREQ=WEEKLY"))
    with pytest.raises(zone_transitions.TooManyChangesError):
        zone_transitions.zone_from_definition(text)
