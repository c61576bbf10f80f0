"""Rules that go by steps of hours, days or weeks of which only some count (RFC 5545, 3.3.10): "every second Tuesday in spring".

dateutil looks for the next one until the year 9999, and some have none: here a rule costs its steps until its end. And
rules as dateutil takes them: "the first Monday and each Tuesday" is both of them, where it looks for days that are both at once.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import product

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_NARROW = ("BYMONTH", "BYMONTHDAY", "BYDAY", "BYHOUR")
_CALENDAR = ("RSCALE", "SKIP")  # RFC 7529; only the Gregorian one is taken


def is_stepped(parts: dict[str, str]) -> bool:
    """Whether a rule is one of these."""
    narrow = [name for name in _NARROW if name in parts]
    if parts.get("FREQ") == "WEEKLY":
        narrow = [name for name in narrow if name == "BYMONTH"]
    elif parts.get("FREQ") == "DAILY":
        narrow = [name for name in narrow if name != "BYHOUR"]
    elif parts.get("FREQ") != "HOURLY":
        return False
    return bool(narrow) and int(parts.get("INTERVAL", "1")) > 1


def moments(parts: dict[str, str], first: datetime, last: datetime) -> Iterator[datetime]:
    """When such a rule applies from `first` to `last`, by the clock, in order; without regard to COUNT."""
    step = int(parts.get("INTERVAL", "1"))
    for found in {"HOURLY": _hourly, "DAILY": _daily, "WEEKLY": _weekly}[parts["FREQ"]](parts, first, last, step):
        if first <= found <= last:
            yield found


def with_all_days(parts: dict[str, str]) -> dict[str, str]:
    """The rule with each day of BYDAY that has no number named by all its numbers, if another one has one; in our calendar."""
    parts = {name: value for name, value in parts.items() if name not in _CALENDAR}
    days = [one.strip() for one in parts.get("BYDAY", "").split(",") if one.strip()]
    if parts.get("FREQ") not in ("MONTHLY", "YEARLY") or {len(one) > 2 for one in days} != {True, False}:
        return parts
    most = 53 if parts["FREQ"] == "YEARLY" and "BYMONTH" not in parts else 5
    named = [[one] if len(one) > 2 else [f"{number}{one}" for number in range(1, most + 1)] for one in days]
    return parts | {"BYDAY": ",".join(dict.fromkeys(one for several in named for one in several))}


def _hourly(parts: dict[str, str], first: datetime, last: datetime, step: int) -> Iterator[datetime]:
    hours = _numbers(parts, "BYHOUR")
    at = first.replace(minute=0, second=0)
    clocks = sorted(product(_numbers(parts, "BYMINUTE") or [first.minute], _numbers(parts, "BYSECOND") or [first.second]))
    while at <= last:
        if (not hours or at.hour in hours) and _counts(parts, at.date()):
            for minute, second in clocks:
                yield at.replace(minute=minute, second=min(second, 59))
        at += timedelta(hours=step)


def _daily(parts: dict[str, str], first: datetime, last: datetime, step: int) -> Iterator[datetime]:
    day, clocks = first.date(), _clocks(parts, first)
    while day <= last.date():
        if _counts(parts, day):
            yield from (datetime.combine(day, clock) for clock in clocks)
        day += timedelta(days=step)


def _weekly(parts: dict[str, str], first: datetime, last: datetime, step: int) -> Iterator[datetime]:
    begins, clocks, months = _DAYS.index(parts.get("WKST", "MO")), _clocks(parts, first), _numbers(parts, "BYMONTH")
    names = [one.strip() for one in parts["BYDAY"].split(",")] if "BYDAY" in parts else [_DAYS[first.weekday()]]
    offsets = sorted((_DAYS.index(name) - begins) % 7 for name in set(names))
    week = first.date() - timedelta(days=(first.weekday() - begins) % 7)
    while week <= last.date():
        days = (week + timedelta(days=offset) for offset in offsets)
        found = [datetime.combine(day, clock) for day in days if not months or day.month in months for clock in clocks]
        yield from _placed(parts, found)
        week += timedelta(days=7 * step)


def _placed(parts: dict[str, str], found: list[datetime]) -> list[datetime]:
    """Those of a step that BYSETPOS names, or all."""
    if "BYSETPOS" not in parts:
        return found
    places = {number - 1 if number > 0 else len(found) + number for number in _numbers(parts, "BYSETPOS")}
    return [one for place, one in enumerate(found) if place in places]


def _clocks(parts: dict[str, str], first: datetime) -> list[time]:
    hours, minutes = _numbers(parts, "BYHOUR") or [first.hour], _numbers(parts, "BYMINUTE") or [first.minute]
    seconds = _numbers(parts, "BYSECOND") or [first.second]
    return sorted({time(hour, minute, min(second, 59)) for hour, minute, second in product(hours, minutes, seconds)})


def _counts(parts: dict[str, str], day: date) -> bool:
    months, numbers = _numbers(parts, "BYMONTH"), _numbers(parts, "BYMONTHDAY")
    if months and day.month not in months:
        return False
    if "BYDAY" in parts and _DAYS[day.weekday()] not in [one.strip() for one in parts["BYDAY"].split(",")]:
        return False
    return not numbers or day.day in numbers or day.day - monthrange(day.year, day.month)[1] - 1 in numbers


def _numbers(parts: dict[str, str], name: str) -> list[int]:
    return [int(one) for one in parts[name].split(",")] if name in parts else []
