"""iCalendar: parses invitations and calendar files (RFC 5545, RFC 5546) for a card beside the message. Read-only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from webmail.mail import Address
from webmail.mime.formats.calendars import calendar_parsing
from webmail.mime.headers.encoded_words import tidy

if TYPE_CHECKING:
    from icalendar import Component

SIZE_LIMIT = 1_000_000  # characters
EVENTS_LIMIT = 20
ATTENDEES_LIMIT = 100
_ATTENDEES_READ = 200
_ZONES_LIMIT = 20
_BLOCK_LIMIT = 100_000  # characters of one event or time zone
_TEXT_LIMIT = 4_000
_BEGIN = re.compile(r"^BEGIN:(VEVENT|VTIMEZONE)[ \t]*$", re.I | re.M)
_END = {kind: re.compile(rf"^END:{kind}[ \t]*$", re.I | re.M) for kind in ("VEVENT", "VTIMEZONE")}


@dataclass(frozen=True, slots=True)
class Attendee:
    person: Address
    answer: str  # "accepted", "declined", "tentative", "delegated", "needs-action"


@dataclass(frozen=True, slots=True)
class Recurrence:
    """How an event recurs: `every` N `unit`s ("daily", "weekly", "monthly", "yearly"), on `days` (0: Monday)."""

    unit: str
    every: int = 1
    days: tuple[int, ...] = ()
    count: int = 0
    until: date | datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """An event. Dates without a time are whole days, and then `end` is the last day; a naive datetime has no time zone."""

    summary: str
    start: date | datetime | None
    end: date | datetime | None = None
    place: str = ""
    description: str = ""
    organizer: Address | None = None
    attendees: tuple[Attendee, ...] = ()
    status: str = ""  # "confirmed", "tentative", "cancelled"
    repeat: Recurrence | None = None
    repeats: bool = False  # recurs, even if `repeat` is None

    @property
    def all_day(self) -> bool:
        return self.start is not None and not isinstance(self.start, datetime)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The events of a file, at most EVENTS_LIMIT; `more` were left out. `method` as in RFC 5546: "request", "reply" ..."""

    method: str
    events: tuple[Event, ...]
    more: int = 0

    def marks_cancelled(self, event: Event) -> bool:
        """Whether to mark this event as cancelled: not if the whole calendar is a cancellation."""
        return event.status == "cancelled" and self.method != "cancel"


def read(text: str, method: str = "") -> Calendar | None:
    """Parse the events of an iCalendar text; None if there are none or it is invalid. Never raises. `method`: of its
    Content-Type, which counts where the text has none."""
    if len(text) > SIZE_LIMIT or "BEGIN:VCALENDAR" not in text[:10_000].upper():
        return None
    few, more = _few(text.replace("\r\n", "\n"))
    try:
        parsed = calendar_parsing.read_calendar(few, multiple=True)
        found = [_event(event) for calendar in parsed for event in calendar.walk("VEVENT")][:EVENTS_LIMIT]
        method = tidy(str(parsed[0].get("method", ""))).lower() or method if parsed else ""
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):  # raised for malformed files
        return None
    return Calendar(method, tuple(found), more) if found else None


def _few(text: str) -> tuple[str, int]:
    """The text reduced to events and time zones within the limits, and how many events were left out."""
    first = _BEGIN.search(text)
    head = text[: first.start()] if first else text
    kept = [head if len(head) < _BLOCK_LIMIT else "BEGIN:VCALENDAR\n"]
    counts = {"VEVENT": 0, "VTIMEZONE": 0}
    limits = {"VEVENT": EVENTS_LIMIT, "VTIMEZONE": _ZONES_LIMIT}
    for match in _BEGIN.finditer(text):
        kind = match[1].upper()
        counts[kind] += 1
        if counts[kind] > limits[kind]:
            continue
        end = _END[kind].search(text, match.end(), match.start() + _BLOCK_LIMIT)
        if end:
            kept.append(_few_attendees(text[match.start() : end.end()]) + "\n")
    return "".join(kept) + "END:VCALENDAR\n", max(counts["VEVENT"] - EVENTS_LIMIT, 0)


def _few_attendees(block: str) -> str:
    """An event without the attendees beyond the limit: parsing each takes time."""
    kept, count, attends = [], 0, False
    for line in block.split("\n"):
        if line[:1] not in (" ", "\t"):
            attends = line[:8].upper() == "ATTENDEE"
            count += attends
        if not (attends and count > _ATTENDEES_READ):
            kept.append(line)
    return "\n".join(kept)


