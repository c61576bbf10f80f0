"""When events take place, told from RFC 5545: what is written, and the moments that it means (UTC; days of whole-day events)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.calendar_texts import calendar, moment, takings
from webmail.mime.formats.calendars import calendar_object, event_edit
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.calendars.component_tree import parsed
from webmail.mime.formats.recurrence import occurrences
from webmail.mime.formats.zones import calendar_zones
from webmail.mime.formats.zones.zone_cities import zone_shown_as

P = "DTSTART;TZID=Europe/Paris:"
OVER = "RECURRENCE-ID;TZID=Europe/Paris:"
DAYS4 = f"{P}20260601T090000|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=4"
ALL4 = ["06-01T07:00/08:00", "06-02T07:00/08:00", "06-03T07:00/08:00", "06-04T07:00/08:00"]
WITHOUT_2 = [ALL4[0], *ALL4[2:]]


def zone(name: str, standard: str) -> str:
    """A VTIMEZONE with one offset."""
    inside = f"BEGIN:STANDARD|DTSTART:19700101T000000|TZOFFSETFROM:{standard}|TZOFFSETTO:{standard}|END:STANDARD"
    return f"BEGIN:VTIMEZONE|TZID:{name}|{inside}|END:VTIMEZONE"


def told(text: str, start: str = "1996-01-01", end: str = "2036-01-01") -> list[str]:
    """What takes place: "06-01T07:00/08:00", with the day of the end where it is another; with titles."""
    return [_told(one) for one in takings(text, start, end)]


def _told(one: occurrences.Taking) -> str:
    start, end = (datetime.fromtimestamp(at, UTC) for at in (one.start, one.end))
    if one.whole_day:
        return f"{start:%Y-%m-%d}/{(end - start).days} {one.summary}".strip()
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%m-%dT%H:%M}"
    return f"{start:%m-%dT%H:%M}/{until} {one.summary}".strip()


CLOCKS = {
    "02:30 on the night that has none is an hour later": (
        f"{P}20260328T023000|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=3", ["03-28T01:30/02:30", "03-29T01:30/02:30", "03-30T00:30/01:30"],
    ),
    "and lasts as long, with an end by the clock": (
        f"{P}20260328T023000|DTEND;TZID=Europe/Paris:20260328T030000|RRULE:FREQ=DAILY;COUNT=3",
        ["03-28T01:30/02:00", "03-29T01:30/02:00", "03-30T00:30/01:00"],
    ),
    "02:30 on the night that has it twice is the first": (
        f"{P}20261024T023000|DURATION:PT30M|RRULE:FREQ=DAILY;COUNT=3", ["10-24T00:30/01:00", "10-25T00:30/01:00", "10-26T01:30/02:00"],
    ),
    "three hours are three hours in that night": (
        f"{P}20261024T013000|DURATION:PT3H|RRULE:FREQ=DAILY;COUNT=3",
        ["10-23T23:30/10-24T02:30", "10-24T23:30/10-25T02:30", "10-26T00:30/03:30"],
    ),
    "also of one that does not recur": (f"{P}20261025T013000|DURATION:PT3H", ["10-24T23:30/10-25T02:30"]),
    "a day is until the same time of the next (3.3.6)": (f"{P}20260328T120000|DURATION:P1D", ["03-28T11:00/03-29T10:00"]),
    "a day and an hour": (f"{P}20260328T120000|DURATION:P1DT1H", ["03-28T11:00/03-29T11:00"]),
    "an hour that the clock skips is not there twice": (
        f"{P}20260329T010000|DURATION:PT10M|RRULE:FREQ=HOURLY;COUNT=4", ["03-29T00:00/00:10", "03-29T01:00/01:10", "03-29T02:00/02:10"],
    ),
    "a day that an island skips": (
        "DTSTART;TZID=Pacific/Apia:20111229T100000|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=3", ["12-29T20:00/21:00", "12-30T20:00/21:00"],
    ),
    "nine in the morning stays so over the year": (
        f"{P}20260328T090000|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=2", ["03-28T08:00/09:00", "03-29T07:00/08:00"],
    ),
    "in UTC it does not": (
        "DTSTART:20260328T090000Z|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=2", ["03-28T09:00/10:00", "03-29T09:00/10:00"],
    ),
    "without a zone it is where one is": (
        "DTSTART:20260328T090000|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=2", ["03-28T08:00/09:00", "03-29T07:00/08:00"],
    ),
    "a beginning here and an end there": (f"{P}20260701T090000|DTEND;TZID=America/New_York:20260701T090000", ["07-01T07:00/13:00"]),
}  # fmt: skip

LENGTHS = {
    "a day without an end is one": ("DTSTART;VALUE=DATE:20260602", ["2026-06-02/1"]),
    "the end of days is the day after": ("DTSTART;VALUE=DATE:20260602|DTEND;VALUE=DATE:20260605", ["2026-06-02/3"]),
    "days by a duration": ("DTSTART;VALUE=DATE:20260602|DURATION:P2D", ["2026-06-02/2"]),
    "some write the same day as the end": (
        "DTSTART;VALUE=DATE:20260602|DTEND;VALUE=DATE:20260602|RRULE:FREQ=DAILY;COUNT=2", ["2026-06-02/1", "2026-06-03/1"],
    ),
    "once too": ("DTSTART;VALUE=DATE:20260602|DTEND;VALUE=DATE:20260602", ["2026-06-02/1"]),
    "a day without VALUE=DATE": ("DTSTART:20260602|DTEND:20260604", ["2026-06-02/2"]),
    "a time without an end takes none": ("DTSTART:20260602T070000Z", ["06-02T07:00/07:00"]),
    "an end before the beginning": ("DTSTART:20260602T070000Z|DTEND:20260601T070000Z", ["06-02T07:00/07:00"]),
    "less than nothing": ("DTSTART:20260602T070000Z|DURATION:-PT1H|RRULE:FREQ=DAILY;COUNT=1", ["06-02T07:00/07:00"]),
    "both: the end counts": ("DTSTART:20260602T070000Z|DTEND:20260602T080000Z|DURATION:PT3H", ["06-02T07:00/08:00"]),
    "a leap second is the one before (3.3.12)": ("DTSTART:20260602T235960Z|DTEND:20260603T010000Z", ["06-02T23:59/06-03T01:00"]),
}  # fmt: skip

RULES = {
    "the 29th of February": (
        "DTSTART;VALUE=DATE:20240229|RRULE:FREQ=YEARLY;UNTIL=20330101", ["2024-02-29/1", "2028-02-29/1", "2032-02-29/1"],
    ),
    "the last of February": (
        "DTSTART;VALUE=DATE:20240229|RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1;COUNT=3", ["2024-02-29/1", "2025-02-28/1", "2026-02-28/1"],
    ),
    "the 31st leaves months out": (
        "DTSTART;VALUE=DATE:20260131|RRULE:FREQ=MONTHLY;COUNT=3", ["2026-01-31/1", "2026-03-31/1", "2026-05-31/1"],
    ),
    "the last working day": (
        "DTSTART;VALUE=DATE:20260130|RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3",
        ["2026-01-30/1", "2026-02-27/1", "2026-03-31/1"],
    ),
    "the second last weekday (RFC 5545, page 44)": (
        "DTSTART;VALUE=DATE:19970929|RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=3",
        ["1997-09-29/1", "1997-10-30/1", "1997-11-27/1"],
    ),
    "the week in which a year begins": (
        "DTSTART;VALUE=DATE:20251229|RRULE:FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO;COUNT=3", ["2025-12-29/1", "2027-01-04/1", "2028-01-03/1"],
    ),
    "a 53rd week": (
        "DTSTART;VALUE=DATE:20201228|RRULE:FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;COUNT=3", ["2020-12-28/1", "2026-12-28/1", "2032-12-27/1"],
    ),
    "every other week that begins on Monday": (
        "DTSTART;VALUE=DATE:19970805|RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        ["1997-08-05/1", "1997-08-10/1", "1997-08-19/1", "1997-08-24/1"],
    ),
    "and on Sunday": (
        "DTSTART;VALUE=DATE:19970805|RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        ["1997-08-05/1", "1997-08-17/1", "1997-08-19/1", "1997-08-31/1"],
    ),
    "the Friday that is the 13th": (
        "DTSTART;VALUE=DATE:19980213|RRULE:FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=3", ["1998-02-13/1", "1998-03-13/1", "1998-11-13/1"],
    ),
    "an end to the moment, which counts": (f"{DAYS4.replace('COUNT=4', 'UNTIL=20260604T070000Z')}", ALL4),
    "a second earlier": (f"{DAYS4.replace('COUNT=4', 'UNTIL=20260604T065959Z')}", ALL4[:3]),
    "an end by a day, as RFC 2445 had it: all of it": (f"{DAYS4.replace('COUNT=4', 'UNTIL=20260604')}", ALL4),
    "that day where the calendar is": (
        "DTSTART;TZID=America/New_York:20260601T220000|DURATION:PT1H|RRULE:FREQ=DAILY;UNTIL=20260602",
        ["06-02T02:00/03:00", "06-03T02:00/03:00"],
    ),
    "an end with a time of whole days": (
        "DTSTART;VALUE=DATE:20260601|RRULE:FREQ=DAILY;UNTIL=20260602T220000Z", ["2026-06-01/1", "2026-06-02/1"],
    ),
    "a beginning that the rule does not know": (
        "DTSTART;VALUE=DATE:20260602|RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20260610", ["2026-06-02/1", "2026-06-08/1"],
    ),
    "several times a day": (
        "DTSTART:20260602T070000Z|RRULE:FREQ=DAILY;BYHOUR=7,9;BYMINUTE=0,30;COUNT=5",
        ["06-02T07:00/07:00", "06-02T07:30/07:30", "06-02T09:00/09:00", "06-02T09:30/09:30", "06-03T07:00/07:00"],
    ),
}  # fmt: skip

DATES = {
    "one taken out by its time": (f"{DAYS4}|EXDATE;TZID=Europe/Paris:20260602T090000", WITHOUT_2),
    "in UTC": (f"{DAYS4}|EXDATE:20260602T070000Z", WITHOUT_2),
    "in another zone": (f"{DAYS4}|EXDATE;TZID=Europe/London:20260602T080000", WITHOUT_2),
    "without its zone": (f"{DAYS4}|EXDATE:20260602T090000", WITHOUT_2),
    "by its day": (f"{DAYS4}|EXDATE;VALUE=DATE:20260602", WITHOUT_2),
    "at another hour there is none": (f"{DAYS4}|EXDATE;TZID=Europe/Paris:20260602T100000", ALL4),
    "a whole day by a time": (
        "DTSTART;VALUE=DATE:20260601|RRULE:FREQ=DAILY;COUNT=3|EXDATE:20260602T000000Z", ["2026-06-01/1", "2026-06-03/1"],
    ),
    "the first": (f"{DAYS4}|EXDATE;TZID=Europe/Paris:20260601T090000", ALL4[1:]),
    "one more": (f"{P}20260601T090000|DURATION:PT1H|RDATE;TZID=Europe/Paris:20260605T140000", [ALL4[0], "06-05T12:00/13:00"]),
    "one that is there already": (f"{DAYS4}|RDATE:20260602T070000Z", ALL4),
    "periods have ends of their own": (
        "DTSTART:20260601T090000Z|DTEND:20260601T100000Z|RDATE;VALUE=PERIOD:20260603T090000Z/PT3H,20260605T090000Z/20260605T093000Z",
        ["06-01T09:00/10:00", "06-03T09:00/12:00", "06-05T09:00/09:30"],
    ),
    "one more day": ("DTSTART;VALUE=DATE:20260601|RDATE;VALUE=DATE:20260603", ["2026-06-01/1", "2026-06-03/1"]),
}  # fmt: skip

_CASES = [(what, *case) for group in (CLOCKS, LENGTHS, RULES, DATES) for what, case in group.items()]


@pytest.mark.parametrize(("lines", "expected"), [case[1:] for case in _CASES], ids=[case[0] for case in _CASES])
def test_one_event(lines: str, expected: list[str]) -> None:
    assert told(calendar(lines)) == expected


CHANGED = {
    "one moved": ([f"{OVER}20260602T090000|{P}20260602T110000|SUMMARY:o"], [ALL4[0], "06-02T09:00/09:00 o", *ALL4[2:]]),
    "named in UTC": (["RECURRENCE-ID:20260602T070000Z|DTSTART:20260602T090000Z|SUMMARY:o"], [ALL4[0], "06-02T09:00/09:00 o", *ALL4[2:]]),
    "made a whole day": ([f"{OVER}20260602T090000|DTSTART;VALUE=DATE:20260602|SUMMARY:o"], [ALL4[0], "2026-06-02/1 o", *ALL4[2:]]),
    "that the rule does not know": ([f"{OVER}20260702T090000|{P}20260702T110000|SUMMARY:o"], [*ALL4, "07-02T09:00/09:00 o"]),
    "this and the following": (
        [f"RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Paris:20260603T090000|{P}20260603T110000|DURATION:PT2H|SUMMARY:n"],
        [*ALL4[:2], "06-03T09:00/11:00 n", "06-04T09:00/11:00 n"],
    ),
    "and one of those by itself": (
        [
            f"RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Paris:20260602T090000|{P}20260603T110000|DURATION:PT2H|SUMMARY:n",
            f"{OVER}20260603T090000|{P}20260603T200000|SUMMARY:o",
        ],
        [ALL4[0], "06-03T09:00/11:00 n", "06-03T18:00/18:00 o", "06-05T09:00/11:00 n"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("others", "expected"), CHANGED.values(), ids=CHANGED.keys())
def test_changed_ones(others: list[str], expected: list[str]) -> None:
    assert told(calendar(DAYS4, *others)) == expected


def test_one_that_is_cancelled_is_told_as_such() -> None:
    found = takings(calendar(DAYS4, f"{OVER}20260602T090000|{P}20260602T090000|DURATION:PT1H|STATUS:CANCELLED"))
    assert [(one.status, one.busy) for one in found] == [("", 2), ("CANCELLED", 0), ("", 2), ("", 2)]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-06-01", "2026-06-30", WITHOUT_2),
        ("2026-08-01", "2026-08-31", ["08-02T07:00/08:00 o"]),
        ("2026-06-02", "2026-06-03", []),
    ],
)
def test_one_that_was_moved_is_found_where_it_is(start: str, end: str, expected: list[str]) -> None:
    text = calendar(DAYS4, f"{OVER}20260602T090000|{P}20260802T090000|DURATION:PT1H|SUMMARY:o")
    assert told(text, start, end) == expected


def test_what_began_earlier_is_found_while_it_lasts() -> None:
    text = calendar("DTSTART:20251201T000000Z|DURATION:P40D|RRULE:FREQ=MONTHLY")
    assert told(text, "2026-01-05", "2026-01-06") == ["12-01T00:00/01-10T00:00", "01-01T00:00/02-10T00:00"]
    assert told(text, "2026-01-10", "2026-01-11") == ["01-01T00:00/02-10T00:00"]


def test_each_has_a_name_of_its_own() -> None:
    """By which pages and devices find it: also those that were all changed by one (RANGE=THISANDFUTURE)."""
    ranged = f"RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Paris:20260602T090000|{P}20260603T110000|SUMMARY:n"
    found = takings(calendar(DAYS4, ranged))
    assert [one.recurrence_id for one in found] == [f"2026060{day}T090000" for day in (1, 2, 3, 4)]
    utc = ranged.replace("TZID=Europe/Paris:20260602T090000|", "X=y:20260602T070000Z|")
    assert [one.recurrence_id for one in takings(calendar(DAYS4, utc))][1:] == [f"2026060{day}T070000Z" for day in (2, 3, 4)]


@pytest.mark.parametrize(
    "name",
    [
        "Europe/Paris", "Romance Standard Time", "W. Europe Standard Time", "/freeassociation.sourceforge.net/Europe/Paris",
        '"(UTC+01:00) Brussels, Copenhagen, Madrid, Paris"', '"(GMT+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna"',
        "(GMT+01.00) Paris/Madrid",
    ],
)  # fmt: skip
def test_names_of_zones_of_other_programs(name: str) -> None:
    """Times without a zone are meant on Réunion here, so that a zone that was not understood shows."""
    assert _elsewhere(calendar(f"DTSTART;TZID={name}:20260701T090000")) == "07-01T07:00"
    assert _elsewhere(calendar(f"DTSTART;TZID={name}:20260101T090000")) == "01-01T08:00"


def test_a_definition_that_lies_is_not_believed_and_one_of_an_unknown_zone_is() -> None:
    for name, expected in {"Europe/Paris": "07-01T07:00", "School": "07-01T04:00"}.items():
        text = calendar(f"DTSTART;TZID={name}:20260701T090000")
        text = text.replace("BEGIN:VEVENT", zone(name, "+0500").replace("|", "\r\n") + "\r\nBEGIN:VEVENT")
        assert _elsewhere(text) == expected
    assert _elsewhere(calendar("DTSTART;TZID=Nowhere/Town:20260701T090000")) == "07-01T05:00"


def test_a_zone_of_one_calendar_is_not_that_of_another() -> None:
    """Many programs call it "Customized Time Zone"."""
    for offset, expected in {"+0500": "07-01T04:00", "-0300": "07-01T12:00", "": "07-01T05:00"}.items():
        text = calendar("DTSTART;TZID=Customized Time Zone:20260701T090000")
        defined = zone("Customized Time Zone", offset).replace("|", "\r\n") + "\r\nBEGIN:VEVENT"
        text = text.replace("BEGIN:VEVENT", defined) if offset else text
        assert _elsewhere(text) == expected
        root = parsed(text)
        own = calendar_zones.meant("Customized Time Zone", root)
        assert (own.utcoffset(datetime(2026, 7, 1)) if own else None) == (timedelta(hours=int(offset[:3])) if offset else None)


def test_a_calendar_says_where_times_without_a_zone_are_meant() -> None:
    text = calendar("DTSTART:20260701T090000|DTEND:20260701T100000").replace("PRODID", "X-WR-TIMEZONE:America/New_York\r\nPRODID")
    assert told(text) == ["07-01T13:00/14:00"]
    assert told(text.replace("America/New_York", "Romance Standard Time")) == ["07-01T07:00/08:00"]
    assert told(text.replace("America/New_York", "Nowhere")) == told(text.replace("X-WR", "X-NO")) == ["07-01T07:00/08:00"]
    assert told(text.replace("0000\r", "0000Z\r")) == ["07-01T09:00/10:00"]
    root = parsed(text)
    event = root.parts("VEVENT")[0]
    known = event_edit.read(event, root)
    assert (known.zone, known.start) == ("America/New_York", datetime(2026, 7, 1, 9))
    event_edit.change(event, root, known, replace(known, start=datetime(2026, 7, 1, 8)))
    assert told(str(root)) == ["07-01T12:00/14:00"]


def test_a_zone_by_what_is_shown_for_it() -> None:
    for name, expected in {
        "(UTC-05:00) Eastern Time (US & Canada)": "America/New_York", "(UTC) Dublin, Edinburgh, Lisbon, London": "Europe/Dublin",
        "(UTC+01:00) London": "Europe/London", "(UTC+05:00) Paris": "", "Paris": "", "(UTC+01:00) Nowhere": "", "(UTC+99:99) Paris": "",
    }.items():  # fmt: skip
        assert zone_shown_as(name) == expected, name


def _elsewhere(text: str) -> str:
    found = occurrences.expand(calendar_object.read(text), moment("2020-01-01"), moment("2030-01-01"), ZoneInfo("Indian/Reunion"))
    return f"{datetime.fromtimestamp(found.takings[0].start, UTC):%m-%dT%H:%M}"


@pytest.mark.parametrize("lines", ["DTSTART:20260602T240000Z", "DTSTART:20260230T100000Z", "SUMMARY:x", "DTSTART:soon"])
def test_what_has_no_moment_is_refused(lines: str) -> None:
    with pytest.raises(UnusableCalendarError):
        told(calendar(lines))
