"""To-do changes as what is to be written: new, changed, moved, done, to be done again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from webmail.calendar import event_changes
from webmail.calendar.editing import Write
from webmail.calendar.todos import todo_lists
from webmail.calendar.todos.todo_lists import TodoRow
from webmail.mime.formats.calendars import todo_edit
from webmail.mime.formats.calendars.todo_edit import ReadTodo, TodoFields
from webmail.models import CalendarObject

_DEEPEST = 5  # parts of parts


def addition(calendar: int, uid: str, fields: TodoFields) -> Write:
    return Write(calendar, event_changes.href_of(uid), todo_edit.made_todo(uid, fields))


def change(row: CalendarObject, found: ReadTodo, after: TodoFields, calendar: int) -> list[Write]:
    """What changing it comes to, in another list (by `id`) too; what is to be shown then last."""
    text = todo_edit.changed(found, after)
    if calendar == row.collection_id:
        return [Write(row.collection_id, row.href, text, row.etag)]
    return [
        Write(row.collection_id, row.href, "", row.etag),
        Write(calendar, event_changes.href_of(event_changes.new_uid()), text),
    ]


def completion(rows: Iterable[CalendarObject], today: date) -> list[Write]:
    """What being done comes to, of each of these that is not yet."""
    writes: list[Write] = []
    at = datetime.now(UTC)
    for row in rows:
        uid = event_changes.new_uid()
        text, other = todo_edit.completed(row.text, at, uid, today)
        writes.append(Write(row.collection_id, row.href, text, row.etag))
        writes += [Write(row.collection_id, event_changes.href_of(uid), other)] if other else []
    return writes


def reopening(row: CalendarObject) -> list[Write]:
    return [Write(row.collection_id, row.href, todo_edit.reopened(row.text), row.etag)]


def removal(row: CalendarObject) -> list[Write]:
    return [Write(row.collection_id, row.href, "", row.etag)]


def open_parts(calendar: int, uid: str) -> list[TodoRow]:
    """What is still to be done of something (by UID), and of its parts. A query for each depth."""
    found: dict[str, TodoRow] = {}
    level = [uid]
    for _depth in range(_DEEPEST):
        below = [one for one in todo_lists.parts_of_several(calendar, level) if one.uid not in found]
        found |= {one.uid: one for one in below if one.uid != uid}
        level = [one.uid for one in below][: todo_lists.MOST_RELATED]
        if not level or len(found) > todo_lists.MOST_RELATED:
            break
    return list(found.values())
