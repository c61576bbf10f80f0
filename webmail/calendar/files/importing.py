"""Importing: what a calendar file would bring into a calendar, and bringing it in, piece by piece, with undo."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import tzinfo
from typing import Any

import peewee as pw

from webmail.calendar import editing, objects, privacy
from webmail.calendar.editing import Done, EventChangedElsewhereError, Write
from webmail.calendar.free_busy import host_events
from webmail.collections import look, quota
from webmail.collections import store as collections
from webmail.config.settings import Settings
from webmail.database import undo_store
from webmail.database.pieces import in_pieces
from webmail.mime.formats.calendars import calendar_files
from webmail.mime.formats.calendars.calendar_files import FileObject, FileRemark, FileRemarkKind
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.recurrence import recurrence_rules
from webmail.models import CalendarObject, User

LARGEST_FILE = 20_000_000  # bytes
SMALL_FILE = 100_000  # bytes; imported at once, while the person waits
FEW_RULES = 20  # as well
FEW_STEPS = 25_000  # that expanding them takes: as a daily rule since 1970, or twenty weekly ones since 2004
_BY_LIBRARY = 6  # as many times as long takes what was changed, or has dates besides its rule
_PIECE = 20
_MOST_NAMED = 50
_MOST_REMARKS = 200
_LARGEST_UNDO = 4_000_000  # characters
_OPENING = '{"imported"'
_UID, _RULE = re.compile(rb"\nUID[^\n:]*:([^\n]*)"), re.compile(rb"\nRRULE[^\n:]*:([^\n]*)")
_START = re.compile(rb"\nDTSTART[^\n]*:([^\n:]*)")


@dataclass(slots=True)
class EventPlan:
    """What is new, and what is there in other words: with the name and entity tag that it has."""

    name: str = ""
    fresh: list[FileObject] = field(default_factory=list)
    changed: list[tuple[FileObject, str, str]] = field(default_factory=list)
    same: int = 0
    doubled: int = 0
    remarks: list[FileRemark] = field(default_factory=list)
    repairs: Mapping[str, int] = field(default_factory=dict)  # how many, by FileRepair

    def writes(self, calendar: int, *, replace: bool) -> list[Write]:
        """What importing does; `replace`: also with what is there in other words."""
        new = [Write(calendar, f"{hashlib.sha256(one.uid.encode()).hexdigest()[:32]}.ics", one.text) for one in self.fresh]
        return new + ([Write(calendar, href, one.text, etag) for one, href, etag in self.changed] if replace else [])


@dataclass(slots=True)
class EventReport:
    """Counts, and the first of each."""

    name: str = ""
    fresh: int = 0
    changed: int = 0
    same: int = 0
    doubled: int = 0
    titles: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    remarks: list[list[Any]] = field(default_factory=list)  # line, FileRemarkKind, detail
    more_remarks: int = 0
    repairs: dict[str, int] = field(default_factory=dict)  # how many, by FileRepair

    @property
    def any_events(self) -> bool:
        return bool(self.fresh or self.changed or self.same)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> EventReport:
        return cls(**{name: data[name] for name in cls.__slots__ if name in data})


def is_small(content: bytes) -> bool:
    """Whether a file can be imported while the person waits."""
    return len(content) <= SMALL_FILE and has_few_rules(content)


def has_few_rules(content: bytes) -> bool:
    """Whether few events of a file recur, and not for long, by the lines that say so; those of time zones are none."""
    text = re.sub(rb"[\r\n]+", b"\n", content.replace(b"\0", b"").upper()).replace(b"\n ", b"").replace(b"\n\t", b"")
    events = [one.partition(b"\nEND:VEVENT")[0] for one in (b"\n" + text).split(b"\nBEGIN:VEVENT")[1:]]
    changed = {_value(_UID, one) for one in events if b"\nRECURRENCE-ID" in one}
    recurring = [one for one in events if b"\nRRULE" in one]
    if sum(one.count(b"\nRRULE") for one in recurring) > FEW_RULES:
        return False
    steps = 0.0
    for one in recurring:
        by_library = b"\nRDATE" in one or _value(_UID, one) in changed
        steps += recurrence_rules.steps(_value(_RULE, one), _value(_START, one)) * (_BY_LIBRARY if by_library else 1)
    return steps <= FEW_STEPS


def _value(line: re.Pattern[bytes], event: bytes) -> str:
    found = line.search(event)
    return found[1].decode(errors="replace").strip() if found else ""


def plan(content: bytes, calendar: int, zone: tzinfo, user: User) -> EventPlan:
    """Compare a file with a calendar (by `id`), as somebody has it: a private event that they see in part stays as it is.

    Some ms for each new event. Raises NotCalendarFileError.
    """
    found = calendar_files.read(content)
    planned = EventPlan(found.name, doubled=found.doubled, remarks=list(found.remarks), repairs=found.repairs)
    access = collections.get(user, calendar)
    there = _there(calendar, [one.uid for one in found.objects], hides=access is not None and access.sight != "own")
    for one in found.objects:
        known = there.get(one.uid)
        if known and known[1] in ("", hashlib.sha256(one.text.encode()).hexdigest()):
            planned.same += 1
        elif _usable(one, zone, planned):
            if known and _is_booked(one, calendar, zone):
                planned.remarks.append(FileRemark(one.line, FileRemarkKind.BOOKED, one.title))
            elif known:
                planned.changed.append((one, *known))
            else:
                planned.fresh.append(one)
    planned.remarks.sort(key=lambda one: (one.kind not in calendar_files.NOT_WHOLE, one.line))
    return planned


def calendar_called(user: User, title: str) -> int | None:
    """The `id` of a calendar of their own that has this name."""
    mine = (one for one in editing.writable(user) if one.collection.user_id == user.id)
    return next((one.collection.id for one in mine if look.title_of(one.props) == title), None)


def _there(calendar: int, uids: Sequence[str], *, hides: bool) -> dict[str, tuple[str, str]]:
    """The names and entity tags of those that the calendar has; no entity tag of private ones, if it `hides` them."""
    found: dict[str, tuple[str, str]] = {}
    for at in range(0, len(uids), 500):
        tag = pw.Case(None, [(privacy.unsure(), "")], CalendarObject.etag) if hides else CalendarObject.etag
        rows: Any = CalendarObject.select(CalendarObject.uid, CalendarObject.href, tag).where(
            CalendarObject.collection == calendar, CalendarObject.uid.in_(uids[at : at + 500])
        )
        found |= {uid: (href, etag) for uid, href, etag in rows.tuples()}
    return found


def _is_booked(file_object: FileObject, calendar: int, zone: tzinfo) -> bool:
    """Whether it would move what other people count on. No query for any other event."""
    if not file_object.uid.startswith(host_events.UID):
        return False
    row = CalendarObject.get_or_none(CalendarObject.collection == calendar, CalendarObject.uid == file_object.uid)
    return row is not None and host_events.would_move(row, objects.prepared(file_object.text, zone, once=True)[1].takings)


def _usable(file_object: FileObject, zone: tzinfo, planned: EventPlan) -> bool:
    """Whether it can be kept; a remark where it can't, or not be shown as it is meant."""
    kind = FileRemarkKind.LARGE
    if len(file_object.text.encode()) <= editing.LARGEST:
        try:
            objects.prepared(file_object.text, zone)
            return True
        except UnusableCalendarError:
            kind = FileRemarkKind.ONCE
        try:
            objects.prepared(file_object.text, zone, once=True)
        except UnusableCalendarError:
            kind = FileRemarkKind.UNREADABLE
    planned.remarks.append(FileRemark(file_object.line, kind, file_object.title))
    return kind is FileRemarkKind.ONCE


