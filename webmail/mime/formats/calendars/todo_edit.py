"""To-do editing (VTODO, RFC 5545, 3.6.2), as people see what is to be done: read from its lines, and written back where something
was changed.

Only the lines of what was changed are written anew, as in `event_edit`. What is done of a series becomes an object of its own,
and the series goes on to its next date: programs that know no exceptions of what is to be done understand that as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import quote, unquote

from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component, component, made, made_text, parsed
from webmail.mime.formats.calendars.event_edit import (
    LONGEST_NOTES,
    LONGEST_TITLE,
    Stamp,
    clock_text,
    define,
    length_of,
    one_line,
    stamp_for,
    stamp_of,
    stamps_of,
    text_writer,
    touch,
    trigger_text,
    written,
)
from webmail.mime.formats.recurrence import recurrence_edit

Clock = date | datetime
LOWEST = 9  # priority: 1 is the highest, 0 is none
_MESSAGE = re.compile(r"mid:([^/?#\s]{1,900})", re.IGNORECASE)  # RFC 2392
_OVER = ("COMPLETED", "CANCELLED")
_MOST_REMINDERS = 10
_LATEST_ORDER = 2**53


@dataclass(frozen=True, slots=True)
class TodoFields:
    """What people see and edit. Times are by the clock of `zone`, as in EventFields; `start` is None where it is when it is due.
    `reminders`: minutes before it is due. `parent`: the UID of what it is a part of; `message`: a Message-ID, with brackets."""

    title: str = ""
    due: Clock | None = None
    start: Clock | None = None
    zone: str = ""
    priority: int = 0
    percent: int = 0
    notes: str = ""
    rule: str = ""
    parent: str = ""
    message: str = ""
    reminders: tuple[int, ...] = ()
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class ReadTodo:
    """An object with something to be done: its calendar, the one part that is no exception, and what people see of that."""

    root: Component
    item: Component
    fields: TodoFields
    tz: tzinfo | None  # of the times; None: wherever one is
    other_reminders: int = 0  # that are kept as they are
    completed: datetime | None = None  # UTC, without a zone
    order: int = 0  # as programs sort by hand


# --- reading ---------------------------------------------------------------------------------------------------------


def read(text: str) -> ReadTodo:
    """Of a checked object. Raises ValueError if there is nothing to be done in it."""
    try:
        root = parsed(text)
    except BrokenTextError as error:
        raise ValueError(str(error)) from error
    parts = root.parts("VTODO")
    if not parts:
        raise ValueError("nothing to be done in it")
    item = next((one for one in parts if one.first("RECURRENCE-ID") is None), parts[0])
    due, start = _due(item, root), stamp_of(item.first("DTSTART"), root)
    own = due or start
    found = TodoFields(
        title=one_line(item.text("SUMMARY"))[:LONGEST_TITLE], due=due.at if due else None,
        start=_by_clock(start, due) if start and not (due and start.at == due.at) else None, zone=own.zone if own else "",
        priority=_number(item.value("PRIORITY"), LOWEST), percent=_number(item.value("PERCENT-COMPLETE"), 100),
        notes=item.text("DESCRIPTION").replace("\r\n", "\n").strip()[:LONGEST_NOTES], rule=item.value("RRULE"),
        parent=_parent(item), message=message_of(item.value("URL")), is_done=is_done(item),
        reminders=tuple(minutes for alarm in item.parts("VALARM") if (minutes := _minutes_before(alarm, item)) is not None),
    )  # fmt: skip
    return ReadTodo(
        root, item, found, own.tz if own else None, len(item.parts("VALARM")) - len(found.reminders),
        _completed(item, root), _number(item.value("X-APPLE-SORT-ORDER"), _LATEST_ORDER),
    )  # fmt: skip


def is_done(item: Component) -> bool:
    """Whether nothing is left to be done, as any program says it."""
    if item.value("STATUS").upper() in _OVER or item.value("PERCENT-COMPLETE") == "100":
        return True
    return item.first("COMPLETED") is not None


def _due(item: Component, root: Component) -> Stamp | None:
    if (found := stamp_of(item.first("DUE"), root)) is not None:
        return found
    start, length = stamp_of(item.first("DTSTART"), root), length_of(item.value("DURATION"))
    if start is None or length is None:
        return None
    try:
        return replace(start, at=start.at + length)
    except OverflowError:  # longer than calendars go
        return None


def _by_clock(start: Stamp, due: Stamp | None) -> Clock:
    """When it starts, by the clock of when it is due."""
    at = start.at
    if due is None or start.tz is None or due.tz is None or start.tz == due.tz or not isinstance(at, datetime):
        return at
    try:
        return at.replace(tzinfo=start.tz).astimezone(due.tz).replace(tzinfo=None)
    except OverflowError:  # in the first or the last hours of all
        return at


def _completed(item: Component, root: Component) -> datetime | None:
    stamp = stamp_of(item.first("COMPLETED"), root)
    try:
        moment = stamp.instant() if stamp and not stamp.is_day else None
    except OverflowError:
        return None
    return moment.replace(tzinfo=None) if isinstance(moment, datetime) else None


def _number(text: str, most: int) -> int:
    return min(int(text), most) if re.fullmatch(r"[0-9]{1,17}", text) else 0


def _parent(item: Component) -> str:
    related = (line for line in item.lines("RELATED-TO") if line.param("RELTYPE").upper() in ("", "PARENT"))
    return next((line.value.strip()[:255] for line in related if line.value.strip()), "")


def message_of(url: str) -> str:
    """The Message-ID that an address names, with brackets; "" for none."""
    found = _MESSAGE.fullmatch(url.strip())
    name = unquote(found[1]) if found else ""
    return f"<{name}>" if name and name.isprintable() and not re.search(r"[<>\s]", name) else ""


def message_url(message_id: str) -> str:
    """The address of a message by its Message-ID (RFC 2392)."""
    return f"mid:{quote(message_id.strip().removeprefix('<').removesuffix('>'), safe='@!$*+.=')}"


def _minutes_before(alarm: Component, item: Component) -> int | None:
    """How long before it is due a reminder comes; None for one that is not so simple."""
    trigger = alarm.first("TRIGGER")
    if trigger is None or trigger.param("VALUE").upper() == "DATE-TIME" or alarm.first("REPEAT"):
        return None
    of_end = trigger.param("RELATED").upper() == "END"
    start, due = item.value("DTSTART"), item.value("DUE")
    if not (due if of_end else start and start == due) and not (due and not start):
        return None
    length = length_of(trigger.value)
    if length is None or alarm.value("ACTION").upper() not in ("DISPLAY", "AUDIO", "EMAIL"):
        return None
    return int(-length.total_seconds() // 60)


# --- writing ---------------------------------------------------------------------------------------------------------


def changed(found: ReadTodo, after: TodoFields) -> str:
    """The text with what differs from `found` written anew; whether it is done is for `completed` and `reopened`."""
    before = found.fields
    root = parsed(str(found.root))
    item = next((one for one in root.parts("VTODO") if one.first("RECURRENCE-ID") is None), root.parts("VTODO")[0])
    differing = {one.name for one in fields(TodoFields) if getattr(before, one.name) != getattr(after, one.name)} - {"is_done"}
    if not differing:
        return str(root)
    _write(item, root, before, after, differing)
    touch(item, timed=bool(differing & {"due", "start", "zone", "rule"}))
    return str(root)


def made_todo(uid: str, after: TodoFields) -> str:
    """A calendar with something new to be done."""
    item = component("VTODO", made("UID", uid))
    root = component("VCALENDAR", made("VERSION", "2.0"), made("PRODID", "-//Traboule//EN"), made("CALSCALE", "GREGORIAN"), item)
    at = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    for name in ("DTSTAMP", "CREATED", "LAST-MODIFIED"):
        item.add(made(name, at))
    differing = {one.name for one in fields(TodoFields) if getattr(TodoFields(), one.name) != getattr(after, one.name)}
    _write(item, root, TodoFields(), after, differing)
    item.add(made("STATUS", "NEEDS-ACTION"))
    return str(root)


def _write(item: Component, root: Component, before: TodoFields, after: TodoFields, differing: set[str]) -> None:
    if differing & {"due", "start", "zone"} or ("rule" in differing and after.rule):
        _set_times(item, root, before, after)
    for name, write in _WRITERS.items():
        if name in differing:
            write(item, after)
    if "reminders" in differing:
        _set_reminders(item, before.reminders, after.reminders, after.title)


def _set_times(item: Component, root: Component, before: TodoFields, after: TodoFields) -> None:
    due, start = stamp_of(item.first("DUE"), root), stamp_of(item.first("DTSTART"), root)
    both = due is not None and start is not None and due.at == start.at  # as Apple writes it
    like = due or start
    if after.due is None:
        item.remove("DUE", "DURATION")
    elif (before.due, before.zone) != (after.due, after.zone):
        item.remove("DURATION")
        _put(item, root, "DUE", stamp_for(after.due, after.zone, like), after.due)
    first = after.start if after.start is not None else after.due if both or after.rule else None
    if first is None:
        item.remove("DTSTART")
    elif start is None or (before.start, before.zone) != (after.start, after.zone) or (both and before.due != after.due):
        _put(item, root, "DTSTART", stamp_for(first, after.zone, start or like), first)


def _put(item: Component, root: Component, name: str, stamp: Stamp, since: Clock) -> None:
    define(root, stamp, since)
    item.put(written(name, [stamp]))


def _number_writer(name: str, prop: str) -> Callable[[Component, TodoFields], None]:
    def write(item: Component, after: TodoFields) -> None:
        number = getattr(after, name)
        item.put(made(prop, str(number))) if number else item.remove(prop)

    return write


def _write_percent(item: Component, after: TodoFields) -> None:
    _number_writer("percent", "PERCENT-COMPLETE")(item, after)
    if item.value("STATUS").upper() not in _OVER:
        item.put(made("STATUS", "IN-PROCESS" if after.percent else "NEEDS-ACTION"))


def _write_rule(item: Component, after: TodoFields) -> None:
    if after.rule:
        item.put(made("RRULE", after.rule))
    else:
        item.remove("RRULE", "RDATE", "EXDATE")


def _write_parent(item: Component, after: TodoFields) -> None:
    item.drop(lambda one: not isinstance(one, Component) and one.name == "RELATED-TO" and one.param("RELTYPE").upper() in
              ("", "PARENT"))  # fmt: skip
    if after.parent:
        item.add(made("RELATED-TO", after.parent))


def _write_message(item: Component, after: TodoFields) -> None:
    item.put(made("URL", message_url(after.message))) if after.message else item.remove("URL")


_WRITERS: dict[str, Any] = {
    "title": text_writer("title", "SUMMARY"),
    "notes": text_writer("notes", "DESCRIPTION"),
    "priority": _number_writer("priority", "PRIORITY"),
    "percent": _write_percent,
    "rule": _write_rule,
    "parent": _write_parent,
    "message": _write_message,
}


def _set_reminders(item: Component, before: tuple[int, ...], after: tuple[int, ...], title: str) -> None:
    """Take out the alarms that are no longer wanted and add the new ones; the others stay as they are."""
    surplus, wanted = list(before), []
    for minutes in after:
        if minutes in surplus:
            surplus.remove(minutes)
        else:
            wanted.append(minutes)
    for minutes in surplus:
        item.items.remove(next(one for one in item.parts("VALARM") if _minutes_before(one, item) == minutes))
    for minutes in wanted[:_MOST_REMINDERS]:
        trigger = made("TRIGGER", trigger_text(minutes), ";RELATED=END")
        item.add(component("VALARM", made("ACTION", "DISPLAY"), made_text("DESCRIPTION", title or "-"), trigger))


# --- done, and once more ---------------------------------------------------------------------------------------------


def completed(text: str, at: datetime, uid: str, today: date) -> tuple[str, str]:
    """The text with what is to be done done `at` (UTC); of a series that goes on, the series at its next date, not before
    `today`, and what was done as an object of this `uid`; "" for none. Raises ValueError."""
    found = read(text)
    following = _following(found, today) if found.fields.rule and not found.fields.is_done else None
    if following is None:
        _set_done(found.item, at)
        return str(found.root), ""
    current, then, passed = following
    done = parsed(text)
    done.drop(lambda one: isinstance(one, Component) and one.name == "VTODO" and one.first("RECURRENCE-ID") is not None)
    part = done.parts("VTODO")[0]
    part.put(made("UID", uid))
    part.remove("RRULE", "RDATE", "EXDATE")
    part.drop(lambda one: isinstance(one, Component) and one.name == "VALARM")
    _move_to(part, done, found, current)
    _set_done(part, at)
    _go_on(found, then, passed)
    return str(found.root), str(done)


def _set_done(item: Component, at: datetime) -> None:
    item.put(made("STATUS", "COMPLETED"))
    item.put(made("COMPLETED", f"{at:%Y%m%dT%H%M%SZ}"))
    item.put(made("PERCENT-COMPLETE", "100"))
    touch(item)


def reopened(text: str) -> str:
    """The text with what was done to be done again. Raises ValueError."""
    found = read(text)
    found.item.remove("COMPLETED", "PERCENT-COMPLETE")
    found.item.put(made("STATUS", "NEEDS-ACTION"))
    touch(found.item)
    return str(found.root)


def open_due(found: ReadTodo) -> Clock | None:
    """When it is due next: of a series in which a program has done some, the first that is not."""
    shift = _open_times(found, 1)
    if not shift or found.fields.due is None:
        return found.fields.due
    return _moved(found.fields.due, _anchor(found), shift[0][1])


def is_over(found: ReadTodo) -> bool:
    """Whether nothing of it is left to be done."""
    return found.fields.is_done or (bool(found.fields.rule) and _anchor(found) is not None and not _open_times(found, 1))


def _anchor(found: ReadTodo) -> Clock | None:
    """What its rule counts from."""
    stamp = stamp_of(found.item.first("DTSTART"), found.root) or stamp_of(found.item.first("DUE"), found.root)
    return stamp.at if stamp else None


def _open_times(found: ReadTodo, count: int) -> list[tuple[int, datetime]]:
    """The first times of a series that are neither done nor left out, each with how many stand before it."""
    first = _anchor(found)
    if not found.fields.rule or first is None:
        return []
    over = {
        _time(stamp.at)
        for other in found.root.parts("VTODO")
        if (stamp := stamp_of(other.first("RECURRENCE-ID"), found.root)) is not None and is_done(other)
    }
    for line in found.item.lines("EXDATE"):
        over |= {_time(one.at) for one in stamps_of(line, found.root)}
    times = recurrence_edit.first_times(found.fields.rule, first, len(over) + count, found.tz)
    return [(number, one) for number, one in enumerate(times) if one not in over][:count]


def _following(found: ReadTodo, today: date) -> tuple[datetime, datetime, int] | None:
    """Which of a series is done now, which comes then, and how many of it are over by then; None where none comes."""
    now = _open_times(found, 1)
    if not now:
        return None
    least = datetime(today.year, today.month, today.day)
    first = _anchor(found)
    if first is None:
        return None
    ahead = max(now[0][1] + timedelta(seconds=1), least)
    open_ones = {one for _number, one in _open_times(found, 400)}
    moment: datetime | None = ahead
    for _attempt in range(50):
        moment = recurrence_edit.first_from(found.fields.rule, first, ahead, found.tz) if moment else None
        if moment is None or moment in open_ones or moment > max(open_ones, default=moment):
            break
        ahead = moment + timedelta(seconds=1)
    if moment is None:
        return None
    parts = recurrence_edit.parts_of(found.fields.rule)
    passed = len(recurrence_edit.dates(found.fields.rule, first, moment, found.tz)) if "COUNT" in parts else 0
    if "COUNT" in parts and not passed < int(parts["COUNT"]):
        return None
    return now[0][1], moment, passed


def _go_on(found: ReadTodo, then: datetime, passed: int) -> None:
    """Move a series to its next date."""
    item, root = found.item, found.root
    for other in root.parts("VTODO"):
        stamp = stamp_of(other.first("RECURRENCE-ID"), root)
        if stamp is not None and _time(stamp.at) < then:
            root.items.remove(other)
    if passed:
        parts = recurrence_edit.parts_of(found.fields.rule)
        parts["COUNT"] = str(max(int(parts["COUNT"]) - passed, 1))
        item.put(made("RRULE", recurrence_edit.text_of(parts)))
    _move_to(item, root, found, then)
    item.remove("COMPLETED", "PERCENT-COMPLETE")
    item.put(made("STATUS", "NEEDS-ACTION"))
    touch(item, timed=True)


def _move_to(item: Component, root: Component, found: ReadTodo, moment: datetime) -> None:
    """Put what is to be done at this time of its series: its lines keep their zones."""
    first = _anchor(found)
    for name in ("DTSTART", "DUE"):
        stamp = stamp_of(item.first(name), root)
        line = item.first(name)
        if stamp is not None and line is not None and first is not None:
            at = _moved(stamp.at, first, moment)
            item.put(made(name, clock_text(replace(stamp, at=at)), line.params))


def _moved(at: Clock, first: Clock | None, moment: datetime) -> Clock:
    if first is None:
        return at
    try:
        later = _time(at) + (moment - _time(first))
    except OverflowError:
        later = datetime.max.replace(microsecond=0)
    return later if isinstance(at, datetime) else later.date()


def _time(at: Clock) -> datetime:
    return at if isinstance(at, datetime) else datetime(at.year, at.month, at.day)
