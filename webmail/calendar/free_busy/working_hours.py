"""Working hours: when and where somebody works on each weekday, as chosen among their preferences, and when that is.

Kept as a preference, which whoever looks for a time has read anyway: "08:00-12:00,13:30-17:00;09:00-17:00@telework;;...", Monday
first, and "|Europe/Paris" behind it where a telephone said hours by another clock than that of their settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from webmail import preferences
from webmail.calendar.objects import zone_of
from webmail.config.settings import Settings
from webmail.mime.formats.calendars import availability
from webmail.mime.formats.calendars.availability import DAY, MOST_SPANS, PLACES, Availability, Span, WorkDay
from webmail.models import User

USUAL = tuple(WorkDay(((8 * 60, 18 * 60),)) if day < 5 else WorkDay() for day in range(7))  # of who has chosen none


class WorkSpan(NamedTuple):
    """Some hours of work, in seconds since 1970."""

    start: int
    end: int
    place: str = ""


@dataclass(frozen=True, slots=True)
class WorkWeek:
    """Somebody's hours by the clock of their zone. `chosen`: they said so; else they are the usual ones."""

    days: tuple[WorkDay, ...]
    zone: tzinfo
    chosen: bool = False

    def on(self, day: date) -> WorkDay:
        return self.days[day.weekday()]

    def between(self, first: date, last: date) -> list[WorkSpan]:
        """The hours of these days, the soonest first: as the clock has them, on days when it changes too."""
        found = []
        for more in range((last - first).days + 1):
            day = first + timedelta(days=more)
            work = self.on(day)
            for begins, ends in work.spans:
                start, end = _moment(day, begins, self.zone), _moment(day, ends, self.zone)
                if start < end:
                    found.append(WorkSpan(start, end, work.place))
        return found


def week_of(chosen: str, settings: Settings) -> WorkWeek:
    """The hours that somebody's stored preferences say. No query."""
    own = preferences.value_in(chosen, "time_zone") or settings.timezone
    return _week(preferences.value_in(chosen, "work_hours"), own)


@lru_cache(maxsize=1024)
def _week(text: str, zone: str) -> WorkWeek:
    found = from_text(text)
    if found is None:
        return WorkWeek(USUAL, zone_of(zone))
    return WorkWeek(found.days, zone_of(found.zone or zone), chosen=True)


def to_text(found: Availability) -> str:
    """As it is kept."""
    days = ";".join(
        ",".join(f"{_clock(start)}-{_clock(end)}" for start, end in day.spans) + (f"@{day.place}" if day.place else "")
        for day in found.days
    )
    return f"{days}|{found.zone}" if found.zone else days


def from_text(text: str) -> Availability | None:
    """What is kept; None where nothing was chosen, or it is not to be read."""
    days, _bar, zone = text.partition("|")
    try:
        found = tuple(map(_day, days.split(";"))) if days else ()
    except ValueError:
        return None
    return Availability(found, zone) if len(found) == 7 and (not zone or preferences.is_zone(zone)) else None


def _day(text: str) -> WorkDay:
    hours, _at, place = text.partition("@")
    spans = tuple(minutes_of(*one.split("-", 1)) for one in hours.split(",") if one)
    if place not in PLACES or len(spans) > MOST_SPANS:
        raise ValueError(text[:60])
    return WorkDay(availability.joined(spans), place)


def minutes_of(start: str, end: str) -> Span:
    """Two times of a day such as 08:30, the end as 24:00 too. Raises ValueError."""
    found = tuple(int(one[:2]) * 60 + int(one[3:5]) for one in (start, end))
    if not 0 <= found[0] < found[1] <= DAY:
        raise ValueError(f"{start[:9]!r} to {end[:9]!r} are no hours")
    return found[0], found[1]


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _moment(day: date, minutes: int, zone: tzinfo) -> int:
    clock = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)
    return int(clock.replace(tzinfo=zone).timestamp())


def hours_away(zone: tzinfo, other: tzinfo, days: Sequence[date]) -> list[float]:
    """By how many hours the clock of `other` is ahead on these days, each difference once: it can change within a week."""
    noons = [datetime(day.year, day.month, day.day, 12, tzinfo=zone) for day in days]
    offsets = [(at.astimezone(other).utcoffset(), at.utcoffset()) for at in noons]
    return list(dict.fromkeys((there - here).total_seconds() / 3600 for there, here in offsets if there is not None and here))


# --- as devices read and write it ------------------------------------------------------------------------------------


def for_devices(user: User, settings: Settings) -> str:
    """Somebody's hours as a VAVAILABILITY: the property `calendar-availability` (RFC 7953, 7.2.4)."""
    week = week_of(user.preferences or "", settings)
    zone = week.zone.key if isinstance(week.zone, ZoneInfo) else ""
    return availability.written(Availability(week.days, zone), f"working-hours-{user.id}", datetime.now(UTC))


def take_from_device(user: User, text: str, settings: Settings) -> None:
    """Choose the hours that a device says. 3 queries. Raises UnusableAvailabilityError."""
    found = availability.read(text)
    own = preferences.for_user(user).time_zone or settings.timezone
    preferences.change(user, work_hours=to_text(Availability(found.days, "" if found.zone == own else found.zone)))