def report_of(planned: EventPlan) -> EventReport:
    told = planned.remarks[:_MOST_REMARKS]
    return EventReport(
        planned.name, len(planned.fresh), len(planned.changed), planned.same, planned.doubled,
        [one.title for one in planned.fresh[:_MOST_NAMED]], [one.title for one, _href, _etag in planned.changed[:_MOST_NAMED]],
        [[one.line, str(one.kind), one.detail] for one in told], len(planned.remarks) - len(told),
        dict(planned.repairs),
    )  # fmt: skip


def write_piece(user: User, writes: Sequence[Write], settings: Settings) -> list[Done]:
    """1 transaction. Raises EventChangedElsewhereError, NotWritableError, LimitReachedError, UidTakenError."""
    return editing.write(user, writes, settings, as_kept=True, rooms_optional=True)


def pieces(writes: Sequence[Write]) -> Iterable[Sequence[Write]]:
    return (writes[at : at + _PIECE] for at in range(0, len(writes), _PIECE))


def check_room_for(writes: Sequence[Write], settings: Settings) -> None:
    """Before any of it is written. 4 queries. Raises LimitReachedError."""
    if not writes:
        return
    calendar, hrefs, replaced = writes[0].calendar, [one.href for one in writes if one.etag], 0
    for at in range(0, len(hrefs), 500):
        here = (CalendarObject.collection == calendar) & CalendarObject.href.in_(hrefs[at : at + 500])
        replaced += int(CalendarObject.select(pw.fn.COALESCE(pw.fn.SUM(CalendarObject.size), 0)).where(here).scalar() or 0)
    size = sum(len(one.text.encode()) for one in writes) - replaced
    quota.check_room(calendar, sum(not one.etag for one in writes), size, settings)


