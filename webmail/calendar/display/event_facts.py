"""What a page tells of one event, or of one of those that recur: its fields, its people, when exactly it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum

from webmail.calendar import editing, objects
from webmail.calendar.repeat import Repeat, repeat_of
from webmail.collections import store as collections
from webmail.collections.store import Access
from webmail.itip import people
from webmail.mail import Address
from webmail.mime.formats.calendars import calendar_object, event_edit, event_links
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component, TextLine
from webmail.mime.formats.calendars.event_edit import EventFields
from webmail.mime.formats.calendars.event_links import Attached
from webmail.mime.formats.recurrence import occurrences, term_dates
from webmail.mime.formats.recurrence import series as calendar_series
from webmail.mime.formats.recurrence.series import CannotChangeError, Clock, Series
from webmail.mime.formats.recurrence.term_dates import TermNote
from webmail.models import CalendarObject, User

MOST_PEOPLE = 300
_HOOKS = ("accepted", "declined", "tentative")
MOST_EXCEPTIONS = 50


class NoSuchOccurrenceError(LookupError):
    """Nothing of the series takes place then."""


class WhyNot(StrEnum):
    """Why somebody can't change an event."""

    GONE = "gone"  # no longer in this calendar, or none of the series any more
    ENDED = "ended"  # they have no such calendar
    HIDDEN = "hidden"  # they want it on no page
    LOWERED = "lowered"  # they may not change what is in it
    PRIVATE = "private"  # they see only when it is
    UNUSABLE = "unusable"  # no page can


