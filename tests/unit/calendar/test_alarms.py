"""When alarms go off: a table from RFC 5545, whole days at an hour one is awake, clocks that change, bounds."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.support.calendar_texts import calendar, takings
from webmail.mime.formats.calendars import alarms
from webmail.mime.formats.calendars.alarms import Clock, alarms_of, due_alarms

PARIS = ZoneInfo("Europe/Paris")
ZONE = ";TZID=Europe/Paris"
LESSON = f"DTSTART{ZONE}:20261208T090000|DTEND{ZONE}:20261208T110000|SUMMARY:Cours"
WHOLE_DAY = "DTSTART;VALUE=DATE:20261208|DTEND;VALUE=DATE:20261209|SUMMARY:Sortie"


def alarm(trigger: str, action: str = "DISPLAY", *more: str) -> str:
    return "|".join(["", "BEGIN:VALARM", f"ACTION:{action}", f"TRIGGER{trigger}", *more, "END:VALARM"])


def dues(*events: str, hour: int = 8, zone: ZoneInfo = PARIS) -> list[str]:
    text = calendar(*events)
    found = sorted(due_alarms(alarms_of(text), takings(text), Clock(zone, hour)))
    return [f"{datetime.fromtimestamp(one.due, zone):%m-%d %H:%M} {one.way}" for one in found]


@pytest.mark.parametrize(
    ("event", "trigger", "expected"),
    [
        (LESSON, ":-PT10M", "12-08 08:50"),
        (LESSON, ":PT0S", "12-08 09:00"),
        (LESSON, ":PT5M", "12-08 09:05"),
        (LESSON, ";RELATED=END:-PT15M", "12-08 10:45"),
        (LESSON, ";RELATED=END:PT0M", "12-08 11:00"),
        (LESSON, ":-P1D", "12-07 09:00"),
        (LESSON, ":-P1W", "12-01 09:00"),
        (LESSON, ":-P1DT2H", "12-07 07:00"),
        (LESSON, ";VALUE=DATE-TIME:20261207T170000Z", "12-07 18:00"),
        (WHOLE_DAY, ":PT0S", "12-08 08:00"),
        (WHOLE_DAY, ":-PT15M", "12-08 08:00"),
        (WHOLE_DAY, ":-P1D", "12-07 08:00"),
        (WHOLE_DAY, ":-PT15H", "12-07 09:00"),  # as iPhones write "the day before at nine"
        (WHOLE_DAY, ":PT9H", "12-08 09:00"),
    ],
)
def test_a_trigger_means_a_time(event, trigger, expected):
    assert dues(event + alarm(trigger)) == [f"{expected} screen"]


def test_whole_days_go_by_the_hour_and_the_zone_of_the_person():
    assert dues(WHOLE_DAY + alarm(":-P1D"), hour=18) == ["12-07 18:00 screen"]
    assert dues(WHOLE_DAY + alarm(":PT0S"), zone=ZoneInfo("Indian/Reunion")) == ["12-08 08:00 screen"]


def test_a_day_before_is_the_same_hour_where_clocks_change_between():
    event = f"DTSTART{ZONE}:20261025T090000|DTEND{ZONE}:20261025T100000|SUMMARY:Fin"
    assert dues(event + alarm(":-P1D") + alarm(":-PT23H")) == ["10-24 09:00 screen", "10-24 11:00 screen"]


def test_what_asks_for_mail_says_so_and_others_are_left_out():
    event = LESSON + alarm(":-PT1H", "EMAIL", "SUMMARY:x", "ATTENDEE:mailto:other@elsewhere.example") + alarm(":PT0S", "AUDIO")
    assert dues(event + alarm(":PT0S", "PROCEDURE") + alarm(";VALUE=DATE-TIME:19760401T005545Z", "NONE")) == [
        "12-08 08:00 mail",
        "12-08 09:00 screen",
    ]


def test_repeats_are_bounded():
    assert dues(LESSON + alarm(":-PT30M", "DISPLAY", "REPEAT:2", "DURATION:PT10M")) == [
        "12-08 08:30 screen",
        "12-08 08:40 screen",
        "12-08 08:50 screen",
    ]
    assert len(dues(LESSON + alarm(":-PT30M", "DISPLAY", "REPEAT:999999999", "DURATION:PT10M"))) == 1 + alarms.MOST_REPEATS
    for often in ("REPEAT:5|DURATION:PT1S", "REPEAT:5", "REPEAT:-3|DURATION:PT10M", "REPEAT:x|DURATION:PT10M"):
        assert len(dues(LESSON + alarm(":-PT30M", "DISPLAY", often))) == 1


def test_alarms_are_bounded():
    assert len(dues(LESSON + alarm(":-PT10M") * 900)) == alarms.MOST_ALARMS
    assert dues(LESSON + alarm(":-P9999W")) == dues(LESSON + alarm(":nonsense")) == dues(LESSON + alarm(":-P61D")) == []


def test_an_exception_has_its_own_and_what_is_cancelled_has_none():
    series = LESSON + "|RRULE:FREQ=WEEKLY;COUNT=3" + alarm(":-PT10M")
    moved = f"RECURRENCE-ID{ZONE}:20261215T090000|DTSTART{ZONE}:20261215T140000|DTEND{ZONE}:20261215T150000" + alarm(":-PT1H")
    off = f"RECURRENCE-ID{ZONE}:20261222T090000|DTSTART{ZONE}:20261222T090000|STATUS:CANCELLED" + alarm(":-PT1H")
    assert dues(series, moved, off) == ["12-08 08:50 screen", "12-15 13:00 screen"]


def test_a_time_of_its_own_comes_once_for_a_series():
    series = LESSON + "|RRULE:FREQ=DAILY;COUNT=5" + alarm(";VALUE=DATE-TIME:20261207T170000Z")
    assert dues(series) == ["12-07 18:00 screen"]


def test_what_a_device_saw_is_over():
    assert dues(LESSON + alarm(":-PT10M", "DISPLAY", "ACKNOWLEDGED:20261208T075000Z")) == []
    assert dues(LESSON + alarm(":-PT10M", "DISPLAY", "ACKNOWLEDGED:20261208T074959Z")) == ["12-08 08:50 screen"]
    assert dues(LESSON + "|X-MOZ-LASTACK:20261208T080000Z" + alarm(":-PT10M") + alarm(":PT30M")) == ["12-08 09:30 screen"]
