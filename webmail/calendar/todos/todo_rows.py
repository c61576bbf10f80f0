"""To-do rows: what is to be done, as lists look for it. Written with the object, in the same transaction."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, tzinfo
from typing import Any

from webmail.calendar.reminders import reminder_rows
from webmail.collections import store as collections
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.mime.formats.calendars import todo_edit
from webmail.mime.formats.calendars.todo_edit import ReadTodo
from webmail.mime.formats.recurrence.occurrences import Taking, seconds
from webmail.models import FOR_EVER, CalendarObject, IndexFill, Todo

NO_PRIORITY = 10
_FILL = "todos"
_PIECE = 200

Values = dict[str, Any]


def values_of(text: str, zone: tzinfo) -> Values | None:
    """The columns of a checked object; None if there is nothing to be done in it. `zone`: of times without one."""
    try:
        found = todo_edit.read(text)
        return _values(found, zone)
    except (ValueError, OverflowError):
        return None


def _values(found: ReadTodo, zone: tzinfo) -> Values:
    fields = found.fields
    due = todo_edit.open_due(found)
    return {
        "title": fields.title[:300], "due": FOR_EVER if due is None else seconds(due, found.tz or zone),
        "whole_day": int(due is not None and not isinstance(due, datetime)),
        "start": None if fields.start is None else seconds(fields.start, found.tz or zone),
        "done": int(todo_edit.is_over(found)),
        "completed": int(found.completed.replace(tzinfo=UTC).timestamp()) if found.completed else 0,
        "priority": fields.priority or NO_PRIORITY, "percent": fields.percent, "repeats": int(bool(fields.rule)),
        "parent": fields.parent, "message": message_key(fields.message), "position": found.order,
        "private": int(found.item.value("CLASS").upper() not in ("", "PUBLIC")),
    }  # fmt: skip


def message_key(message_id: str) -> str:
    """By which what comes from a message is found; "" for no message."""
    return hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest() if message_id else ""


def follow(calendar: int, number: int, values: Values | None, *, new: bool) -> None:
    """Write the row of an object of a calendar (both by `id`). At most 1 query."""
    if values is not None:
        insert = Todo.insert(object=number, collection=calendar, **values)
        insert.on_conflict(conflict_target=[Todo.object], update={"collection": calendar, **values}).execute()
    elif not new:
        Todo.delete().where(Todo.object == number).execute()


def last_of(values: Values | None) -> int:
    """Until when something of it may remind."""
    return -FOR_EVER if values is None or values["done"] else FOR_EVER


def taking_of(number: int) -> Taking | None:
    """When an object (by `id`) begins and is due, as its reminders go by it; None for what is done, or due on no day. 1 query."""
    row = Todo.get_or_none(Todo.object == number)
    if row is None or row.done or row.due >= FOR_EVER:
        return None
    start = row.due if row.start is None else row.start
    return Taking(start, row.due, bool(row.whole_day), "", row.title, "", 0, "")


def moved(number: int, calendar: int) -> None:
    """Say that an object is in this calendar now (both by `id`). 1 query."""
    Todo.update(collection=calendar).where(Todo.object == number).execute()


def to_fill() -> Any:
    """The query for what `fill` goes on with."""
    return reminder_rows.to_fill(_FILL)


def fill(zone: tzinfo, pieces: int = 50) -> int:
    """Write the rows of what was there before they were, at most so many pieces; returns of how many objects."""
    return sum(_fill_piece(zone) for _piece in range(pieces) if to_fill().exists())


@begun_again
def _fill_piece(zone: tzinfo) -> int:
    state = to_fill().first()
    if state is None:
        return 0
    rest = (CalendarObject.id > state.upto) & (CalendarObject.id <= state.until) & (CalendarObject.component == "VTODO")
    rows: Any = CalendarObject.select(CalendarObject.id, CalendarObject.collection, CalendarObject.seq, CalendarObject.text)
    found = list(rows.where(rest).order_by(CalendarObject.id).limit(_PIECE).tuples())
    read = [(number, calendar, seq, values_of(text, zone)) for number, calendar, seq, text in found]
    texts = {number: text for number, _calendar, _seq, text in found}
    with db.atomic():
        collections.lock(sorted({calendar for _number, calendar, *_rest in read}))
        unchanged: Any = CalendarObject.select(CalendarObject.id, CalendarObject.collection, CalendarObject.seq)
        there = set(unchanged.where(CalendarObject.id.in_([number for number, *_rest in read])).tuples())
        for number, calendar, seq, values in read:
            if values is not None and (number, calendar, seq) in there:  # what was changed meanwhile was written with its row
                Todo.insert(object=number, collection=calendar, **values).on_conflict_ignore().execute()
                reminder_rows.follow(calendar, number, texts[number], last_of(values), new=True)
        _note_filled(state, [number for number, *_rest in found])
    return len(found)


def _note_filled(state: IndexFill, numbers: list[int]) -> None:
    same = (IndexFill.id == state.id) & (IndexFill.upto == state.upto)
    if len(numbers) < _PIECE:
        IndexFill.delete().where(same).execute()
    else:
        IndexFill.update(upto=numbers[-1]).where(same).execute()


def title_of(number: int) -> str:
    """What an object (by `id`) is called in lists; "" for none. 1 query."""
    row = Todo.get_or_none(Todo.object == number)
    return row.title if row is not None else ""