def _event(event: Component) -> Event:
    start, end = _moment(event, "dtstart"), _moment(event, "dtend")
    if end is None and start is not None and isinstance(length := _value(event, "duration"), timedelta):
        end = start + length
    if end is not None and not isinstance(end, datetime):
        end -= timedelta(days=1)  # DTEND is the day after (section 3.6.1)
    if start is not None and (end is None or isinstance(end, datetime) != isinstance(start, datetime) or not _after(end, start)):
        end = None
    organizers = _values(event, "organizer")
    rules = _values(event, "rrule")
    return Event(
        summary=_text(event, "summary", 300),
        start=start,
        end=end,
        place=_text(event, "location", 500),
        description=_long(event, "description"),
        organizer=_person(organizers[0]) if organizers else None,
        attendees=tuple(_attendee(one) for one in _values(event, "attendee") if not _is_room(one))[:ATTENDEES_LIMIT],
        status=_text(event, "status", 20).lower(),
        repeat=_simple_recurrence(rules[0]) if len(rules) == 1 else None,
        repeats=bool(rules or _values(event, "rdate")),
    )


def _values(event: Component, name: str) -> list[Any]:
    """All values of a property: the library returns a single one without a list."""
    found = event.get(name)
    return found if isinstance(found, list) else [] if found is None else [found]


def _moment(event: Component, name: str) -> date | datetime | None:
    found = _value(event, name)
    return found if isinstance(found, date) else None


def _value(event: Component, name: str) -> Any:
    """A date, time or duration; None if it is missing or invalid."""
    values = _values(event, name)
    try:
        return getattr(values[0], "dt", None) if values else None
    except ValueError:  # raised by the library for an invalid value
        return None


def _after(end: date | datetime, start: date | datetime) -> bool:
    if isinstance(end, datetime) and isinstance(start, datetime) and (end.tzinfo is None) != (start.tzinfo is None):
        return False
    return end > start


def _text(event: Component, name: str, limit: int) -> str:
    values = _values(event, name)
    return tidy(str(values[0]))[:limit] if values else ""


def _long(event: Component, name: str) -> str:
    """A multi-line text."""
    values = _values(event, name)
    lines = str(values[0])[:_TEXT_LIMIT].splitlines() if values else []
    return "\n".join(tidy(line) for line in lines).strip()


def _person(value: Any) -> Address:
    scheme, colon, address = str(value).partition(":")
    email = address if colon and scheme.lower() == "mailto" else str(value)
    name = tidy(str(value.params.get("CN", ""))) if hasattr(value, "params") else ""
    return Address("" if name == email else name[:200], tidy(email)[:320])


def _is_room(value: Any) -> bool:
    """Rooms and things are told by the place: nobody waits for their answer."""
    return hasattr(value, "params") and str(value.params.get("CUTYPE", "")).upper() in ("ROOM", "RESOURCE")


def _attendee(value: Any) -> Attendee:
    answer = str(value.params.get("PARTSTAT", "")) if hasattr(value, "params") else ""
    return Attendee(_person(value), answer.lower() or "needs-action")


_DAYS = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
_TOLD = {"FREQ", "INTERVAL", "BYDAY", "COUNT", "UNTIL", "WKST"}


def _simple_recurrence(rule: Any) -> Recurrence | None:
    """A recurrence rule simple enough to put into a sentence; None for others (the third Monday of ...)."""
    try:
        values = {str(name).upper(): value if isinstance(value, list) else [value] for name, value in dict(rule).items()}
    except ValueError:  # invalid
        return None
    unit = str(values.get("FREQ", [""])[0]).lower()
    days = [str(day).upper() for day in values.get("BYDAY", [])]
    if unit not in ("daily", "weekly", "monthly", "yearly") or set(values) - _TOLD or any(day not in _DAYS for day in days):
        return None
    if days and unit != "weekly":
        return None
    until = values.get("UNTIL", [None])[0]
    return Recurrence(
        unit=unit,
        every=min(max(int(values.get("INTERVAL", [1])[0]), 1), 1000),
        days=tuple(sorted({_DAYS[day] for day in days})),
        count=min(max(int(values.get("COUNT", [0])[0]), 0), 100_000),
        until=until if isinstance(until, date) else None,
    )