class NotEditableError(LookupError):
    """A person can't change an event, or no longer. `access`: the calendar as they have it now, None if they don't."""

    def __init__(self, why: WhyNot, access: Access | None = None) -> None:
        super().__init__(why.value)
        self.why, self.access = why, access


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody who was asked to come; `answer` as in PARTSTAT, lower case."""

    person: Address
    answer: str
    optional: bool = False
    key: str = ""  # the address as it is compared
    sends: str = ""  # who comes instead of them
    sent_by: str = ""  # in whose place they come

    @property
    def hook(self) -> str:
        """The answer as pages mark it."""
        return self.answer if self.answer in _HOOKS else "none"


@dataclass(frozen=True, slots=True)
class SeriesException:
    """One of a series that is not as the rule says: `moved` is when it takes place instead, None if it was taken out."""

    when: Clock
    moved: Clock | None = None
    title: str = ""


@dataclass(slots=True)
class EventFacts:
    """`begins` and `ends` have the event's zone (none for whole days, and for times wherever one is). `once`: its rule is never
    expanded."""

    access: Access
    row: CalendarObject
    at: str
    fields: EventFields
    tz: tzinfo | None
    recurs: bool
    once: bool
    parted: bool  # whether there is more to change than this one: a series that it belongs to
    repeat: Repeat
    organizer: Address | None = None
    people: list[Invited] = field(default_factory=list)
    more_people: int = 0
    other_reminders: int = 0
    url: str = ""
    attached: Attached = field(default_factory=Attached)
    exceptions: list[SeriesException] = field(default_factory=list)
    term: TermNote | None = None  # what it leaves out, if it does not take place in school holidays

    @property
    def editable(self) -> bool:
        return self.access.writes and not self.once

    @property
    def begins(self) -> date | datetime:
        return self._aware(self.fields.start)

    @property
    def ends(self) -> date | datetime:
        return self._aware(self.fields.end)

    def _aware(self, moment: date | datetime) -> date | datetime:
        return moment.replace(tzinfo=self.tz) if isinstance(moment, datetime) and self.tz else moment


def editable(user: User, calendar: int, href: str, at: str, floating: tzinfo) -> EventFacts:
    """What is told of an event (by its calendar's `id`, its name there, and `at`) that somebody may change. 3 queries.

    Raises NotEditableError, which tells the same of what is not there and of what is somebody else's.
    """
    try:
        access, row = editing.load(user, calendar, href)
    except editing.NoSuchEventError as error:
        there = collections.get(user, calendar)
        if there is None or there.hidden:
            raise NotEditableError(WhyNot.HIDDEN if there else WhyNot.ENDED) from error
        raise NotEditableError(WhyNot.GONE if there.reads else WhyNot.LOWERED, there) from error
    if access.private and access.reads:
        raise NotEditableError(WhyNot.PRIVATE, access)
    if not access.reads:
        raise NotEditableError(WhyNot.LOWERED, access)
    try:
        facts = facts_of(access, row, at[:40], floating)
    except NoSuchOccurrenceError as error:
        raise NotEditableError(WhyNot.GONE, access) from error
    except UnusableCalendarError as error:
        raise NotEditableError(WhyNot.UNUSABLE, access) from error
    if not facts.editable:
        raise NotEditableError(WhyNot.UNUSABLE if access.writes else WhyNot.LOWERED, access)
    return facts


def facts_of(access: Access, row: CalendarObject, at: str, floating: tzinfo) -> EventFacts:
    """What is told of an event; `at` names one of those that recur. Raises NoSuchOccurrenceError, UnusableCalendarError."""
    once = row.recurring == objects.ONCE
    try:
        series = calendar_series.series_of(calendar_object.event_alone(row.text) if once else row.text)
        at = at if series.recurs and not once else ""
        if at and not _takes_place(row, series, at, floating):
            raise NoSuchOccurrenceError(at[:40])
        event = calendar_series.component_at(series, at)
        fields = calendar_series.occurrence_fields(series, at)
    except (CannotChangeError, BrokenTextError, ValueError, ArithmeticError) as error:  # the last: it ends beyond all dates
        if at:
            raise NoSuchOccurrenceError(at[:40]) from error
        raise UnusableCalendarError("it can't be read") from error
    stamp = event_edit.stamp_of(event.first("DTSTART"), series.root)
    tz = stamp.tz if stamp else None
    rule_tz = tz if at == "" else series.start.tz
    parted = bool(at) and series.master is not None
    facts = EventFacts(access, row, at, fields, tz, series.recurs, once, parted, repeat_of(fields.rule, fields.start, rule_tz))
    if series.recurs and not fields.rule:
        facts.repeat = Repeat("kept")  # single ones, each by its date
    _add_people(facts, event)
    alarms = event.parts("VALARM")
    facts.other_reminders = sum(event_edit.minutes_before(one) is None for one in alarms)
    address = event.value("URL")
    facts.url = address[:2000] if address.lower().startswith(("https://", "http://")) and address != fields.video else ""
    facts.attached = event_links.attached(event)
    if series.recurs:
        facts.exceptions = _exceptions(series)
        facts.term = term_dates.left_out(series.master)
    return facts


def _takes_place(row: CalendarObject, series: Series, at: str, floating: tzinfo) -> bool:
    """Whether one of a series is named so: it was changed, or the rule knows it."""
    clock = series.named(at)
    if series.override(clock) is not None:
        return True
    _model, start = series.model(clock)
    moment = calendar_series.as_time(start).replace(tzinfo=series.start.tz or (UTC if series.start.is_day else floating))
    near = int(moment.timestamp())
    found = occurrences.expand(calendar_object.read(row.text), near - 90_000, near + 90_000, floating)
    return any(series.same(series.named(one.recurrence_id), clock) for one in found.takings if one.recurrence_id)


def _add_people(facts: EventFacts, event: Component) -> None:
    organizer = event.first("ORGANIZER")
    facts.organizer = _person(organizer) if organizer else None
    lines = event.lines("ATTENDEE")
    facts.people = [
        Invited(
            _person(line),
            line.param("PARTSTAT").lower() or "needs-action",
            line.param("ROLE").upper() == "OPT-PARTICIPANT",
            people.key_of(line),
            ", ".join(people.named_in(line, "DELEGATED-TO")),
            ", ".join(people.named_in(line, "DELEGATED-FROM")),
        )  # fmt: skip
        for line in lines[:MOST_PEOPLE]
        if line.param("CUTYPE").upper() not in ("ROOM", "RESOURCE")
    ]
    facts.more_people = max(len(lines) - MOST_PEOPLE, 0)


def _person(line: TextLine) -> Address:
    value = line.value.strip()
    email = value[7:] if value.lower().startswith("mailto:") else line.param("EMAIL")
    name = " ".join(line.param("CN").split())[:200]
    return Address("" if name == email else name, "".join(email.split())[:320])


def _exceptions(series: Series) -> list[SeriesException]:
    found = [SeriesException(clock) for clock in series.dates("EXDATE")]
    for one in series.overrides:
        clock = series.clock_of(one)
        if clock is not None:
            own = event_edit.read(one, series.root)
            found.append(SeriesException(clock, own.start, own.title))
    return sorted(found, key=lambda one: calendar_series.as_time(one.when))[:MOST_EXCEPTIONS]


def day_of(facts: EventFacts, zone: tzinfo) -> date:
    """The day on which it begins, where one is."""
    begins = facts.begins
    if not isinstance(begins, datetime):
        return begins
    return begins.astimezone(zone).date() if begins.tzinfo else begins.date()
