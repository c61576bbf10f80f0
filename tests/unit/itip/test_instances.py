"""Single times of a series, a thousand of them too."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from tests.support.calendar_texts import calendar
from tests.support.meetings import ANN, BOB, PEOPLE, SERIES, ZONE, said
from webmail.itip.differences import differences
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


# --- times that are left out, and what was changed for all that follow ----------------------------------------------


def _counted(work: Callable[[], object]) -> int:
    profile = cProfile.Profile()
    profile.enable()
    assert work()
    profile.disable()
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def _days(number: int, hour: int = 9) -> list[str]:
    return [f"{datetime(2026, 12, 8, hour) + timedelta(days=at):%Y%m%dT%H%M%S}" for at in range(number)]


def _leaving_out(number: int, hour: int, sequence: int = 1) -> str:
    return f"{DAILY.replace('SEQUENCE:1', f'SEQUENCE:{sequence}')}|EXDATE{ZONE}:{','.join(_days(number, hour))}"


def _seen_changes(number: int) -> object:
    return differences(calendar(_leaving_out(number, 9)), calendar(_leaving_out(number, 10)))


def _left_out_by_a_cancellation(number: int) -> object:
    return receive(calendar(DAILY), said("CANCEL", _leaving_out(number, 9, 2)), BOB).text


def _cancelled_from_each(number: int) -> object:
    events = (f"RECURRENCE-ID;RANGE=THISANDFUTURE{ZONE}:{at}|DTSTART{ZONE}:{at}|SEQUENCE:2" for at in reversed(_days(number)))
    changed = (f"RECURRENCE-ID{ZONE}:{at}|DTSTART{ZONE}:{at}|SUMMARY:y" for at in _days(number))
    return receive(calendar(DAILY, *changed), said("CANCEL", *events), BOB).text


@pytest.mark.parametrize("work", [_seen_changes, _left_out_by_a_cancellation, _cancelled_from_each])
def test_a_message_with_many_dates_holds_no_page_for_long(work: Callable[[int], object]) -> None:
    assert _counted(lambda: work(240)) < 2.6 * _counted(lambda: work(120))


def test_the_earliest_of_several_cancellations_counts_for_all_that_follow() -> None:
    days = _days(9)
    events = [f"RECURRENCE-ID;RANGE=THISANDFUTURE{ZONE}:{days[at]}|DTSTART{ZONE}:{days[at]}|SEQUENCE:2" for at in (7, 4, 6)]
    single = f"RECURRENCE-ID{ZONE}:{days[1]}|DTSTART{ZONE}:{days[1]}|SEQUENCE:2|STATUS:CANCELLED"
    outcome = receive(calendar(DAILY), said("CANCEL", *events, single), BOB)
    left = Instances(series_of(outcome.text))
    assert [left.takes_place(datetime(2026, 12, 8 + at, 9)) for at in range(6)] == [True, True, True, True, False, False]
    assert outcome.text.count("STATUS:CANCELLED") == 1 and outcome.at == (days[4], days[1])
