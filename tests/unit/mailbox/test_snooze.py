"""Until when: the times that are offered, and those that a person types."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from webmail.mailbox.snooze.snooze import BadTimeError, choices, chosen_time

PARIS = ZoneInfo("Europe/Paris")


def at(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=PARIS)


@pytest.mark.parametrize(
    ("now", "offered"),
    [
        ("2026-11-24T09:00", {"evening": "2026-11-24T18:00", "tomorrow": "2026-11-25T08:00", "monday": "2026-11-30T08:00"}),
        ("2026-11-24T17:00", {"tomorrow": "2026-11-25T08:00", "monday": "2026-11-30T08:00"}),
        ("2026-11-24T23:59", {"tomorrow": "2026-11-25T08:00", "monday": "2026-11-30T08:00"}),
        ("2026-11-29T10:00", {"evening": "2026-11-29T18:00", "tomorrow": "2026-11-30T08:00"}),  # Sunday: that is Monday
        ("2026-11-30T07:00", {"evening": "2026-11-30T18:00", "tomorrow": "2026-12-01T08:00", "monday": "2026-12-07T08:00"}),
        ("2026-12-31T20:00", {"tomorrow": "2027-01-01T08:00", "monday": "2027-01-04T08:00"}),
    ],
)
def test_what_is_offered(now: str, offered: dict[str, str]) -> None:
    assert choices(at(now)) == {name: at(words) for name, words in offered.items()}


@pytest.mark.parametrize(
    ("name", "day", "hour", "utc"),
    [
        ("tomorrow", "", "", "2026-03-29T06:00"),  # the clocks went forward in that night
        ("", "2026-03-30", "08:30", "2026-03-30T06:30"),
        ("", "2026-03-29", "02:30", "2026-03-29T01:30"),  # there is no such hour: the one after
        ("", "2026-10-25", "02:30", "2026-10-25T00:30"),  # twice: the first
        ("", "2026-11-24", "", "2026-11-24T07:00"),
    ],
)
def test_times_are_of_the_establishments_clocks(name: str, day: str, hour: str, utc: str) -> None:
    assert chosen_time(name, day, hour, at("2026-03-28T12:00")) == datetime.fromisoformat(utc)


@pytest.mark.parametrize(
    ("name", "day", "hour"),
    [
        ("", "", ""), ("evening", "", ""), ("never", "", ""), ("", "2026-03-28", "11:59"), ("", "2026-03-28", "12:00"),
        ("", "1999-01-01", "08:00"), ("", "2036-01-01", "08:00"), ("", "9999-12-31", "23:59"), ("", "tomorrow", "08:00"),
        ("", "2026-04-01", "25:00"),
    ],
)  # fmt: skip
def test_what_is_no_time_to_come_is_refused(name: str, day: str, hour: str) -> None:
    with pytest.raises(BadTimeError):
        chosen_time(name, day, hour, at("2026-03-28T12:00") if name != "evening" else at("2026-03-28T19:00"))
