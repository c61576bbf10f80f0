"""Sizes and dates as they are typed into a search."""

from __future__ import annotations

from datetime import date

import pytest

from webmail.imap.searching.search_values import day_range, size_in_bytes

TODAY = date(2026, 11, 24)  # a Tuesday


@pytest.mark.parametrize(
    ("words", "size"),
    [("5M", 5 << 20), ("300k", 300 << 10), ("3 Mo", 3 << 20), ("1.5MB", 3 << 19), ("1,5 Mo", 3 << 19), ("2048", 2048), ("7G", 2**32 - 1),
     ("big", None), ("", None), ("5X", None), ("-1", None), ("1.2.3", None)],
)  # fmt: skip
def test_sizes(words: str, size: int | None) -> None:
    assert size_in_bytes(words) == size


@pytest.mark.parametrize(
    ("words", "first", "after"),
    [
        ("2026-03-01", date(2026, 3, 1), date(2026, 3, 2)),
        ("1/3/2026", date(2026, 3, 1), date(2026, 3, 2)),
        ("2026/03", date(2026, 3, 1), date(2026, 4, 1)),
        ("2024-12", date(2024, 12, 1), date(2025, 1, 1)),
        ("3j", date(2026, 11, 21), date(2026, 11, 22)),
        ("2s", date(2026, 11, 10), date(2026, 11, 11)),
        ("9m", date(2026, 2, 24), date(2026, 2, 25)),
        ("11 mois", date(2025, 12, 24), date(2025, 12, 25)),
        ("1y", date(2025, 11, 24), date(2025, 11, 25)),
        ("hier", date(2026, 11, 23), date(2026, 11, 24)),
    ],
)
def test_dates(words: str, first: date, after: date) -> None:
    assert day_range(words, TODAY) == (first, after)


@pytest.mark.parametrize("words", ["", "soon", "2026-13", "32/01/2026", "9999y", "31/12/9999", "9999", "0000", "2026-02-30", "3"])
def test_what_is_no_date(words: str) -> None:
    assert day_range(words, TODAY) is None


def test_a_month_ago_ends_with_the_shorter_month() -> None:
    assert day_range("1m", date(2026, 3, 31)) == (date(2026, 2, 28), date(2026, 3, 1))
