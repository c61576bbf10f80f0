"""Rules of series: Graph's `patternedRecurrence` and RRULE (RFC 5545, 3.3.10), as far as each can say what the other says.

Where the 31st (or 29 February) does not exist, Outlook takes the last day of the month and RRULE none: only rules that say the
former have a pattern.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

DAYS = {
    "MO": "monday", "TU": "tuesday", "WE": "wednesday", "TH": "thursday", "FR": "friday", "SA": "saturday", "SU": "sunday",
}  # fmt: skip
_LETTERS = {day: letters for letters, day in DAYS.items()}
_INDEX = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_INDEX_NAMES = {number: name for name, number in _INDEX.items()}
_SHORTEST_MONTH = 28
_MOST = 99_999  # interval and count


class NoPatternError(ValueError):
    """A rule that Graph has no pattern for."""


def rule_from(recurrence: dict[str, Any], start: date | datetime) -> str:
    """The RRULE of a pattern. `start`: of the series, with its zone. Raises NoPatternError."""
    pattern, span = recurrence.get("pattern") or {}, recurrence.get("range") or {}
    parts = [*_rule_parts(pattern), *_rule_end(span, start)]
    interval = pattern.get("interval") or 1
    if interval != 1:
        parts.insert(1, f"INTERVAL={int(interval)}")
    return ";".join(parts)


def _rule_parts(pattern: dict[str, Any]) -> list[str]:
    kind = str(pattern.get("type", ""))
    month = [f"BYMONTH={int(pattern.get('month') or 1)}"] if kind.endswith("Yearly") else []
    freq = "FREQ=YEARLY" if kind.endswith("Yearly") else "FREQ=MONTHLY"
    days = [_LETTERS[day] for day in pattern.get("daysOfWeek") or [] if day in _LETTERS]
    if kind == "daily":
        return ["FREQ=DAILY"]
    if kind == "weekly" and days:
        first = _LETTERS.get(pattern.get("firstDayOfWeek") or "sunday", "SU")
        return ["FREQ=WEEKLY", f"BYDAY={','.join(days)}", *([] if first == "MO" else [f"WKST={first}"])]
    if kind in ("absoluteMonthly", "absoluteYearly"):
        return [freq, *month, *_month_day(int(pattern.get("dayOfMonth") or 1), int(pattern.get("month") or 0))]
    if kind in ("relativeMonthly", "relativeYearly") and days:
        index = _INDEX.get(pattern.get("index") or "first", 1)
        if len(days) == 1:
            return [freq, *month, f"BYDAY={index}{days[0]}"]
        return [freq, *month, f"BYDAY={','.join(days)}", f"BYSETPOS={index}"]
    raise NoPatternError(kind)


def _month_day(day: int, month: int) -> list[str]:
    """`month`: 0 for each."""
    if day <= _SHORTEST_MONTH or (month and month != 2 and day <= (30 if month in (4, 6, 9, 11) else 31)):
        return [f"BYMONTHDAY={day}"]
    return [f"BYMONTHDAY={','.join(str(one) for one in range(_SHORTEST_MONTH, day + 1))}", "BYSETPOS=-1"]


def _rule_end(span: dict[str, Any], start: date | datetime) -> list[str]:
    if span.get("type") == "numbered":
        return [f"COUNT={int(span.get('numberOfOccurrences') or 1)}"]
    if span.get("type") != "endDate":
        return []
    last = date.fromisoformat(str(span.get("endDate"))[:10])
    if not isinstance(start, datetime):
        return [f"UNTIL={last:%Y%m%d}"]
    moment = start.replace(year=last.year, month=last.month, day=last.day)
    return [f"UNTIL={moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"]


# --- the other way ---------------------------------------------------------------------------------------------------


def recurrence_from(rule: str, start: date | datetime, zone: tzinfo, zone_name: str) -> dict[str, Any]:
    """The pattern of a RRULE. `start`: as clocks of the zone have it, without one. Raises NoPatternError."""
    parts = dict(part.split("=", 1) for part in rule.upper().strip().strip(";").split(";") if "=" in part)
    freq, interval = parts.pop("FREQ", ""), _number(parts.pop("INTERVAL", "1"))
    span = _range(parts, start, zone, zone_name)
    first = parts.pop("WKST", "MO")
    makers = {"DAILY": _daily, "WEEKLY": _weekly, "MONTHLY": _monthly, "YEARLY": _yearly}
    if freq not in makers or not _begins_with(rule, start):
        raise NoPatternError(rule)
    pattern = makers[freq](parts, start, interval)
    if parts:
        raise NoPatternError(rule)
    if pattern["type"] == "weekly":
        pattern["firstDayOfWeek"] = DAYS.get(first, "monday")
    return {"pattern": {**pattern, "interval": interval}, "range": span}


def _begins_with(rule: str, start: date | datetime) -> bool:
    """Whether the start is the first time that the rule says: what Graph's series begin with."""
    from dateutil.rrule import rrulestr

    bare = ";".join(part for part in rule.split(";") if not part.upper().startswith(("UNTIL", "COUNT")))
    at = start if isinstance(start, datetime) else datetime(start.year, start.month, start.day)
    try:
        return next(iter(rrulestr(bare, dtstart=at)), None) == at
    except (ValueError, TypeError, OverflowError) as error:
        raise NoPatternError(rule) from error


