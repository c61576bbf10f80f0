"""Rules that go by steps, of which often only some count (RFC 5545, 3.3.10): "every second Tuesday in spring", "each 20 minutes
from nine to five".

dateutil looks for the next one until the year 9999, and some have none: here a rule costs its steps until its end. And
rules as dateutil takes them: "the first Monday and each Tuesday" is both of them, where it looks for days that are both at once,
and "week 20" is the day of the week on which it began, where it takes all seven.
"""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import product

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_SECONDS = {"SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3_600}
_CLOCK = ("BYHOUR", "BYMINUTE", "BYSECOND")
_CALENDAR = ("RSCALE", "SKIP")  # RFC 7529; only the Gregorian one is taken


def is_stepped(parts: dict[str, str]) -> bool:
    """Whether a rule is one of these."""
    frequency = parts.get("FREQ", "")
    if frequency not in ("DAILY", "WEEKLY"):
        return frequency in _SECONDS
    narrow = ("BYMONTH",) if frequency == "WEEKLY" else ("BYMONTH", "BYMONTHDAY", "BYDAY")
    return "BYSETPOS" in parts or (int(parts.get("INTERVAL", "1")) > 1 and any(name in parts for name in narrow))


def moments(parts: dict[str, str], first: datetime, last: datetime) -> Iterator[datetime]:
    """When such a rule applies from `first` to `last`, by the clock, in order; without regard to COUNT."""
    step = int(parts.get("INTERVAL", "1"))
    for found in {"DAILY": _daily, "WEEKLY": _weekly}.get(parts["FREQ"], _within_days)(parts, first, last, step):
        if found is not None and first <= found <= last:
            yield found


def steps_for(parts: dict[str, str], first: datetime, last: datetime, count: int, most: int) -> int:
    """How many steps a rule by hours, minutes or seconds takes until it has applied so often, or to the end; `most` at most."""
    steps = found = 0
    for one in _within_days(parts, first, last, int(parts.get("INTERVAL", "1"))):
        steps += 1
        found += one is not None and first <= one <= last
        if found >= count or steps >= most:
            break
    return steps


def within_step(parts: dict[str, str], first: datetime) -> list[int]:
    """At which seconds of a step a rule by hours, minutes or seconds applies."""
    minutes = _numbers(parts, "BYMINUTE") or [first.minute] if parts["FREQ"] == "HOURLY" else [0]
    seconds = _numbers(parts, "BYSECOND") or [first.second] if parts["FREQ"] != "SECONDLY" else [0]
    return sorted({minute * 60 + min(second, 59) for minute, second in product(minutes, seconds)})


def as_meant(parts: dict[str, str], begins: date | datetime) -> dict[str, str]:
    """The rule in the terms of dateutil, in our calendar: each day of BYDAY that has no number is named by all its numbers if
    another one has one; weeks without days have the day on which it begins; whole days have no hours."""
    left_out = _CALENDAR if isinstance(begins, datetime) else (*_CALENDAR, *_CLOCK)
    parts = {name: value for name, value in parts.items() if name not in left_out}
    if "BYWEEKNO" in parts and not {"BYDAY", "BYMONTHDAY", "BYYEARDAY"} & set(parts):
        parts["BYDAY"] = _DAYS[begins.weekday()]
    days = [one.strip() for one in parts.get("BYDAY", "").split(",") if one.strip()]
    if parts.get("FREQ") not in ("MONTHLY", "YEARLY") or {len(one) > 2 for one in days} != {True, False}:
        return parts
    most = 53 if parts["FREQ"] == "YEARLY" and "BYMONTH" not in parts else 5
    named = [[one] if len(one) > 2 else [f"{number}{one}" for number in range(1, most + 1)] for one in days]
    return parts | {"BYDAY": ",".join(dict.fromkeys(one for several in named for one in several))}


def _within_days(parts: dict[str, str], first: datetime, last: datetime, step: int) -> Iterator[datetime | None]:
    """None for a step in vain."""
    unit = _SECONDS[parts["FREQ"]]
    counted = timedelta(seconds=unit * step)
    begin = first - timedelta(seconds=(first.minute * 60 + first.second) % unit)
    stretches, below, day = list(_stretches(parts)), within_step(parts, first), first.date()
    while day <= last.date():
        if not _counts(parts, day):
            yield None
        for at, length in stretches if _counts(parts, day) else ():
            earliest = datetime.combine(day, time()) + timedelta(seconds=at)
            end = min(earliest + timedelta(seconds=length), last + timedelta(seconds=1))
            earliest = max(earliest, begin)
            slot = earliest + (begin - earliest) % counted
            if slot >= end:
                yield None
            while slot < end:
                found = [slot + timedelta(seconds=more) for more in below] if _in(parts, slot, unit) else []
                yield from _placed(parts, found) or (None,)
                slot += counted
        day += timedelta(days=1)


def _stretches(parts: dict[str, str]) -> Iterator[tuple[int, int]]:
    """In which stretches of a day steps lie that may count: where they begin and how long they are, in seconds."""
    unit, hours = _SECONDS[parts["FREQ"]], sorted(set(_numbers(parts, "BYHOUR")))
    if unit == 1 and "BYMINUTE" in parts:
        minutes = sorted(set(_numbers(parts, "BYMINUTE")))
        yield from ((hour * 3_600 + minute * 60, 60) for hour in hours or range(24) for minute in minutes)
    elif hours:
        yield from ((hour * 3_600, 3_600) for hour in hours)
    else:
        yield 0, 86_400


def _in(parts: dict[str, str], moment: datetime, unit: int) -> bool:
    """Whether a step counts by its minute or second, if it goes by these."""
    name, number = ("BYMINUTE", moment.minute) if unit == 60 else ("BYSECOND", moment.second)
    return unit == 3_600 or name not in parts or number in (min(one, 59) for one in _numbers(parts, name))


def _daily(parts: dict[str, str], first: datetime, last: datetime, step: int) -> Iterator[datetime]:
    day, clocks = first.date(), _clocks(parts, first)
    while day <= last.date():
        if _counts(parts, day):
            yield from _placed(parts, [datetime.combine(day, clock) for clock in clocks])
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
    if numbers and not {day.day, day.day - monthrange(day.year, day.month)[1] - 1} & set(numbers):
        return False
    place = day.timetuple().tm_yday
    return "BYYEARDAY" not in parts or bool({place, place - 367 + (not isleap(day.year))} & set(_numbers(parts, "BYYEARDAY")))


def _numbers(parts: dict[str, str], name: str) -> list[int]:
    return [int(one) for one in parts[name].split(",")] if name in parts else []
