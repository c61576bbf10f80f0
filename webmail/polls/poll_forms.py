"""Form of a poll: what is typed, dates and hours apart or in one field (ISO 8601), and the wishes that it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webmail import schedule
from webmail.models import now
from webmail.polls import store
from webmail.polls.store import MOST_OPTIONS, OptionTime, PollWishes
from webmail.schedule import BadTimeError

EMPTY_LINES = 3
LINES_MORE = 5
USUAL_MINUTES = 60
WEEKS = 5  # of the small calendar
_FURTHEST = timedelta(days=3 * 366)
_LONGEST_LINE = 40
_MOST_LINES = 2 * MOST_OPTIONS


@dataclass(slots=True)
class OptionLine:
    """A line of the form: a day, and from when to when on it."""

    day: str = ""
    begins: str = ""
    ends: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.day or self.begins or self.ends)


@dataclass(slots=True)
class PollForm:
    """The form as it was typed; `errors` by field, "option-3" for a line."""

    title: str = ""
    location: str = ""
    note: str = ""
    closes: str = ""
    hidden: bool = False
    comments: bool = True
    lines: list[OptionLine] = field(default_factory=list)
    days: list[str] = field(default_factory=list)  # ticked in the small calendar
    hours: str = ""  # for each of them
    first: str = ""  # its first day
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def showing(cls, wishes: PollWishes, zone: ZoneInfo) -> PollForm:
        closes = wishes.closes.replace(tzinfo=UTC) if wishes.closes else None
        return cls(
            wishes.title, wishes.location, wishes.note, schedule.day_and_hour(closes, zone, ends=True)[0], wishes.hidden,
            wishes.comments, [_line(one, zone) for one in wishes.times],
        )  # fmt: skip

    @classmethod
    def typed(cls, values: MultiDict[str, str]) -> PollForm:
        def line(name: str, most: int = 60) -> str:
            return " ".join(values.get(name, "")[:most].replace("\0", "").split())

        days, begins, ends = (
            [" ".join(one[:_LONGEST_LINE].replace("\0", "").split()) for one in values.getlist(name)[:_MOST_LINES]]
            for name in ("option", "option_hour", "option_end")
        )
        note = values.get("note", "")[: 2 * store.LONGEST_NOTE].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
        return cls(
            line("title", 2 * store.LONGEST_TITLE), line("location", 2 * store.LONGEST_PLACE), note.strip(), line("closes"),
            bool(values.get("hidden")), values.get("comments") == "1" or "shown" not in values,
            [OptionLine(day, _at(begins, number), _at(ends, number)) for number, day in enumerate(days)],
            [one[:10] for one in values.getlist("day")[:_MOST_LINES]], line("hours", 200), line("first"),
        )  # fmt: skip

    def with_lines(self, more: int) -> PollForm:
        """The lines that hold something, and so many empty ones."""
        self.lines = [one for one in self.lines if not one.is_empty]
        self.lines += [OptionLine()] * max(0, min(more, MOST_OPTIONS - len(self.lines)))
        return self

    def add_days(self, zone: ZoneInfo) -> None:
        """Lines for the ticked days, one for each hour that is typed; those that are there stay."""
        there = {(one.day, one.begins) for one in self.lines}
        hours = self._hours()
        if self.errors:
            return
        if not self.days:
            self.errors["days"] = _("Tick at least one day.")
        fresh = [(day, hour) for day in sorted(set(self.days)) if _is_day(day) for hour in hours]
        self.lines = [one for one in self.lines if not one.is_empty]
        self.lines += [OptionLine(day, hour) for day, hour in fresh if (day, hour) not in there]
        if len(self.lines) > MOST_OPTIONS:
            self.errors["option"] = _("A poll has at most %(count)d dates.", count=MOST_OPTIONS)
        self.days = []

    def _hours(self) -> list[str]:
        """As typed, with commas between; one that is empty for whole days."""
        found = []
        for text in filter(None, (one.strip() for one in self.hours.replace(";", ",").split(","))):
            try:
                found.append(f"{schedule.time_of_day(text):%H:%M}")
            except ValueError:
                self.errors["hours"] = _("“%(text)s” is not a time. Enter times such as 9:00, 14:30.", text=text[:20])
        return found or [""]

    def first_day(self, zone: ZoneInfo) -> date:
        """Of the small calendar: a Monday."""
        day = datetime.now(zone).date()
        if _is_day(self.first):
            day = min(max(date.fromisoformat(self.first), day), day + _FURTHEST)
        return day - timedelta(days=day.weekday())

    def read(self, zone: ZoneInfo, before: Sequence[OptionTime] = ()) -> PollWishes | None:
        """The wishes, None where something is wrong: `errors` says what. Dates that it had `before` may be past."""
        if not self.title:
            self.errors["title"] = _("Say what the poll is for.")
        for name, most in (
            ("title", store.LONGEST_TITLE), ("location", store.LONGEST_PLACE), ("note", store.LONGEST_NOTE),
        ):  # fmt: skip
            if len(getattr(self, name)) > most:
                self.errors[name] = _("This is too long. Use at most %(count)d characters.", count=most)
        times = self._times(zone, before)
        if not times and not self.errors:
            self.errors["option"] = _("Enter at least one date.")
        if len(times) > MOST_OPTIONS:
            self.errors["option"] = _("A poll has at most %(count)d dates.", count=MOST_OPTIONS)
        closes = self._closing(zone, times)
        if self.errors:
            return None
        return PollWishes(self.title, times, self.location, self.note, closes, hidden=self.hidden, comments=self.comments)

    def _times(self, zone: ZoneInfo, before: Sequence[OptionTime]) -> list[OptionTime]:
        found = set()
        for number, line in enumerate(self.lines, 1):
            if line.is_empty:
                continue
            try:
                one = _read(line, zone)
            except (BadTimeError, ValueError):
                self.errors[f"option-{number}"] = _("Enter a date such as 2026-12-24, and a time such as 8:30.")
                continue
            if one.minutes < 0:
                self.errors[f"option-{number}"] = _("This ends before it begins.")
            elif one not in before and one.ends() <= now():
                self.errors[f"option-{number}"] = _("This time has already passed.")
            elif one.start > now() + _FURTHEST:
                self.errors[f"option-{number}"] = _("This date is too far away.")
            else:
                found.add(one)
        return sorted(found)

    def _closing(self, zone: ZoneInfo, times: Sequence[OptionTime]) -> datetime | None:
        try:
            found = schedule.moment(self.closes[:10], "", zone, ends=True)
        except BadTimeError:
            self.errors["closes"] = _("Enter a date, such as 2026-11-30.")
            return None
        if found is None:
            return None
        closes = found.replace(tzinfo=None)
        if closes <= now():
            self.errors["closes"] = _("This time has already passed.")
        elif times and closes - timedelta(days=1) >= max(one.ends() for one in times):
            self.errors["closes"] = _("This is after the last date to choose from.")
        return closes


def _at(texts: Sequence[str], number: int) -> str:
    return texts[number] if number < len(texts) else ""


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _line(option: OptionTime, zone: ZoneInfo) -> OptionLine:
    begins = option.start.replace(tzinfo=UTC).astimezone(zone)
    if not option.minutes:
        return OptionLine(f"{begins:%Y-%m-%d}")
    ends = option.ends().replace(tzinfo=UTC).astimezone(zone)
    return OptionLine(f"{begins:%Y-%m-%d}", f"{begins:%H:%M}", f"{ends:%H:%M}")


def _read(line: OptionLine, zone: ZoneInfo) -> OptionTime:
    """Negative minutes where it ends before it begins. Raises BadTimeError."""
    begins = schedule.moment(line.day, line.begins, zone, ends=False)
    if begins is None or not line.day:
        raise BadTimeError("no day")
    has_hour = line.begins or (len(line.day) > 10 and line.day[10] in "T ")
    if not has_hour:
        if line.ends:
            raise BadTimeError("an end without a beginning")
        return OptionTime(begins.replace(tzinfo=None), 0)
    minutes = USUAL_MINUTES
    if line.ends:
        day = begins.astimezone(zone).date().isoformat()
        ends = schedule.moment(day, line.ends, zone, ends=False)
        minutes = round((ends - begins).total_seconds() / 60) if ends else 0
    return OptionTime(begins.replace(tzinfo=None), minutes or -1)
