"""Random rules, expanded by us, by the library of RFC 5545, by dateutil and by libical: all see the same.

60 here, 300 of the last test; all 3,000: `RANDOM_RULES=3000 pytest tests/unit/mime/formats/test_random_rules.py`, and
`python -m tests.bench.recurrence`, which prints a table.
"""

from __future__ import annotations

import os
import random
import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rruleset, rrulestr

from tests.bench.recurrence import SEED
from tests.support import random_rules
from tests.support.calendar_texts import calendar, moment
from tests.support.libical import Libical, NotHere
from webmail.mime.formats.calendars import calendar_object, calendar_parsing
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.recurrence import occurrences

MANY = int(os.environ.get("RANDOM_RULES", "60"))
FROM, UNTIL = "2024-01-01", "2027-01-01"
UTC_ZONE = ZoneInfo("UTC")
ZONES = ("", "Z", "Europe/Paris", "America/New_York", "Australia/Sydney", "Asia/Kolkata")
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def _some(dice: random.Random, values: range | tuple[str, ...], most: int = 3) -> str:
    return ",".join(map(str, dice.sample(list(values), dice.randint(1, most))))


def _rule(dice: random.Random) -> str:
    frequency = dice.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY", "MONTHLY", "HOURLY"])
    parts = [f"FREQ={frequency}"]
    if dice.random() < 0.5 or frequency == "HOURLY":
        parts.append(f"INTERVAL={dice.randint(1, 5) if frequency != 'HOURLY' else dice.choice([8, 12, 36, 100])}")
    kind = dice.random()
    if frequency == "WEEKLY" and kind < 0.6:
        parts.append(f"BYDAY={_some(dice, DAYS)}")
    elif frequency == "MONTHLY" and kind < 0.7:
        days = [dice.choice(["1", "2", "3", "-1", "-2", "+4", "5", ""]) + day for day in dice.sample(DAYS, dice.randint(1, 3))]
        parts.append(f"BYDAY={','.join(days)}" if kind < 0.4 else f"BYMONTHDAY={_some(dice, range(1, 32))}")
        if kind < 0.2:
            parts.append(f"BYSETPOS={dice.choice([1, 2, -1])}")
    elif frequency == "YEARLY" and kind < 0.7:
        parts.append(f"BYMONTH={_some(dice, range(1, 13))}" if kind < 0.4 else f"BYWEEKNO={_some(dice, range(1, 54))}")
        parts.append(f"BYDAY={_some(dice, DAYS)}" if kind > 0.2 else f"BYMONTHDAY={_some(dice, range(1, 29))}")
    elif frequency == "DAILY" and kind < 0.3:
        parts.append(f"BYDAY={_some(dice, DAYS)}")
    if dice.random() < 0.3:
        parts.append(f"WKST={dice.choice(['SU', 'MO'])}")
    if dice.random() < 0.4:
        parts.append(f"COUNT={dice.randint(1, 60)}")
    return ";".join(parts)


def _event(dice: random.Random) -> tuple[str, str, datetime, list[datetime], list[datetime]]:
    """The lines of an event; its zone ("D": whole days), beginning, exceptions and dates more."""
    zone = dice.choice([*ZONES, "D"])
    start = datetime(
        dice.randint(2021, 2026), dice.randint(1, 12), dice.randint(1, 28), dice.randint(4, 22), dice.choice([0, 30])
    )
    start = start.replace(hour=0, minute=0) if zone == "D" else start
    rule = _rule(dice) if zone != "D" else _rule(dice).replace("HOURLY", "DAILY")
    if "COUNT" not in rule and dice.random() < 0.4:
        rule += f";UNTIL={_text(start + timedelta(days=dice.randint(0, 4000)), 'D' if zone == 'D' else zone, ends=True)}"
    known = list(rrulestr(rule.partition(";UNTIL")[0], dtstart=start).between(start, datetime(2027, 1, 1), inc=True))
    gone = dice.sample(known, min(len(known), dice.randint(0, 3))) if known else []
    more = [start + timedelta(days=dice.randint(1, 3000)) for _ in range(dice.choice([0, 0, 0, 1, 2]))]
    lines = [_line("DTSTART", zone, [start]), f"RRULE:{rule}"]
    lines += [_line("EXDATE", zone, gone)] if gone else []
    lines += [_line("RDATE", zone, more)] if more else []
    lines += ["DURATION:P1D"] if zone == "D" else []
    return "|".join(lines), zone, start, gone, more


def _line(name: str, zone: str, moments: list[datetime]) -> str:
    params = ";VALUE=DATE" if zone == "D" else f";TZID={zone}" if zone not in ("", "Z") else ""
    return f"{name}{params}:{','.join(_text(one, zone) for one in moments)}"


