"""Times of an absence: as typed, in one's time zone, and as shown; the days that are offered, with school holidays."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from webmail.config.tables import ListedHolidays
from webmail.filters.absence import holidays
from webmail.filters.absence.offered_times import offered_times
from webmail.schedule import BadTimeError, day_and_hour, moment

PARIS, AUCKLAND = ZoneInfo("Europe/Paris"), ZoneInfo("Pacific/Auckland")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("day", "hour", "zone", "ends", "found"),
    [
        ("2026-12-24", "18:30", PARIS, False, utc(2026, 12, 24, 17, 30)),
        ("2026-12-24", "", PARIS, False, utc(2026, 12, 23, 23)),
        ("2026-12-24", "", PARIS, True, utc(2026, 12, 24, 23)),
        ("2026-12-24", "", AUCKLAND, False, utc(2026, 12, 23, 11)),
        ("2026-12-24", "", AUCKLAND, True, utc(2026, 12, 24, 11)),
        ("2026-12-24T18:30", "", PARIS, False, utc(2026, 12, 24, 17, 30)),
        ("2026-12-24 18:30:45", "", PARIS, True, utc(2026, 12, 24, 17, 30)),
        ("2026-12-24T18:30Z", "", PARIS, False, utc(2026, 12, 24, 18, 30)),
        ("2026-12-24T18:30+02:00", "", AUCKLAND, False, utc(2026, 12, 24, 16, 30)),
        (" 24/12/2026 ", " 8h30 ", PARIS, False, utc(2026, 12, 24, 7, 30)),
        ("24.12.2026", "8", PARIS, False, utc(2026, 12, 24, 7)),
        ("2026-07-01", "08:00:00", PARIS, False, utc(2026, 7, 1, 6)),
        ("2026-03-29", "2:30", PARIS, False, utc(2026, 3, 29, 1, 30)),  # skipped when the clock changes: the hour after it
        ("2026-10-25", "2:30", PARIS, False, utc(2026, 10, 25, 0, 30)),  # there twice: the first
        ("", "", PARIS, False, None),
    ],
)
def test_what_is_typed(day, hour, zone, ends, found):
    assert moment(day, hour, zone, ends=ends) == found


@pytest.mark.parametrize(
    ("day", "hour"),
    [
        ("tomorrow", ""), ("2026-02-30", ""), ("2026-12-24", "25:00"), ("2026-12-24", "8:60"), ("", "8:00"), ("31/13/2026", ""),
        ("0001-01-01", ""), ("9999-12-31", "23:59"), ("1999-12-30", ""), ("2026-12-24T", ""),
        ("2026-12-24", "8:00; x"),
    ],
)  # fmt: skip
def test_what_is_no_time(day, hour):
    with pytest.raises(BadTimeError):
        moment(day, hour, PARIS, ends=True)


@pytest.mark.parametrize("zone", [PARIS, AUCKLAND])
@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("at", [utc(2026, 12, 23, 23), utc(2026, 12, 24, 11), utc(2026, 7, 1, 6, 30), None])
def test_what_is_shown_is_read_again(at, zone, ends):
    assert moment(*day_and_hour(at, zone, ends=ends), zone, ends=ends) == at


def test_whole_days_are_shown_without_an_hour():
    assert day_and_hour(utc(2026, 12, 23, 23), PARIS, ends=False) == ("2026-12-24", "")
    assert day_and_hour(utc(2026, 12, 24, 23), PARIS, ends=True) == ("2026-12-24", "")
    assert day_and_hour(utc(2026, 12, 24, 17, 30), PARIS, ends=True) == ("2026-12-24", "18:30")


# --- what is offered -------------------------------------------------------------------------------------------------


def days(zone: str, today: date, listed=()) -> list[tuple[str, str, str]]:
    return [(one.name, one.first.isoformat(), one.last.isoformat()) for one in offered_times(zone, today, listed)]


def test_weeks_and_the_next_holidays():
    assert days("A", date(2026, 11, 27)) == [
        ("this-week", "2026-11-27", "2026-11-29"),
        ("next-week", "2026-11-30", "2026-12-06"),
        ("christmas", "2026-12-19", "2027-01-03"),
        ("winter", "2027-02-13", "2027-02-28"),
        ("spring", "2027-04-10", "2027-04-25"),
    ]


def test_this_week_ends_on_its_sunday():
    assert days("", date(2026, 11, 29))[0] == ("this-week", "2026-11-29", "2026-11-29")
    assert days("", date(2026, 11, 30))[0] == ("this-week", "2026-11-30", "2026-12-06")


def test_without_a_zone_only_what_is_the_same_everywhere():
    """And none of next autumn: its days, written without a year, would look like those that are past."""
    assert [name for name, *_ in days("", date(2026, 11, 27))[2:]] == ["christmas"]
    assert [name for name, *_ in days("", date(2027, 4, 30))[2:]] == ["autumn", "christmas"]


def test_holidays_that_have_begun_begin_today():
    assert days("B", date(2027, 2, 22))[2] == ("winter", "2027-02-22", "2027-03-07")
    assert days("B", date(2027, 3, 7))[2] == ("winter", "2027-03-07", "2027-03-07")
    assert days("B", date(2027, 3, 8))[2][0] == "spring"


def test_what_the_establishment_lists_comes_with_them_and_instead_of_ours():
    listed = (
        ListedHolidays("Pont", "2027-05-06", "2027-05-09"),
        ListedHolidays("Congés de Noël", "2026-12-18", "2027-01-03", "A"),
        ListedHolidays("Ferien", "2026-12-01", "2026-12-02", "Bern"),
    )
    assert [name for name, *_ in days("A", date(2026, 11, 27), listed)[2:]] == ["Congés de Noël", "winter", "spring"]
    assert days("Bern", date(2026, 11, 27), listed)[2:] == [
        ("Ferien", "2026-12-01", "2026-12-02"),
        ("Pont", "2027-05-06", "2027-05-09"),
    ]
    assert holidays.zones(listed) == ("A", "B", "C", "Bern")


def test_the_shipped_table_is_whole():
    """As all of the ministry's: from a Saturday, for two weeks and what of a third is a holiday anyway; none meets another."""
    for zone in holidays.ZONES:
        years = [holidays.coming(zone, date(year, 9, 1), (), most=100) for year in (2026, 2027)]
        assert [len(one) for one in years] == [4, 4]
        found = [one for year in years for one in year]
        for one in found:
            assert one.begin.weekday() == 5
            assert 16 <= (one.end - one.begin).days <= 17
        assert all(a.end < b.begin for a, b in zip(found, found[1:], strict=False))
