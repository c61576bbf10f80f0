"""How an event repeats, as the form offers it: the usual rules. All others are kept as they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from webmail.mime.formats.recurrence import recurrence_edit
from webmail.mime.formats.recurrence.recurrence_edit import DAYS

KINDS = ("", "daily", "weekdays", "weekly", "monthly", "monthly-day", "monthly-last", "monthly-days", "yearly", "kept")
PLACES = (1, 2, 3, 4, -1)  # of a weekday in its month; -1 is the last
MOST_EVERY, MOST_TIMES = 99, 999
_WEEKDAYS = (0, 1, 2, 3, 4)
_FREQUENCY = {
    "daily": "DAILY", "weekdays": "WEEKLY", "weekly": "WEEKLY", "monthly": "MONTHLY", "monthly-day": "MONTHLY",
    "monthly-last": "MONTHLY", "monthly-days": "MONTHLY", "yearly": "YEARLY",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Repeat:
    """`kind` is one of KINDS: "monthly" on the same date, "monthly-day" on the same weekday of the month (the second Monday),
    "monthly-last" on the last such weekday, "monthly-days" on several (`places`: the first and third Monday), "kept" by a rule
    that the form can't show. `days` of "weekly": 0 is Monday."""

    kind: str = ""
    every: int = 1
    days: tuple[int, ...] = ()
    until: date | None = None
    times: int = 0
    places: tuple[int, ...] = ()


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def rule_of(repeat: Repeat, start: date | datetime, tz: tzinfo | None) -> str:
    """The RRULE of what begins at `start`, by the clock of `tz` (None: wherever one is). Not for "kept"."""
    if not repeat.kind:
        return ""
    parts = {"FREQ": _FREQUENCY[repeat.kind]}
    if repeat.every > 1:
        parts["INTERVAL"] = str(repeat.every)
    day = _day(start)
    if repeat.kind == "weekdays":
        parts["BYDAY"] = ",".join(DAYS[:5])
    elif repeat.kind == "weekly" and repeat.days:
        parts["BYDAY"] = ",".join(DAYS[one] for one in sorted(set(repeat.days)))
    elif repeat.kind == "monthly-day":
        parts["BYDAY"] = recurrence_edit.nth_of(day)[0]
    elif repeat.kind == "monthly-last":
        parts["BYDAY"] = f"-1{DAYS[day.weekday()]}"
    elif repeat.kind == "monthly-days":
        places = [one for one in PLACES if one in repeat.places]
        parts["BYDAY"] = ",".join(f"{one}{DAYS[day.weekday()]}" for one in places) or recurrence_edit.nth_of(day)[0]
    if repeat.times:
        parts["COUNT"] = str(repeat.times)
    elif repeat.until:
        last = datetime.combine(repeat.until, time(23, 59, 59)) if isinstance(start, datetime) else repeat.until
        parts["UNTIL"] = recurrence_edit.until_text(last, tz)
    return recurrence_edit.text_of(parts)


def repeat_of(rule: str, start: date | datetime, tz: tzinfo | None) -> Repeat:
    """How the form shows a rule of what begins at `start`."""
    if not rule.strip():
        return Repeat()
    parts = recurrence_edit.parts_of(rule)
    kept = Repeat("kept")
    try:
        every, times = int(parts.pop("INTERVAL", "1")), int(parts.pop("COUNT", "0"))
    except ValueError:
        return kept
    until = recurrence_edit.until_of(parts, tz)
    if ("UNTIL" in parts and until is None) or not (1 <= every <= MOST_EVERY and 0 <= times <= MOST_TIMES):
        return kept
    parts.pop("UNTIL", None)
    if parts.pop("WKST", "MO") != "MO" and every > 1:
        return kept
    kind, days = _kind(parts, _day(start))
    if kind == "weekdays" and every > 1:
        kind, days = "weekly", _WEEKDAYS
    if kind == "kept":
        return kept
    places, days = (days, ()) if kind == "monthly-days" else ((), days)
    return Repeat(kind, every, days, until.date() if until else None, times, places)


def _places(names: list[str], day: date) -> tuple[str, tuple[int, ...]]:
    """Which of its months several of the same weekday are, one of which is the first of all."""
    wanted = {f"{place}{DAYS[day.weekday()]}": place for place in PLACES}
    found = {name.removeprefix("+") for name in names}
    if found <= wanted.keys() and not found.isdisjoint(recurrence_edit.nth_of(day)):
        return "monthly-days", tuple(place for name, place in wanted.items() if name in found)
    return "kept", ()


def _kind(parts: dict[str, str], day: date) -> tuple[str, tuple[int, ...]]:
    frequency, by = parts.pop("FREQ", ""), parts.pop("BYDAY", "")
    names = by.split(",") if by else []
    days = tuple(sorted(DAYS.index(name) for name in names if name in DAYS))
    plain = len(days) == len(names)
    if frequency == "DAILY" and not parts and plain:
        return ("weekdays", ()) if days == _WEEKDAYS else ("kept", ()) if names else ("daily", ())
    if frequency == "WEEKLY" and not parts and plain:
        return ("weekdays", ()) if days == _WEEKDAYS else ("weekly", days or (day.weekday(),))
    if frequency == "MONTHLY" and len(names) > 1 and not parts:
        return _places(names, day)
    if frequency == "MONTHLY" and names and not parts:
        known = by.removeprefix("+") in recurrence_edit.nth_of(day)
        return ("kept" if not known else "monthly-last" if by.startswith("-") else "monthly-day"), ()
    if frequency == "MONTHLY" and not names:
        return ("monthly" if parts in ({}, {"BYMONTHDAY": str(day.day)}) else "kept"), ()
    if frequency == "YEARLY" and not names:
        same = {"BYMONTH": str(day.month), "BYMONTHDAY": str(day.day)}
        return ("yearly" if all(same.get(name) == value for name, value in parts.items()) else "kept"), ()
    return "kept", ()


def first_day(repeat: Repeat, day: date) -> date:
    """The first day from `day` on at which it takes place."""
    if repeat.kind == "monthly-days" and repeat.places:
        names = {f"{place}{DAYS[day.weekday()]}" for place in repeat.places}
        weeks = (day + timedelta(weeks=more) for more in range(10))
        return next((one for one in weeks if not names.isdisjoint(recurrence_edit.nth_of(one))), day)
    days = _WEEKDAYS if repeat.kind == "weekdays" else repeat.days if repeat.kind == "weekly" else ()
    return next((one for more in range(7) if (one := day + timedelta(days=more)).weekday() in days), day)