def _text(at: datetime, zone: str, *, ends: bool = False) -> str:
    if zone == "D":
        return f"{at:%Y%m%d}"
    if ends and zone not in ("", "Z"):
        return f"{at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return f"{at:%Y%m%dT%H%M%S}" + ("Z" if zone == "Z" else "")


def _expected(text: str, zone: str, start: datetime, gone: list[datetime], more: list[datetime]) -> list[int]:
    """By dateutil alone, by the clock of the zone."""
    rule = next(line for line in text.split("|") if line.startswith("RRULE:"))[6:]
    head, _until, end = rule.partition(";UNTIL=")
    if end:
        last = datetime.strptime(end.rstrip("Z"), "%Y%m%dT%H%M%S" if "T" in end else "%Y%m%d")
        if end.endswith("Z") and zone != "Z":
            last = last.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        head += f";UNTIL={last:%Y%m%dT%H%M%S}"
    found = rruleset()
    found.rrule(rrulestr(_united(head), dtstart=start))
    found.rdate(start)
    for one in more:
        found.rdate(one)
    for one in gone:
        found.exdate(one)
    tz = {"D": UTC_ZONE, "Z": UTC_ZONE, "": UTC_ZONE}.get(zone) or ZoneInfo(zone)
    low, high = (datetime.fromisoformat(day) for day in (FROM, UNTIL))
    clocks = found.between(low - timedelta(days=2), high + timedelta(days=2), inc=True)
    moments = {int(one.replace(tzinfo=tz).timestamp()) for one in clocks}
    return sorted(at for at in moments if moment(FROM, UTC_ZONE) <= at < moment(UNTIL, UTC_ZONE))


def _united(rule: str) -> str:
    """RFC 5545 means "the first Monday and each Tuesday" by BYDAY=1MO,TU; dateutil looks for days that are both, unless all have numbers."""
    name = re.search(r"BYDAY=([^;]+)", rule)
    if name is None or "FREQ=MONTHLY" not in rule or not re.search(r"\d", name[1]):
        return rule
    named = [day if day[:-2] else ",".join(f"{number}{day}" for number in range(1, 6)) for day in name[1].split(",")]
    return rule.replace(name[0], f"BYDAY={','.join(named)}")


def _by_library(read: calendar_object.ReadObject) -> list[int]:
    parsed = calendar_parsing.read_calendar(read.reduced)
    for event in parsed.walk("VEVENT"):
        occurrences.end_rule(event, moment(UNTIL, UTC_ZONE))
    found = occurrences.library().of(parsed).between(*(datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (FROM, UNTIL)))
    return sorted({occurrences.taking(event, UTC_ZONE).start for event in found})


@pytest.mark.timeout(3600)
def test_all_see_the_same() -> None:
    dice, refused = random.Random(20260917), 0
    low, high = moment(FROM, UTC_ZONE), moment(UNTIL, UTC_ZONE)
    for number in range(MANY):
        lines, *about = _event(dice)
        try:
            read = calendar_object.read(calendar(lines))
        except UnusableCalendarError:
            refused += 1
            continue
        found = [one for one in occurrences.expand(read, low, high, UTC_ZONE).takings if one.start >= low]
        starts = sorted(one.start for one in found)
        assert starts == _expected(lines, *about), (number, lines)
        if number % 10 == 0:  # it is slow
            assert [at for at in _by_library(read) if at >= low] == starts, (number, lines)
        assert len({one.recurrence_id for one in found}) == len(found), (number, lines)
    assert refused < MANY / 5  # by the guard, which knows contradictions only roughly


def test_days_are_as_long_as_written() -> None:
    """A part of a long series, wherever one looks: the same as of the whole."""
    dice = random.Random(7)
    for number in range(MANY // 6):
        lines = _event(dice)[0]
        try:
            read = calendar_object.read(calendar(lines))
        except UnusableCalendarError:
            continue
        day = date(2024, 1, 1) + timedelta(days=dice.randint(0, 1000))
        low, high = (moment(f"{one}", UTC_ZONE) for one in (day, day + timedelta(days=60)))
        whole = occurrences.expand(read, moment(FROM, UTC_ZONE), moment(UNTIL, UTC_ZONE), UTC_ZONE).takings
        part = occurrences.expand(read, low, high, UTC_ZONE).takings
        wanted = {one for one in whole if one.start < high and (one.end > low or one.start >= low)}
        assert set(part) == wanted, (number, lines)


def test_rules_of_all_kinds_are_as_libical_and_dateutil_say() -> None:
    """Each difference has its reason, and nothing that applies is refused."""
    try:
        with Libical() as libical:
            found = random_rules.compare(MANY * 5, SEED, libical)
    except NotHere as reason:
        pytest.skip(str(reason))
    assert (found.refused, found.unknown) == ([], [])
    assert found.equal > MANY * 5 * 0.7
