"""Periods of calendar pages: their days, what comes before and after, weeks and their numbers."""

from __future__ import annotations

from datetime import date

import pytest

from webmail.calendar.display import periods
from webmail.calendar.display.periods import NoSuchPeriodError


def days(view: str, day: str, first_day: str = "monday") -> tuple[str, str]:
    found = periods.parse(view, day, first_day)
    return found.shown_first.isoformat(), found.shown_last.isoformat()


@pytest.mark.parametrize(
    ("view", "day", "first_day", "shown"),
    [
        ("month", "2026-12-08", "monday", ("2026-11-30", "2027-01-03")),
        ("month", "2026-12", "sunday", ("2026-11-29", "2027-01-02")),
        ("month", "2026-12", "saturday", ("2026-11-28", "2027-01-01")),
        ("month", "2027-02", "monday", ("2027-02-01", "2027-02-28")),  # four weeks
        ("month", "2026-08", "monday", ("2026-07-27", "2026-09-06")),  # six
        ("week", "2027-01-01", "monday", ("2026-12-28", "2027-01-03")),
        ("week", "2027-01-01", "sunday", ("2026-12-27", "2027-01-02")),
        ("workweek", "2026-12-09", "monday", ("2026-12-07", "2026-12-11")),
        ("workweek", "2026-12-13", "monday", ("2026-12-07", "2026-12-11")),
        ("workweek", "2026-12-13", "sunday", ("2026-12-14", "2026-12-18")),
        ("workweek", "2026-12-12", "saturday", ("2026-12-14", "2026-12-18")),
        ("day", "2028-02-29", "monday", ("2028-02-29", "2028-02-29")),
        ("agenda", "2026-12-08", "monday", ("2026-12-08", "2027-01-04")),
        ("year", "2026", "monday", ("2026-01-01", "2026-12-31")),
    ],
)
def test_the_days_that_are_shown(view, day, first_day, shown):
    assert days(view, day, first_day) == shown


@pytest.mark.parametrize(
    ("view", "day", "before", "after"),
    [
        ("month", "2026-01-31", "2025-12-01", "2026-02-01"),
        ("year", "2028-02-29", "2027-01-01", "2029-01-01"),
        ("week", "2026-12-08", "2026-12-01", "2026-12-15"),
        ("day", "2026-03-01", "2026-02-28", "2026-03-02"),
        ("agenda", "2026-12-08", "2026-11-10", "2027-01-05"),
    ],
)
def test_what_comes_before_and_after(view, day, before, after):
    found = periods.parse(view, day)
    assert (str(found.before), str(found.after)) == (before, after)


def test_there_is_an_end():
    assert periods.parse("year", "2199").after is None
    assert periods.parse("month", "1902-01").before is None


@pytest.mark.parametrize(
    "day",
    [
        "",
        "x",
        "2026-13-01",
        "2026-02-30",
        "20261208",
        "2026-W50",
        "1901-12-31",
        "2200-01-01",
        "2026-12-08T10",
        "²⁰²⁶",
        "26-12-08",
    ],
)
def test_what_is_no_day_is_no_page(day):
    with pytest.raises(NoSuchPeriodError):
        periods.parse("day", day)


@pytest.mark.parametrize(
    ("day", "first_day", "number"),
    [
        ("2026-12-31", "monday", 53), ("2027-01-04", "monday", 1), ("2021-01-03", "monday", 53), ("2024-12-30", "monday", 1),
        ("2026-12-27", "sunday", 53), ("2026-12-26", "saturday", 53),
    ],
)  # fmt: skip
def test_numbers_of_weeks(day, first_day, number):
    assert periods.week_number(periods.around("week", date.fromisoformat(day), first_day).days) == number


def test_weeks_a_and_b_take_turns_over_the_end_of_a_long_year():
    reference = date(2026, 9, 1)
    letters = "".join(
        "A" if periods.is_week_a(date.fromisocalendar(year, week, 3), reference) else "B"
        for year, week in [(2026, 35), (2026, 36), (2026, 37), (2026, 52), (2026, 53), (2027, 1), (2027, 2)]
    )
    assert letters == "BABABAB"
