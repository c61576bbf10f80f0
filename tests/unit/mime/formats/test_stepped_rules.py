"""Rules by steps of which only some count, beside dateutil where that can follow them, and what they cost where it can't."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from itertools import islice, takewhile

import pytest
from dateutil.rrule import rrulestr

from tests.support.cpu_time import cpu_seconds
from tests.unit.dav.conftest import event
from webmail.mime.formats.calendars import calendar_object
from webmail.mime.formats.recurrence import occurrences, recurrence_edit, recurrence_rules, stepped_rules
from webmail.mime.formats.recurrence.recurrence_rules import UnboundedRuleError

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def some(dice: random.Random, values: range | tuple[str, ...], most: int) -> str:
    return ",".join(map(str, dice.sample(list(values), dice.randint(1, most))))


def rule(dice: random.Random) -> str:
    frequency = dice.choice(["HOURLY", "DAILY", "WEEKLY"])
    parts = [f"FREQ={frequency}", f"INTERVAL={dice.randint(2, 5)}"]
    if dice.random() < 0.7 or frequency == "WEEKLY":
        parts.append(f"BYMONTH={some(dice, range(1, 13), 6)}")
    if dice.random() < 0.5 or len(parts) == 2:
        parts.append(f"BYDAY={some(dice, DAYS, 4)}")
    if frequency != "WEEKLY" and dice.random() < 0.3:
        parts.append(f"BYMONTHDAY={some(dice, (*range(1, 29), -1, -2), 12)}")
    if frequency == "HOURLY":
        parts.append(f"BYHOUR={some(dice, range(24), 8)}")
    elif dice.random() < 0.2:
        parts.append(f"BYHOUR={some(dice, range(24), 3)};BYMINUTE={some(dice, range(60), 2)}")
    if frequency == "WEEKLY" and dice.random() < 0.3:
        parts.append(f"WKST={dice.choice(['SU', 'MO', 'WE'])}")
    if frequency == "WEEKLY" and dice.random() < 0.2:
        parts.append("BYSETPOS=1,-1")
    return ";".join(parts)


@pytest.mark.parametrize("seed", range(60))
def test_they_apply_when_dateutil_says(seed: int) -> None:
    dice = random.Random(seed)
    text = rule(dice)
    start = datetime(2024, dice.randint(1, 12), dice.randint(1, 28), dice.randint(0, 23), 30)
    last = datetime(2029, 1, 1)
    found = list(stepped_rules.moments(recurrence_edit.parts_of(text), start, last))
    theirs = list(
        takewhile(lambda one: one <= last, islice(rrulestr(text, dtstart=start), len(found) + 1) if found else iter(()))
    )
    assert stepped_rules.is_stepped(recurrence_edit.parts_of(text)) and found == theirs, text


def test_every_second_tuesday_from_september_to_december() -> None:
    text = "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;BYMONTH=9,10,11,12"
    recurrence_rules.check(text, "20260901T100000")
    found = recurrence_edit.dates(text, datetime(2026, 9, 1, 10), datetime(2027, 10, 1), None)
    assert [f"{one:%m-%d}" for one in found[:3]] == ["09-01", "09-15", "09-29"] and found[9] == datetime(2027, 9, 14, 10)
    counted = recurrence_edit.dates(f"{text};COUNT=10", datetime(2026, 9, 1, 10), datetime(2040, 1, 1), None)
    assert counted == found[:10]


def test_what_never_applies_costs_its_steps_alone() -> None:
    for text in (
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=WEEKLY;INTERVAL=52;BYMONTH=7;BYDAY=TU",
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=3",
    ):
        recurrence_rules.check(text, "20260901T100000")
        with cpu_seconds(0.2, text):
            assert len(recurrence_edit.dates(text, datetime(2026, 9, 1, 10), datetime(2029, 1, 1), None)) < 4
            assert recurrence_edit.first_from(text, datetime(2026, 9, 1, 10), datetime(2028, 9, 2), None) is None or "52" in text


def test_a_numbered_day_and_one_without_a_number_are_both() -> None:
    """RFC 5545, 3.3.10: the first Monday and each Tuesday."""
    text = "FREQ=MONTHLY;BYDAY=1MO,TU"
    found = recurrence_edit.dates(text, datetime(2026, 9, 1, 10), datetime(2026, 11, 1), None)
    assert [f"{one:%m-%d}" for one in found] == [
        "09-01", "09-07", "09-08", "09-15", "09-22", "09-29", "10-05", "10-06", "10-13", "10-20", "10-27",
    ]  # fmt: skip
    assert len(recurrence_edit.dates(f"{text};COUNT=3", datetime(2026, 9, 1, 10), datetime(2030, 1, 1), None)) == 3
    last = recurrence_edit.dates(f"{text};BYSETPOS=-1;INTERVAL=2", datetime(2026, 9, 1, 10), datetime(2026, 12, 1), None)
    assert [f"{one:%m-%d}" for one in last] == ["09-29", "11-24"]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("FREQ=MINUTELY;INTERVAL=25;COUNT=3", ["09-01 09:00", "09-01 09:25", "09-01 09:50"]),
        ("FREQ=MINUTELY;INTERVAL=40;BYHOUR=9,10;COUNT=4", ["09-01 09:00", "09-01 09:40", "09-01 10:20", "09-02 09:00"]),
        ("FREQ=HOURLY;INTERVAL=36;BYYEARDAY=244,-121;COUNT=2", ["09-01 09:00", "09-02 21:00"]),
        ("FREQ=HOURLY;BYMINUTE=10,20,30;BYSETPOS=-1;COUNT=2", ["09-01 09:30", "09-01 10:30"]),
        ("FREQ=DAILY;BYHOUR=9,14,18;BYSETPOS=2;COUNT=2", ["09-01 14:00", "09-02 14:00"]),
        ("FREQ=SECONDLY;INTERVAL=1800;BYSECOND=0;COUNT=3", ["09-01 09:00", "09-01 09:30", "09-01 10:00"]),
        ("FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=1;COUNT=2", ["09-07 09:00", "09-14 09:00"]),  # that of the week is over
        ("FREQ=YEARLY;BYWEEKNO=37;COUNT=1", ["09-08 09:00"]),  # on a Tuesday, as it began
    ],
)
def test_steps_and_places_within_days(text: str, times: list[str]) -> None:
    recurrence_rules.check(text, "20260901T090000")
    found = recurrence_edit.dates(text, datetime(2026, 9, 1, 9), datetime(2027, 9, 1), None)
    assert [f"{one:%m-%d %H:%M}" for one in found] == times


def test_whole_days_have_no_hours() -> None:
    """RFC 5545, 3.3.10: BYHOUR must be ignored there."""
    found = recurrence_edit.dates("FREQ=DAILY;BYHOUR=9,14;COUNT=2", date(2026, 9, 1), datetime(2027, 9, 1), None)
    assert found == [datetime(2026, 9, 1), datetime(2026, 9, 2)]


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=MINUTELY", "FREQ=SECONDLY;COUNT=100000", "FREQ=SECONDLY;INTERVAL=2;BYSECOND=59;COUNT=3",
        "FREQ=SECONDLY;BYHOUR=1,2,3,4;BYMINUTE=1,2,3,4,5;BYSETPOS=3;COUNT=4", "FREQ=HOURLY;BYMINUTE=1,1;BYSETPOS=2;COUNT=3",
        "FREQ=DAILY;BYHOUR=9,9;BYSETPOS=2", "FREQ=MINUTELY;BYSECOND=0;BYSETPOS=2;COUNT=2",
    ],
)  # fmt: skip
def test_what_applies_too_often_or_never_is_refused_at_once(text: str) -> None:
    with cpu_seconds(0.2, text), pytest.raises(UnboundedRuleError):
        recurrence_rules.check(text, "20260901T090000")


def test_many_rules_by_minutes_in_one_object_are_refused_untried() -> None:
    one = "BEGIN:VEVENT\r\nUID:s\r\nDTSTART:20260901T090000\r\nRRULE:FREQ=SECONDLY;COUNT=24000;BYSECOND=59\r\nEND:VEVENT\r\n"
    with cpu_seconds(0.2, "many rules"), pytest.raises(calendar_object.UnusableCalendarError):
        calendar_object.read(f"BEGIN:VCALENDAR\r\n{one * 900}END:VCALENDAR\r\n")


def test_days_of_months_that_are_ever_such_days() -> None:
    recurrence_rules.check("FREQ=MONTHLY;BYDAY=2FR;BYMONTHDAY=13", "20260213T100000")
    recurrence_rules.check("RSCALE=GREGORIAN;FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;SKIP=OMIT", "20240229T100000")
    for text in ("FREQ=MONTHLY;BYDAY=1FR;BYMONTHDAY=13", "RSCALE=HEBREW;FREQ=YEARLY", "FREQ=DAILY;BYDAY=1MO"):
        with pytest.raises(UnboundedRuleError):
            recurrence_rules.check(text, "20260213T100000")


def test_a_series_with_a_changed_one_is_written_out() -> None:
    """Through the library, which gets each time instead of the rule."""
    series = event("s", "RRULE:RSCALE=GREGORIAN;FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;BYMONTH=9,10", start="20260901T100000Z")
    changed = [
        "BEGIN:VEVENT",
        "UID:s",
        "DTSTAMP:20260101T000000Z",
        "RECURRENCE-ID:20260915T100000Z",
        "DTSTART:20260916T120000Z",
        "END:VEVENT",
    ]
    text = series.replace("END:VCALENDAR", "\r\n".join([*changed, "END:VCALENDAR"]))
    begin = int(datetime(2026, 9, 1).timestamp())
    found = occurrences.expand(calendar_object.read(text), begin, begin + 400 * 86_400, occurrences.UTC)
    starts = sorted(datetime.fromtimestamp(one.start, occurrences.UTC) for one in found.takings)
    assert [f"{one:%m-%d %H}" for one in starts[:4]] == ["09-01 10", "09-16 12", "09-29 10", "10-13 10"]
    assert starts[-1] - starts[0] < timedelta(days=400)
