"""Search values: parses sizes and dates as people type them in a search: "5M", "3 Mo", "01/03/2026", "2w", "hier"."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

_SIZE = re.compile(r"(\d{1,12})(?:[.,](\d{1,3}))?\s*([kmg]?)(?:i?[bo]|octets?|bytes?)?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_LARGEST = 2**32 - 1  # maximum in SEARCH (RFC 3501 section 9: number)

_YEAR_FIRST = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_AGO = re.compile(
    r"(\d{1,4})\s*(?:(d|j|days?|jours?)|(w|s|weeks?|sem|semaines?)|(m|months?|mois)|(y|a|years?|ans?|années?))", re.IGNORECASE
)
_NAMED = {"today": 0, "aujourd'hui": 0, "aujourd’hui": 0, "yesterday": 1, "hier": 1, "avant_hier": 2}


def size_in_bytes(text: str) -> int | None:
    """Parse `5M`, `300k`, `1.5 MB`, `3 Mo`, `2048` to bytes (units of 1024, at most 4 GiB); None if it is not a size."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        return None
    exact = int(found[1] + (found[2] or "")) * _UNITS[found[3].lower()]
    return min(exact // 10 ** len(found[2] or ""), _LARGEST)


def day_range(text: str, today: date) -> tuple[date, date] | None:
    """Parse a day, month, year or age to (first day, day after the last); None if it is not a date.

    `2026-03-01`, `01/03/2026` (day first), `2026-03`, `2026`, `3d` or `3j`, `2w`, `6m`, `1y`, `yesterday`, `hier`.
    """
    low = text.strip().lower()
    try:
        if (ago := _NAMED.get(low.replace("-", "_"))) is not None:
            return _day(today - timedelta(days=ago))
        if found := _DAY_FIRST.fullmatch(low):
            return _day(date(int(found[3]), int(found[2]), int(found[1])))
        if found := _YEAR_FIRST.fullmatch(low):
            return _period(int(found[1]), int(found[2] or 0), int(found[3] or 0))
        if found := _AGO.fullmatch(low):
            return _day(_ago(today, int(found[1]), found))
    except (ValueError, OverflowError):
        return None
    return None


def _day(day: date) -> tuple[date, date]:
    return day, day + timedelta(days=1)


def _period(year: int, month: int, day: int) -> tuple[date, date]:
    if day:
        return _day(date(year, month, day))
    if month:
        return date(year, month, 1), date(year, month, 1) + timedelta(days=calendar.monthrange(year, month)[1])
    return date(year, 1, 1), date(year + 1, 1, 1)


def _ago(today: date, count: int, found: re.Match[str]) -> date:
    if found[2]:
        return today - timedelta(days=count)
    if found[3]:
        return today - timedelta(weeks=count)
    months = today.year * 12 + today.month - 1 - count * (1 if found[4] else 12)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1]))