def _range(parts: dict[str, str], start: date | datetime, zone: tzinfo, zone_name: str) -> dict[str, Any]:
    day = start.date() if isinstance(start, datetime) else start
    span: dict[str, Any] = {"startDate": day.isoformat(), "recurrenceTimeZone": zone_name}
    if count := parts.pop("COUNT", ""):
        return {**span, "type": "numbered", "numberOfOccurrences": _number(count)}
    until = parts.pop("UNTIL", "")
    if not until:
        return {**span, "type": "noEnd"}
    try:
        last = _last_day(until.strip(), start, zone)
    except ValueError as error:
        raise NoPatternError(until) from error
    return {**span, "type": "endDate", "endDate": max(last, day).isoformat()}


def _last_day(until: str, start: date | datetime, zone: tzinfo) -> date:
    if "T" not in until:
        return datetime.strptime(until, "%Y%m%d").date()
    moment = datetime.strptime(until.rstrip("Z"), "%Y%m%dT%H%M%S")
    if until.endswith("Z"):
        moment = moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    before = isinstance(start, datetime) and moment.time() < start.time()
    return moment.date() - timedelta(days=1 if before else 0)


def _daily(parts: dict[str, str], _start: date | datetime, interval: int) -> dict[str, Any]:
    if "BYDAY" not in parts:
        return {"type": "daily"}
    if interval != 1:
        raise NoPatternError("days of the week, every few days")
    return {"type": "weekly", "daysOfWeek": _days(parts.pop("BYDAY"))}


def _weekly(parts: dict[str, str], start: date | datetime, _interval: int) -> dict[str, Any]:
    named = parts.pop("BYDAY", "") or list(DAYS)[start.weekday()]
    return {"type": "weekly", "daysOfWeek": _days(named)}


def _monthly(parts: dict[str, str], start: date | datetime, _interval: int) -> dict[str, Any]:
    if "BYDAY" in parts:
        return {"type": "relativeMonthly", **_nth_day(parts)}
    return {"type": "absoluteMonthly", "dayOfMonth": _day_of_month(parts, start, 0)}


def _yearly(parts: dict[str, str], start: date | datetime, _interval: int) -> dict[str, Any]:
    month = _number(parts.pop("BYMONTH", "") or str(start.month)) if "BYDAY" not in parts or "BYMONTH" in parts else 0
    if not 1 <= month <= 12:
        raise NoPatternError("weeks of a year")
    if "BYDAY" in parts:
        return {"type": "relativeYearly", "month": month, **_nth_day(parts)}
    return {"type": "absoluteYearly", "month": month, "dayOfMonth": _day_of_month(parts, start, month)}


def _day_of_month(parts: dict[str, str], start: date | datetime, month: int) -> int:
    named = parts.pop("BYMONTHDAY", "") or str(start.day)
    if named == "-1" and parts.pop("BYSETPOS", "") in ("", "1", "-1"):
        return 31
    days = [_number(part) for part in named.split(",")]
    if len(days) > 1:
        if parts.pop("BYSETPOS", "") != "-1" or sorted(days) != list(range(_SHORTEST_MONTH, max(days) + 1)):
            raise NoPatternError("several days of a month")
        return max(days)
    if _month_day(days[0], month) != [f"BYMONTHDAY={days[0]}"] or not 1 <= days[0] <= 31:
        raise NoPatternError("a day that not each month has")
    return days[0]


def _nth_day(parts: dict[str, str]) -> dict[str, Any]:
    named, position = parts.pop("BYDAY"), parts.pop("BYSETPOS", "")
    if not position:
        position, named = named[:-2], named[-2:]
    if position.lstrip("+-").isdigit() and int(position) in _INDEX_NAMES:
        return {"daysOfWeek": _days(named), "index": _INDEX_NAMES[int(position)]}
    raise NoPatternError(f"{position} of {named}")


def _days(named: str) -> list[str]:
    found = {part.strip() for part in named.split(",")}
    if not found <= set(DAYS):
        raise NoPatternError(named)
    return [day for letters, day in DAYS.items() if letters in found]


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= _MOST:
        raise NoPatternError(text)
    return int(text)
