"""Term dates: those of a series that are in school holidays are left out, as EXDATEs, which every device understands.

`X-TRABOULE-TERM` notes the zone and the days that were left out so, to find them again when the series or the holidays change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import Component, made_text
from webmail.mime.formats.recurrence import recurrence_edit
from webmail.mime.formats.recurrence.series import CannotChangeError, Clock, Series, as_time, filter_dates, series_of

_NOTE = "X-TRABOULE-TERM"
_MOST_DAYS = 2_000
_BEYOND = timedelta(days=730)  # where one is looked for that takes place


@dataclass(frozen=True, slots=True)
class Holidays:
    """Those of a zone: from a day until before another."""

    zone: str
    periods: tuple[tuple[date, date], ...]

    @property
    def end(self) -> date | None:
        """The first day of which nothing is known."""
        return max((end for _begin, end in self.periods), default=None)

    def has(self, day: date) -> bool:
        return any(begin <= day < end for begin, end in self.periods)


@dataclass(frozen=True, slots=True)
class TermNote:
    """What a series says that it leaves out."""

    zone: str
    days: tuple[date, ...]


def left_out(master: Component | None) -> TermNote | None:
    """None where a series takes place in the holidays too."""
    if master is None or master.first(_NOTE) is None:
        return None
    zone, _colon, text = master.text(_NOTE).rpartition(":")
    days = set()
    for word in text.split()[:_MOST_DAYS]:
        try:
            days.add(date.fromisoformat(word))
        except ValueError:
            continue
    return TermNote(zone, tuple(sorted(days)))


def without(text: str) -> str:
    """The series with what was left out so. Raises CannotChangeError."""
    series = series_of(text) if _NOTE in text else None
    known = left_out(series.master) if series is not None else None
    if series is None or series.master is None or known is None:
        return text
    filter_dates(series, "EXDATE", lambda clock: as_time(clock).date() not in known.days)
    series.master.remove(_NOTE)
    return str(series.root)


def leave_out(text: str, holidays: Holidays) -> str:
    """The series without those of it that are in these holidays. Raises CannotChangeError where none would be left."""
    series = series_of(text)
    master, end = series.master, holidays.end
    if master is None or not master.value("RRULE"):
        return text
    wanted = _wanted(series, holidays, end) if end is not None else []
    days = " ".join(sorted({as_time(clock).date().isoformat() for clock in wanted}))
    master.put(made_text(_NOTE, f"{holidays.zone}:{days}"))
    if wanted:
        master.add(event_edit.written("EXDATE", [series.stamp(clock) for clock in wanted]))
    return str(series.root)


def touched(text: str) -> str:
    """The same series as changed now."""
    series = series_of(text)
    if series.master is not None:
        event_edit.touch(series.master, timed=True)
    return str(series.root)


def same(value: str, other: str) -> bool:
    """Whether two texts of a series leave out the same."""
    return left_out(series_of(value).master) == left_out(series_of(other).master)


def _wanted(series: Series, holidays: Holidays, end: date) -> Sequence[Clock]:
    """When it would take place in the holidays; what was changed by itself stays."""
    start = series.start
    assert series.master is not None
    all_days = datetime.combine(end + _BEYOND, time())
    found = recurrence_edit.dates(series.master.value("RRULE"), start.at, all_days, start.tz)
    gone = {as_time(clock) for clock in series.dates("EXDATE")}
    changed = {as_time(clock) for one in series.overrides if (clock := series.clock_of(one)) is not None}
    off = [at for at in found if holidays.has(at.date()) and at not in changed and at not in gone][:_MOST_DAYS]
    if off and not set(found) - set(off) - gone and not series.dates("RDATE"):
        raise CannotChangeError("term")
    return [at.date() if start.is_day else at for at in off]
