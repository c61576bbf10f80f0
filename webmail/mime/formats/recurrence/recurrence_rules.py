"""Recurrence rules (RFC 5545, 3.3.10), judged before a library expands them: what they cost, and whether they ever apply.

The library looks for a day on which a rule applies until the year 9999, whatever the rule's end: one that never applies keeps it
busy for long. So rules for days that there are not are refused, and those that go by steps are followed by `stepped_rules`.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

from webmail.mime.formats.recurrence import stepped_rules

MOST_STEPS = 25_000  # that expanding a rule may take
_LARGEST = 1_000_000  # of counts and intervals
_LONGEST = 1_000  # characters
_YEARS_AHEAD = 3  # how far rules without an end are reckoned
OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")
_STEP = {"DAILY": 1.0, "WEEKLY": 7.0, "MONTHLY": 30.4, "YEARLY": 365.2}  # days
_ZONE_HOURS = {"BYHOUR", "BYMINUTE", "BYSECOND"}  # one of each: Notes names the hour again
_ZONE_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYDAY", "BYMONTHDAY", "WKST"} | _ZONE_HOURS
_ALWAYS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYHOUR", "BYMINUTE", "BYSECOND", "BYMONTH", "BYDAY"}
_PARTS = {
    **{often: _ALWAYS | {"BYMONTHDAY", "BYYEARDAY", "BYSETPOS"} for often in OFTEN},
    "DAILY": _ALWAYS | {"BYMONTHDAY", "BYSETPOS"},
    "WEEKLY": _ALWAYS | {"BYSETPOS"},
    "MONTHLY": _ALWAYS | {"BYMONTHDAY", "BYSETPOS"},
    "YEARLY": _ALWAYS | {"BYMONTHDAY", "BYSETPOS", "BYYEARDAY", "BYWEEKNO"},
}
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # of months
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_ALL_YEAR = tuple(range(1, 13))
_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d))?")
_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")


class UnboundedRuleError(ValueError):
    """A rule that takes too long to expand, or may never apply."""


def check_zone(rule: str) -> None:
    """Check the rule of a time zone: it changes once a year. Raises UnboundedRuleError."""
    parts = _parts(rule)
    if parts.get("FREQ") != "YEARLY" or set(parts) - _ZONE_PARTS or parts.get("INTERVAL", "1") != "1":
        raise UnboundedRuleError("a time zone that changes otherwise than once a year")
    if any(not parts.get(name, "0").isdigit() for name in _ZONE_HOURS):
        raise UnboundedRuleError("a time zone that changes otherwise than once a year")
    _check_values(parts)


def check(rule: str, start: str) -> None:
    """Check the rule of what begins at `start` (DTSTART). Raises UnboundedRuleError."""
    parts = _parts(rule)
    if parts.pop("RSCALE", "GREGORIAN") != "GREGORIAN" or parts.pop("SKIP", "OMIT") != "OMIT":
        raise UnboundedRuleError("a rule of another calendar")
    if parts.get("FREQ") not in _PARTS:
        raise UnboundedRuleError("a rule that does not say how often it applies")
    if not _MOMENT.match(start):
        raise UnboundedRuleError("a rule of what has no beginning")
    if unknown := set(parts) - _PARTS[parts["FREQ"]]:
        raise UnboundedRuleError(f"a rule with {sorted(unknown)[0][:20]}")
    _check_values(parts, start)


def steps(rule: str, start: str) -> float:
    """How many steps expanding this rule takes at most, of what begins at `start` (DTSTART); 0 if it is refused."""
    try:
        check(rule, start)
    except UnboundedRuleError:
        return 0.0
    return _cost(_parts(rule), start)


def steps_until(rule: str, start: str, end: datetime) -> float:
    """The same until a moment (UTC, naive), however far it is."""
    try:
        return _cost(_parts(rule), start, end)
    except (UnboundedRuleError, ValueError, TypeError, OverflowError, KeyError):
        return float("inf")


def _check_values(parts: dict[str, str], start: str = "") -> None:
    """Refuse what may never apply and, given where it begins, what takes too long."""
    try:
        _check_applies(parts, start)
        if start and _cost(parts, start) > MOST_STEPS:
            raise UnboundedRuleError("a rule that takes too long")
    except UnboundedRuleError:
        raise
    except (ValueError, TypeError, OverflowError) as error:
        raise UnboundedRuleError("a rule with values that are none") from error


def _parts(rule: str) -> dict[str, str]:
    if len(rule) > _LONGEST:
        raise UnboundedRuleError("a rule that is too long")
    return dict(part.partition("=")[::2] for part in rule.upper().split(";") if part)


def _check_applies(parts: dict[str, str], start: str) -> None:
    """Refuse what may never apply."""
    interval, frequency = int(parts.get("INTERVAL", "1")), parts["FREQ"]
    if not (1 <= interval <= _LARGEST and 1 <= int(parts.get("COUNT", "1")) <= _LARGEST):
        raise UnboundedRuleError("a rule with values that are none")  # an interval of 0 never ends
    days = [_DAY.fullmatch(one.strip()) for one in parts["BYDAY"].split(",")] if "BYDAY" in parts else []
    ordinals = [int(one[1]) for one in days if one is not None and one[1]]
    most = 53 if frequency == "YEARLY" and "BYMONTH" not in parts else 5
    if None in days or any(not 1 <= abs(number) <= most for number in ordinals):
        raise UnboundedRuleError("a rule for days that there are not")
    if frequency not in ("MONTHLY", "YEARLY") and ordinals:
        raise UnboundedRuleError("a rule with numbered days of a week")
    months = [int(one) for one in parts["BYMONTH"].split(",")] if "BYMONTH" in parts else list(_ALL_YEAR)
    if frequency == "MONTHLY":
        begins = int(start[4:6])
        reached = {(begins - 1 + interval * step) % 12 + 1 for step in range(12)}
        months = [month for month in months if month in reached]
    numbers = _numbers(parts, "BYMONTHDAY") or [1]
    if not any(1 <= month <= 12 and 1 <= abs(day) <= _LENGTHS[month - 1] for month in months for day in numbers):
        raise UnboundedRuleError("a rule for days that there are not")
    if ordinals and "BYMONTHDAY" in parts and not _ever_on(parts, [month for month in months if 1 <= month <= 12]):
        raise UnboundedRuleError("a rule for days that there are not")
    for name, last in (("BYYEARDAY", 366), ("BYWEEKNO", 53)):
        if any(not 1 <= abs(number) <= last for number in _numbers(parts, name)):
            raise UnboundedRuleError("a rule for days that there are not")
    _check_positions(parts, len(days), ordinals)


def _ever_on(parts: dict[str, str], months: list[int]) -> bool:
    """Whether a day of a month with one of these numbers is ever one of these days of the week: 28 years have all there are."""
    days, numbers = {one.strip() for one in parts["BYDAY"].split(",")}, _numbers(parts, "BYMONTHDAY")
    in_year = parts["FREQ"] == "YEARLY" and "BYMONTH" not in parts
    return any(
        (number in numbers or number - length - 1 in numbers) and _names(date(year, month, number), in_year) & days
        for year in range(2000, 2028)
        for month in months
        for length in (monthrange(year, month)[1],)
        for number in range(1, length + 1)
    )


def _names(day: date, in_year: bool) -> set[str]:
    """How BYDAY names a day: by its weekday, and by which of these it is in its month or year, from either end."""
    name = _WEEKDAYS[day.weekday()]
    begins = date(day.year, 1, 1) if in_year else day.replace(day=1)
    ends = date(day.year, 12, 31) if in_year else day.replace(day=monthrange(day.year, day.month)[1])
    from_begin, from_end = (day - begins).days // 7 + 1, (ends - day).days // 7 + 1
    return {name, f"{from_begin}{name}", f"+{from_begin}{name}", f"-{from_end}{name}"}


def _check_positions(parts: dict[str, str], days: int, ordinals: list[int]) -> None:
    positions = _numbers(parts, "BYSETPOS")
    if not positions or parts["FREQ"] == "YEARLY":
        return
    there = 1
    if days and parts["FREQ"] not in (*OFTEN, "DAILY"):
        there = days if ordinals or parts["FREQ"] == "WEEKLY" else days * 5
    elif parts["FREQ"] == "MONTHLY" and "BYMONTHDAY" in parts:
        there = len(_numbers(parts, "BYMONTHDAY"))
    times = len(stepped_rules.within_step(parts, datetime.min)) if parts["FREQ"] in OFTEN else _times(parts)
    if not any(1 <= abs(position) <= there * times for position in positions):
        raise UnboundedRuleError("a rule for a place that there is not")


def _numbers(parts: dict[str, str], name: str) -> list[int]:
    return [int(one) for one in parts[name].split(",")] if name in parts else []


def _cost(parts: dict[str, str], start: str, horizon: datetime | None = None) -> float:
    """How many steps expanding a rule takes until its end, at most."""
    interval = int(parts.get("INTERVAL", "1"))
    count = int(parts["COUNT"]) if "COUNT" in parts else None
    begins, ends = _moment(start), _moment(parts["UNTIL"]) if "UNTIL" in parts else None
    horizon = horizon or datetime.now(UTC).replace(tzinfo=None) + timedelta(days=365 * _YEARS_AHEAD)
    last = min(ends, horizon) if ends else horizon
    if parts["FREQ"] in OFTEN:
        return stepped_rules.steps_for(parts, begins, last, count or MOST_STEPS + 1, MOST_STEPS + 1)
    days = max((last - begins).days, 0) + 1
    steps = days / (_STEP[parts["FREQ"]] * interval) + 1
    each = _times(parts) * _days_in_step(parts)
    if count is not None and not any(name.startswith("BY") for name in parts):
        return min(steps, count) * each
    return max(steps * each, steps)


def _times(parts: dict[str, str]) -> int:
    """How often at most on one day (or in one hour)."""
    return _many(parts, "BYHOUR") * _many(parts, "BYMINUTE") * _many(parts, "BYSECOND")


def _days_in_step(parts: dict[str, str]) -> int:
    """On how many days at most in one step of the rule: each part that names days limits the others."""
    months = _many(parts, "BYMONTH") if "BYMONTH" in parts or parts["FREQ"] != "YEARLY" else 12
    most = {
        "WEEKLY": {"BYDAY": 1},
        "MONTHLY": {"BYDAY": 5, "BYMONTHDAY": 1},
        "YEARLY": {"BYDAY": 5 * months, "BYMONTHDAY": months, "BYYEARDAY": 1, "BYWEEKNO": 7},
    }.get(parts["FREQ"], {})
    named = [_many(parts, name) * days for name, days in most.items() if name in parts]
    return min(named, default=_many(parts, "BYMONTH") if parts["FREQ"] == "YEARLY" else 1)


def _many(parts: dict[str, str], name: str) -> int:
    return len({one.strip() for one in parts[name].split(",")}) if name in parts else 1


def _moment(value: str) -> datetime:
    match = _MOMENT.match(value)
    if match is None:
        raise UnboundedRuleError("no date")
    year, month, day, hour, minute, second = (int(one or 0) for one in match.groups())
    return datetime(year, month, day, hour, minute, min(second, 59))
