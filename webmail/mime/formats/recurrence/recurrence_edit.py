"""Recurrence rules changed: cut at a moment, moved to another day; for rules that `recurrence_rules.check` lets pass."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice
from typing import Any

from webmail.mime.formats.recurrence import stepped_rules

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_MOST = 60_000  # occurrences that are counted
_SEARCHED = timedelta(days=366 * 10)  # how far the next time of a rule by steps is looked for


def parts_of(rule: str) -> dict[str, str]:
    """The parts of a rule by their names, in capitals and in their order."""
    pairs = (part.partition("=")[::2] for part in rule.strip().upper().split(";") if part)
    return {name.strip(): value.strip() for name, value in pairs}


def text_of(parts: dict[str, str]) -> str:
    return ";".join(f"{name}={value}" for name, value in parts.items())


def until_text(last: date | datetime, tz: tzinfo | None) -> str:
    """UNTIL for what begins on a day, at a time by the clock of a zone (then it is UTC), or wherever one is."""
    if not isinstance(last, datetime):
        return f"{last.year:04}{last:%m%d}"
    if tz is not None:
        last = last.replace(tzinfo=tz).astimezone(UTC)
    return f"{last.year:04}{last:%m%dT%H%M%S}" + ("Z" if tz is not None else "")


def until_of(parts: dict[str, str], tz: tzinfo | None) -> datetime | None:
    """The last moment by the clock of the zone; of a day: its end."""
    text = parts.get("UNTIL", "")
    try:
        day = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
        if len(text) < 15:
            return datetime.combine(day, time(23, 59, 59))
        at = datetime.combine(day, time(int(text[9:11]), int(text[11:13]), min(int(text[13:15]), 59)))
        return at.replace(tzinfo=UTC).astimezone(tz).replace(tzinfo=None) if text.endswith("Z") and tz is not None else at
    except (ValueError, OverflowError):
        return None


def dates(rule: str, start: date | datetime, before: datetime, tz: tzinfo | None) -> list[datetime]:
    """When a rule applies from `start` to before a moment, by the clock."""
    return list(islice(_dates(rule, start, before, tz), _MOST))


def first_times(rule: str, start: date | datetime, count: int, tz: tzinfo | None) -> list[datetime]:
    """The first times that a rule applies from `start` on, within ten years, by the clock."""
    try:
        return list(islice(_dates(rule, start, _as_time(start) + _SEARCHED, tz), count))
    except OverflowError:
        return []


def _dates(rule: str, start: date | datetime, before: datetime, tz: tzinfo | None) -> Iterator[datetime]:
    from dateutil.rrule import rrulestr  # imported when first needed

    parts = stepped_rules.as_meant(parts_of(rule), start)
    first = start if isinstance(start, datetime) else datetime(start.year, start.month, start.day)
    last = min([before - timedelta(seconds=1), *([end] if (end := until_of(parts, tz)) is not None else [])])
    count = int(parts.pop("COUNT", _MOST))
    if stepped_rules.is_stepped(parts):
        return islice(stepped_rules.moments(parts, first, last), count)
    parts["UNTIL"] = f"{last.year:04}{last:%m%dT%H%M%S}"  # bounds the search
    found: Any = rrulestr(text_of(parts), dtstart=first)
    return islice(found, count)


def first_from(rule: str, start: date | datetime, moment: date | datetime, tz: tzinfo | None) -> datetime | None:
    """When a rule applies first from a moment on, by the clock; None for never (again)."""
    from dateutil.rrule import rrulestr  # imported when first needed

    parts = stepped_rules.as_meant(parts_of(rule), start)
    end = until_of(parts, tz)
    if stepped_rules.is_stepped(parts):
        after = _as_time(moment)
        return next((one for one in _dates(rule, start, after + _SEARCHED, tz) if one >= after), None)
    parts.pop("UNTIL", None)
    found: Any = rrulestr(text_of(parts), dtstart=_as_time(start)).after(_as_time(moment), inc=True)
    return None if found is None or (end is not None and found > end) else found


def cut(rule: str, start: date | datetime, moment: date | datetime, tz: tzinfo | None) -> tuple[str, str]:
    """The rule until before a moment at which it applies, and from it on. The first is "" if there is nothing before."""
    parts, before = parts_of(rule), dates(rule, start, _as_time(moment), tz)
    if not before:
        return "", rule
    first, then = dict(parts), dict(parts)
    if "COUNT" in parts:
        first["COUNT"], then["COUNT"] = str(len(before)), str(max(int(parts["COUNT"]) - len(before), 1))
    else:
        last = before[-1] if isinstance(start, datetime) else before[-1].date()
        first["UNTIL"] = until_text(last, tz)
    return text_of(first), text_of(then)


def _as_time(moment: date | datetime) -> datetime:
    return moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day)


def moved(rule: str, old: date, new: date) -> str | None:
    """The rule when what takes place on the day `old` is moved to `new`; None where that can't be told."""
    parts = parts_of(rule)
    by = {name for name in parts if name.startswith("BY")} - {"BYHOUR", "BYMINUTE", "BYSECOND"}
    if old == new or not by:
        return rule
    frequency = parts.get("FREQ")
    if by == {"BYDAY"} and frequency in ("WEEKLY", "DAILY"):
        return _moved_week(parts, old, new)
    if frequency not in ("MONTHLY", "YEARLY") or by - {"BYMONTH", "BYMONTHDAY", "BYDAY"} or {"BYMONTHDAY", "BYDAY"} <= by:
        return None
    if "BYMONTH" in by:
        if parts["BYMONTH"] != str(old.month):
            return None
        parts["BYMONTH"] = str(new.month)
    if "BYMONTHDAY" in by:
        if not _is_that_day(parts["BYMONTHDAY"], old):
            return None
        ends = parts["BYMONTHDAY"] == "-1" and new.day == monthrange(new.year, new.month)[1]
        parts["BYMONTHDAY"] = "-1" if ends else str(new.day)
    if "BYDAY" in by:
        places = nth_of(old)
        if "," in parts["BYDAY"]:
            return _moved_places(parts, old, new)
        if parts["BYDAY"].removeprefix("+") not in places:
            return None
        last = parts["BYDAY"].startswith("-1") and nth_of(new)[-1].startswith("-1")
        parts["BYDAY"] = nth_of(new)[-1 if last else 0]
    return text_of(parts)


