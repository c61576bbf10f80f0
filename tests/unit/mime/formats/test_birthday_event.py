"""Birthdays of cards as yearly events."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from webmail.mime.formats.calendars import birthday_event, calendar_object
from webmail.mime.formats.recurrence import occurrences

START, END = (int(datetime(year, 11, 27, tzinfo=UTC).timestamp()) for year in (2021, 2029))


def card(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCARD", "VERSION:3.0", "UID:u", "FN:Anne", *lines, "END:VCARD", ""])


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("BDAY:1980-02-03", "1980-02-03"),
        ("BDAY:19800203", "1980-02-03"),
        ("bday;value=date:1980-02-03", "1980-02-03"),
        ("item1.BDAY:1980-02-03", "1980-02-03"),
        ("BDAY:--0203", "--02-03"),
        ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29", "--02-29"),
        ("BDAY:1980-02-30", ""),
        ("BDAY;VALUE=text:in the spring", ""),
        ("NOTE:BDAY:1980-02-03", ""),
        ("BDAY:", ""),
    ],
)
def test_days_of_birth_are_read_as_programs_write_them(line: str, day: str) -> None:
    assert birthday_event.birthday_of(card(line)) == day


@pytest.mark.parametrize("day", ["1980-02-03", "--07-14", "1980-02-29", "--02-29", "1815-12-10", "2027-01-01", "1980-12-31"])
def test_occurrences_are_those_that_the_event_itself_has(day: str) -> None:
    text = birthday_event.event("birthday-x", "Anne, dite « Nane » ; Lefèvre-Desmoulins de la Tour du Pin", day, "fr")
    read = calendar_object.read(text)
    assert birthday_event.expansion("Anne, dite « Nane » ; Lefèvre-Desmoulins de la Tour du Pin", day, "fr", START, END) == (
        occurrences.expand(read, START, END, UTC)
    )
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def test_29_february_is_kept_on_the_last_of_february() -> None:
    found = birthday_event.expansion("Anne", "1980-02-29", "", START, END).takings
    days = [datetime.fromtimestamp(one.start, UTC).date() for one in found]
    assert days[1:4] == [date(2023, 2, 28), date(2024, 2, 29), date(2025, 2, 28)]


@pytest.mark.parametrize(
    ("name", "language", "words"),
    [
        ("Marie Roux", "", "Marie Roux’s birthday"),
        ("Marie Roux", "fr", "Anniversaire de Marie Roux"),
        ("Élodie", "fr", "Anniversaire d’Élodie"),
        ("Hugo", "fr", "Anniversaire d’Hugo"),
        ("Yves", "fr", "Anniversaire d’Yves"),
        ("Yasmine", "fr", "Anniversaire de Yasmine"),
    ],
)
def test_titles_are_in_the_language_of_the_person(name: str, language: str, words: str) -> None:
    assert birthday_event.title(name, language) == words


def test_the_year_of_birth_stands_in_the_event_where_it_is_known() -> None:
    assert "DESCRIPTION:Date de naissance : 1er janvier 1980" in birthday_event.event("u", "Anne", "1980-01-01", "fr")
    assert "DESCRIPTION:Born on 3 February 1980" in birthday_event.event("u", "Anne", "1980-02-03", "en")
    assert "DESCRIPTION" not in birthday_event.event("u", "Anne", "--01-01", "fr")
