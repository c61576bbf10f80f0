"""Random rules of all kinds (RFC 5545, 3.3.10), and when they apply by others: dateutil and libical."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from tests.support.calendar_texts import calendar
from tests.support.libical import Libical
from webmail.mime.formats.calendars import calendar_object
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.recurrence import occurrences

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FREQUENCIES = ("YEARLY", "YEARLY", "MONTHLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
ZONES = ("", "Z", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
WHOLE_DAY = "D"
MOST = 40  # times of a rule that are compared
STEP = {"SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3_600}
_YEARS = timedelta(days=366 * 12)


@dataclass(frozen=True)
class RandomRule:
    """A rule, where it begins by the clock, and its zone ("": none, "D": whole days). UNTIL in it is by the clock too."""

    rule: str
    start: datetime
    zone: str

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo("UTC" if self.zone in ("", "Z", WHOLE_DAY) else self.zone)

    @property
    def before(self) -> datetime:
        """How far it is looked at."""
        step = next((seconds for name, seconds in STEP.items() if f"FREQ={name}" in self.rule), 0)
        return self.start + (timedelta(seconds=step * 20_000) if step else _YEARS)

    @property
    def text(self) -> str:
        """Its event."""
        rule, until, last = self.rule.partition(";UNTIL=")
        if until and self.zone not in ("", WHOLE_DAY):
            at = datetime.strptime(last, "%Y%m%dT%H%M%S").replace(tzinfo=self.tz).astimezone(UTC)
            last = f"{at:%Y%m%dT%H%M%SZ}"
        params = {"": "", "Z": "", WHOLE_DAY: ";VALUE=DATE"}.get(self.zone, f";TZID={self.zone}")
        value = (
            f"{self.start:%Y%m%d}" if self.zone == WHOLE_DAY else f"{self.start:%Y%m%dT%H%M%S}" + self.zone * (self.zone == "Z")
        )
        return calendar(f"DTSTART{params}:{value}|RRULE:{rule}{until}{last}")

    def moments(self, clocks: list[datetime]) -> list[int]:
        """Seconds since 1970. An hour that the clock skips is as before it (3.3.5), and the same moment is there once."""
        return sorted({int(one.replace(tzinfo=self.tz).timestamp()) for one in clocks})


def _numbered(dice: random.Random, most: int) -> str:
    """Days with numbers, some of them without."""
    numbers = ["", *range(1, most + 1), *range(-most, 0)]
    return ",".join(f"{dice.choice(numbers)}{day}" for day in dice.sample(DAYS, dice.randint(1, 3)))


def _signed(dice: random.Random, most: int, many: int) -> str:
    return ",".join(str(one) for one in dice.sample([*range(1, most + 1), *range(-most, 0)], dice.randint(1, many)))


def make(dice: random.Random) -> RandomRule:
    """A rule of the grammar, with what its frequency may have (the table of 3.3.10)."""
    zone = dice.choice((*ZONES, WHOLE_DAY))
    frequency = dice.choice([one for one in FREQUENCIES if zone != WHOLE_DAY or one not in STEP])
    start = datetime(
        2024 + dice.randint(0, 3), dice.randint(1, 12), dice.randint(1, 28), dice.randint(0, 23), dice.choice((0, 30))
    )
    start = start.replace(hour=0, minute=0) if zone == WHOLE_DAY else start
    parts = [f"FREQ={frequency}"]
    if dice.random() < 0.5:
        parts.append(f"INTERVAL={dice.choice((1, 2, 2, 3, 4, 5, 6, 7, 12))}")
    by = _by(dice, frequency, start)
    if zone != WHOLE_DAY:
        by += _clocks(dice, start if frequency in STEP else None)
    if by and dice.random() < 0.3:
        places = (1, -1) if frequency in (*STEP, "DAILY") else (1, -1, _signed(dice, 4, 2))
        by.append(f"BYSETPOS={dice.choice(places)}")
    parts += by
    if dice.random() < 0.4:
        parts.append(f"WKST={dice.choice(DAYS)}")
    end = dice.random()
    if end < 0.4 or (frequency in STEP and end > 0.6):
        parts.append(f"COUNT={dice.randint(1, 60)}")
    elif end < 0.6:
        last = start + timedelta(days=1) / 86_400 * STEP.get(frequency, 86_400) * dice.randint(0, 3_000)
        parts.append(f"UNTIL={last:%Y%m%d}" if zone == WHOLE_DAY else f"UNTIL={last:%Y%m%dT%H%M%S}")
    return RandomRule(";".join(parts), start, zone)


def _by(dice: random.Random, frequency: str, start: datetime) -> list[str]:
    """Months and days; of rules that go by hours or less often those of the beginning, or nothing would be there to compare."""
    found, often = [], frequency in STEP
    if dice.random() < 0.35:
        own = [start.month] if often or dice.random() < 0.5 else []
        found.append(_listed("BYMONTH", dice, range(1, 13), 4, own))
    kind = dice.random()
    if frequency == "YEARLY" and kind < 0.15:
        found.append(_listed("BYWEEKNO", dice, (*range(1, 54), *range(-53, 0)), 3))
        if dice.random() < 0.6:
            found.append(_listed("BYDAY", dice, DAYS, 3))
    elif (frequency == "YEARLY" or often) and kind < 0.3:
        own = [start.timetuple().tm_yday] if often else []
        found.append(_listed("BYYEARDAY", dice, (*range(1, 367), *range(-366, 0)), 12 if often else 5, own))
    elif frequency != "WEEKLY" and kind < 0.55:
        own = [start.day] if often or dice.random() < 0.3 else []
        found.append(_listed("BYMONTHDAY", dice, (*range(1, 32), *range(-31, 0)), 4, own))
    if not any("BYWEEKNO" in one for one in found) and dice.random() < (0.7 if frequency == "WEEKLY" else 0.4):
        rarely = any("DAY=" in one for one in found)  # hardly any 13th is a second Friday
        if frequency in ("MONTHLY", "YEARLY") and dice.random() < (0.05 if rarely else 0.7):
            in_year = frequency == "YEARLY" and not any("BYMONTH=" in one for one in found)
            found.append(f"BYDAY={_numbered(dice, 53 if in_year else 5)}")
        else:
            found.append(_listed("BYDAY", dice, DAYS, 5, [DAYS[start.weekday()]] if often else []))
    return found


def _listed(
    name: str, dice: random.Random, values: range | tuple[int | str, ...], most: int, own: Sequence[int | str] = ()
) -> str:
    """A part with some of these values, in their order: libical goes by the order in which hours are written."""
    chosen = {*dice.sample(list(values), dice.randint(1, min(most, len(values)))), *own}
    return f"{name}={','.join(str(one) for one in [*values] if one in chosen)}"


def _clocks(dice: random.Random, start: datetime | None) -> list[str]:
    """Hours, minutes and seconds; with those of the beginning, if it is given."""
    found = []
    for name, values, chance in (
        ("BYHOUR", range(24), 0.25),
        ("BYMINUTE", (0, 15, 30, 45, 59), 0.15),
        ("BYSECOND", (0, 20, 59), 0.08),
    ):
        if dice.random() < chance:
            own = [getattr(start, name[2:].lower())] if start else []
            found.append(_listed(name, dice, values, 4, own))
    return found


def ours(one: RandomRule, before: datetime) -> list[int]:
    """As pages and devices see it. Raises UnusableCalendarError."""
    read = calendar_object.read(one.text)
    low, high = (one.moments([at])[0] for at in (one.start, before))
    return sorted(taking.start for taking in occurrences.expand(read, low, high, ZoneInfo("UTC")).takings)


def by_dateutil(one: RandomRule, most: int, before: datetime) -> list[datetime]:
    """By the clock. It looks on until the year 9999: so ask for no more than there are."""
    try:
        return list(takewhile(lambda at: at < before, islice(rrulestr(one.rule, dtstart=one.start), most)))
    except ValueError:  # "generates an empty set"
        return []


@dataclass(frozen=True)
class Difference:
    """Rules of which another sees other times than we do, for a reason that is known; the words say what it does, and what is right."""

    other: str
    words: str
    pattern: str


# in this order: a rule has the first reason that fits it
DIFFERENCES = (
    Difference("dateutil", "days of which only some have numbers: those that are both, instead of either",
               r"FREQ=(MONTHLY|YEARLY)(?=.*BYDAY=)(?=.*[=,-][0-9]+(MO|TU|WE|TH|FR|SA|SU))(?=.*[=,](MO|TU|WE|TH|FR|SA|SU))"),
    Difference("dateutil", "weeks without days: all seven, instead of the one of the beginning",
               r"^(?!.*BY(DAY|MONTHDAY|YEARDAY)=).*BYWEEKNO"),
    Difference("dateutil", "places in the first week: counted from the beginning, instead of from the week's",
               r"FREQ=WEEKLY.*BYSETPOS"),
    Difference("libical", "places in a week, a day or less: passed over", r"FREQ=(SECONDLY|MINUTELY|HOURLY|DAILY|WEEKLY).*BYSETPOS"),
    Difference("libical", "places of months and years: days are counted, instead of times",
               r"FREQ=(MONTHLY|YEARLY).*BY(HOUR|MINUTE|SECOND)=.*BYSETPOS"),
    Difference("libical", "hours, minutes or seconds, of which some count: steps of another length, one twice, or the first left out",
               r"FREQ=(HOURLY|MINUTELY|SECONDLY).*BY(HOUR|MINUTE|SECOND)="),
    Difference("libical", "weeks from the end: of 53, where the year has 52", r"BYWEEKNO=[^;]*-"),
    Difference("libical", "days of a month each year: in the month of the beginning alone, instead of in all",
               r"FREQ=YEARLY(?!.*BY(MONTH|YEARDAY|WEEKNO)=).*BYMONTHDAY="),
    Difference("libical", "every so many weeks, with Sundays or weeks that begin on another day than Monday: other weeks",
               r"FREQ=WEEKLY;INTERVAL=.*(WKST=(?!MO)|BYDAY=[A-Z,]*SU)"),
    Difference("libical", "places among numbered days of a month: in the order in which these are written",
               r"FREQ=MONTHLY.*BYMONTHDAY=.*BYSETPOS="),
    Difference("libical", "what is refused that the grammar has", r"FREQ=YEARLY.*BY(WEEKNO|YEARDAY|SETPOS)="),
)  # fmt: skip


# dateutil finds other days than those that count, not in their order, or looks for minutes on end
ENDLESS = re.compile(r"FREQ=(MINUTELY|SECONDLY).*BY(MONTH|MONTHDAY|YEARDAY|DAY)=")


@dataclass
class Comparison:
    """What came of many rules."""

    rules: int = 0
    equal: int = 0
    never: int = 0  # of which nobody finds a time; `refused_never`: which we refuse for that
    refused_never: int = 0
    refused: list[str] = field(default_factory=list)
    known: Counter[Difference] = field(default_factory=Counter)
    unknown: list[str] = field(default_factory=list)


def compare(many: int, seed: int, libical: Libical) -> Comparison:
    """Ours beside both others."""
    dice, found = random.Random(seed), Comparison(many)
    for _number in range(many):
        one = make(dice)
        theirs = libical.expand(one.start, one.rule, MOST, one.before)
        before = theirs[-1] + timedelta(seconds=1) if len(theirs) == MOST and not isinstance(theirs, str) else one.before
        try:
            mine = ours(one, before)
        except UnusableCalendarError as error:
            often = any(f"FREQ={name};" in one.rule for name in STEP)
            if theirs and (often or by_dateutil(one, 1, before)):
                found.refused.append(f"{one.start} {one.zone} {one.rule}: {error}")
            else:
                found.refused_never += 1
            continue
        _put_beside(one, mine, theirs, before, found)
    return found


def _put_beside(one: RandomRule, mine: list[int], libical: list[datetime] | str, before: datetime, found: Comparison) -> None:
    """Without the beginning, which is one of its times whatever the rule says (3.8.5.3)."""
    first = one.moments([one.start])[0]
    times = [at for at in mine if at != first]
    others = {"libical": None if isinstance(libical, str) else [at for at in one.moments(libical) if at != first]}
    if times and not ENDLESS.search(one.rule):
        most = len(times) + (by_dateutil(one, 1, before) == [one.start])
        others["dateutil"] = [at for at in one.moments(by_dateutil(one, most, before)) if at != first]
    if not times and not libical:
        found.never += 1
        return
    differing = [name for name, theirs in others.items() if theirs != times]
    found.equal += not differing
    for name in differing:
        reason = next((known for known in DIFFERENCES if known.other == name and re.search(known.pattern, one.rule)), None)
        if reason is not None:
            found.known[reason] += 1
        else:
            found.unknown.append(f"{name}: {one.start} {one.zone} {one.rule}")