def _moved_places(parts: dict[str, str], old: date, new: date) -> str | None:
    """Of "the first and third Monday": another weekday, where that is at the same place of its month."""
    was, to = DAYS[old.weekday()], DAYS[new.weekday()]
    names = parts["BYDAY"].replace("+", "").split(",")
    same_place = {one[:-2] for one in nth_of(old)} & {one[:-2] for one in nth_of(new)}
    if any(name[-2:] != was for name in names) or not any(f"{place}{was}" in names for place in same_place):
        return None
    parts["BYDAY"] = ",".join(f"{name[:-2]}{to}" for name in names)
    return text_of(parts)


def _is_that_day(text: str, day: date) -> bool:
    last = day.day == monthrange(day.year, day.month)[1]
    return text.removeprefix("+") == str(day.day) or (text == "-1" and last)


def nth_of(day: date) -> list[str]:
    """How BYDAY of a month names a day: "2TU", and "-1TU" too if it is the last; a fifth one only so."""
    name, place = DAYS[day.weekday()], (day.day - 1) // 7 + 1
    last = day.day + 7 > monthrange(day.year, day.month)[1]
    return [*([f"{place}{name}"] if place < 5 else []), *([f"-1{name}"] if last else [])]


def _week(parts: dict[str, str], day: date) -> date:
    """The first day of its week, as the rule has weeks."""
    return day - timedelta(days=(day.weekday() - DAYS.index(parts.get("WKST", "MO"))) % 7)


def _moved_week(parts: dict[str, str], old: date, new: date) -> str | None:
    days = parts["BYDAY"].split(",")
    was, to = DAYS[old.weekday()], DAYS[new.weekday()]
    if was not in days or any(day not in DAYS for day in days):
        return None
    if was != to and len(days) > 1 and int(parts.get("INTERVAL", "1")) > 1 and _week(parts, old) != _week(parts, new):
        return None  # the others would take place in other weeks
    parts["BYDAY"] = ",".join(sorted({to if day == was else day for day in days}, key=DAYS.index))
    return text_of(parts)
