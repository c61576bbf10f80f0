"""Single times of a series, a thousand of them too."""

from __future__ import annotations

import cProfile
import pstats
from datetime import date, datetime, timedelta

import pytest

from tests.support.calendar_texts import calendar
from tests.support.meetings import ANN, BOB, PEOPLE, SERIES, ZONE, said
from webmail.itip.instances import Instances
from webmail.itip.receiving import receive
from webmail.mime.formats.recurrence.series import series_of

DAILY = f"DTSTART{ZONE}:20261208T090000|RRULE:FREQ=DAILY;COUNT=2000|SUMMARY:x|SEQUENCE:1|{PEOPLE}"


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        (datetime(2026, 12, 8, 9), True), (datetime(2026, 12, 15, 9), True), (datetime(2026, 12, 15, 10), False),
        (datetime(2026, 12, 16, 9), False), (date(2026, 12, 15), True), (date(2026, 12, 16), False),
        (datetime(2026, 12, 22, 9), False), (datetime(2026, 12, 24, 9), True), (datetime(2026, 12, 1, 9), False),
        (datetime(2027, 2, 9, 9), True), (datetime(2027, 2, 16, 9), False), (datetime(9999, 12, 31, 9), False),
    ],
)  # fmt: skip
def test_which_times_a_series_has(clock: date | datetime, expected: bool) -> None:
    text = calendar(f"{SERIES}|EXDATE{ZONE}:20261222T090000|RDATE{ZONE}:20261224T090000")
    assert Instances(series_of(text)).takes_place(clock) is expected


def test_a_rule_that_never_ends_or_applies_is_not_waited_for() -> None:
    for rule in ("FREQ=SECONDLY", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=x", "FREQ=DAILY;INTERVAL=0"):
        text = calendar(f"DTSTART{ZONE}:20261208T090000|RRULE:{rule}")
        assert Instances(series_of(text)).takes_place(datetime(2030, 1, 1, 9)) in (True, False)


def _calls(number: int, method: str, first: int) -> int:
    """How many functions are called to take so many single times in, beside as many that are there."""

    def one(at: int, sequence: int) -> str:
        day = f"{datetime(2026, 12, 8, 9) + timedelta(days=at):%Y%m%dT%H%M%S}"
        return (
            f"RECURRENCE-ID{ZONE}:{day}|DTSTART{ZONE}:{day}|SEQUENCE:{sequence}|ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@x.example"
        )

    there = calendar(DAILY, *(one(at, 1) for at in range(number)))
    sent = said(method, *(one(first + at, 2) for at in range(number)))
    profile = cProfile.Profile()
    profile.enable()
    found = receive(there, sent, ANN if method == "REPLY" else BOB)
    profile.disable()
    assert found.text
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("method", "first"), [("REQUEST", 0), ("REQUEST", 1000), ("CANCEL", 0), ("CANCEL", 1000), ("REPLY", 1000)]
)
def test_twice_as_many_take_about_twice_as_long(method: str, first: int) -> None:
    few, many = _calls(40, method, first), _calls(80, method, first)
    assert many < 2.6 * few
