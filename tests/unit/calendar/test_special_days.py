"""Public holidays and school holidays, ours and the establishment's file."""

from __future__ import annotations

import os
from datetime import date, timedelta

import pytest

from webmail.calendar.display import special_days
from webmail.config.tables import ListedHolidays


def public(where: str, year: int, instance: str = "") -> dict[str, str]:
    days = (date(year, 1, 1) + timedelta(days=number) for number in range(366))
    return {
        day.isoformat(): name for day, name in special_days.public_holidays(where, days, instance).items() if day.year == year
    }


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2026-01-01", "new-year"), ("2026-04-06", "easter-monday"), ("2026-05-14", "ascension"), ("2026-05-25", "whit-monday"),
        ("2027-03-29", "easter-monday"), ("2027-05-06", "ascension"), ("2027-05-17", "whit-monday"), ("2026-07-14", "national-day"),
        ("2026-12-25", "christmas-day"),
    ],
)  # fmt: skip
def test_public_holidays(day, name):
    assert public("france", int(day[:4]))[day] == name


def test_each_year_has_eleven_and_alsace_two_more():
    for year in range(2024, 2037):
        assert len(public("france", year)) + (public("france", year) != {} and _shared_days(year)) == 11
        assert public("alsace-moselle", year)[f"{year}-12-26"] == "saint-stephen"
        assert "good-friday" in public("alsace-moselle", year).values()
    assert public("", 2026) == public("atlantis", 2026) == {}


def _shared_days(year: int) -> int:
    """How many holidays fall on the day of another one: Ascension on 1 or 8 May."""
    return sum(f"{year}-05-{day}" in _dates("ascension") for day in ("01", "08"))


def _dates(name: str) -> list[str]:
    import tomllib

    found: list[str] = tomllib.loads(special_days.SHIPPED.read_text())["public"]["france"][name]
    return found


def test_school_holidays_by_zone():
    by_zone = {
        zone: {one.name: one.begin.isoformat() for one in special_days.school_holidays(zone) if one.begin.year == 2027}
        for zone in "ABC"
    }
    assert [by_zone[zone]["winter"] for zone in "ABC"] == ["2027-02-13", "2027-02-20", "2027-02-06"]
    assert {one.name for one in special_days.school_holidays("")} == {"autumn", "christmas", "summer"}
    assert special_days.school_holidays("Bern") == []


def test_days_off_are_whole_and_the_day_of_the_first_lesson_is_none():
    found = special_days.days_off(special_days.school_holidays("A"), date(2026, 12, 1), date(2027, 1, 31))
    assert (min(found), max(found)) == (date(2026, 12, 19), date(2027, 1, 3))


def test_what_is_listed_comes_in_place_of_ours():
    listed = (
        ListedHolidays("Own", "2026-12-12", "2027-01-03", "A"),
        ListedHolidays("Bern days", "2026-12-24", "2026-12-26", "Bern"),
    )
    assert [one.name for one in special_days.school_holidays("A", listed) if one.begin > date(2026, 12, 1)][0] == "Own"
    assert "christmas" not in {one.name for one in special_days.school_holidays("A", listed) if one.begin.year == 2026}
    assert [one.name for one in special_days.school_holidays("Bern", listed)] == ["Bern days"]


def test_a_file_of_the_establishment_is_read_when_it_changes(tmp_path):
    file = tmp_path / special_days.OWN
    file.write_text('[public.france]\n"Fête du lycée" = ["2026-06-12"]\n[school.A]\nwinter = [["2029-02-10", "2029-02-26"]]\n')
    assert public("france", 2026, str(tmp_path))["2026-06-12"] == "Fête du lycée"
    assert date(2029, 2, 10) in {one.begin for one in special_days.school_holidays("A", (), str(tmp_path))}
    file.write_text("[public.bern]\nours = ['2026-06-13']\n")
    os.utime(file, ns=(1, 1))
    assert public("bern", 2026, str(tmp_path)) == {"2026-06-13": "ours"}


@pytest.mark.parametrize(
    "text",
    ["[", "public = 3", "[public.france]\nx = ['2026-13-01']", "[school.A]\nx = [['2026-02-01', '2026-01-01']]",
     "[school.A]\nx = [['1900-01-01', '2100-01-01']]", "[school.A]\nx = [3]", "[public.france]\nx = [3]", "\x00"],
)  # fmt: skip
def test_a_file_that_can_not_be_read_changes_nothing(tmp_path, text):
    (tmp_path / special_days.OWN).write_text(text)
    assert "2026-12-25" in public("france", 2026, str(tmp_path))
    assert special_days.school_holidays("A", (), str(tmp_path)) == special_days.school_holidays("A")