def apply(user: User, writes: Sequence[Write], settings: Settings, done: list[Done]) -> None:
    """Write all of it in short transactions; `done` is what was written, also where it breaks off. Raises as `write_piece`."""
    for piece in in_pieces(writes, _PIECE):
        done += write_piece(user, piece, settings)


# --- undo ------------------------------------------------------------------------------------------------------------


def undo_step(done: Iterable[Done]) -> list[list[Any]]:
    """What undoes this, as `take_back` reads it."""
    return [[one.calendar, one.href, one.before, one.etag] for one in done]


def take_back(user: User, steps: list[Any], settings: Settings) -> int:
    """Undo a step; what was changed since stays. Returns how many events. Raises NotWritableError, LimitReachedError,
    UidTakenError."""
    return _taken_back(user, [Write(calendar, href, before, etag) for calendar, href, before, etag in steps], settings)


def store_undo_step(user: User, done: Iterable[Done]) -> str:
    """Keep what was there before for an hour; returns the name to undo by, "" if it is too large. 1 transaction."""
    kept = json.dumps({"imported": undo_step(done)}, ensure_ascii=False)
    return "" if len(kept) > _LARGEST_UNDO else undo_store.keep(user, kept)


def undo(user: User, name: str, settings: Settings) -> int:
    """Take back an import; what was changed since stays. Returns how many events. In short transactions: what breaks off is gone
    on with when it is asked for again. Raises NotWritableError, LimitReachedError, UidTakenError.
    """
    row = undo_store.load(user, name, _OPENING)
    if row is None:
        return 0
    steps = [Write(calendar, href, before, etag) for calendar, href, before, etag in json.loads(row.steps)["imported"]]
    count = sum(_taken_back(user, piece, settings) for piece in in_pieces(steps, _PIECE))
    undo_store.forget(row)
    return count


def _taken_back(user: User, steps: Sequence[Write], settings: Settings) -> int:
    try:
        return len(editing.write(user, steps, settings, as_kept=True, rooms_optional=True))
    except EventChangedElsewhereError:
        if len(steps) == 1:
            return 0
        return sum(_taken_back(user, [one], settings) for one in steps)
