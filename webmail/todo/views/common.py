"""What all pages of what is to be done ask: which lists there are, and one thing of them."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import abort, g, url_for

from webmail.calendar import editing
from webmail.calendar.todos import todo_lists
from webmail.collections import look
from webmail.collections import store as collections
from webmail.collections.store import Access
from webmail.mime.formats.calendars import todo_edit
from webmail.mime.formats.calendars.todo_edit import ReadTodo
from webmail.models import CalendarObject
from webmail.todo.sections import Now
from webmail.web.current import current_user, preferences, time_zone
from webmail.web.frame.first_visit import made_if_writable


def my_lists() -> list[Access]:
    """The person's lists, read once for a request. 1 query; the first is made where they have none."""
    if "todo_lists" not in g:
        g.todo_lists = todo_lists.with_first(current_user(), made_if_writable(collections.default_list))
    return list(g.todo_lists)


def counts_here() -> dict[int, tuple[int, int]]:
    """How much is to be done in each of the person's lists (by `id`), and how much is done there, read once for a request.
    1 query, and 1 more where the lists were not read."""
    if "todo_counts" not in g:
        g.todo_counts = todo_lists.counts(one.collection.id for one in my_lists())
    found: dict[int, tuple[int, int]] = g.todo_counts
    return found


def now_here() -> Now:
    return Now.here(datetime.now(UTC), preferences().first_day, time_zone())


def list_words(access: Access) -> str:
    """What a list is called, with whose it is if that is somebody else."""
    name = look.title_of(access.props)
    if access.collection.user_id == current_user().id:
        return name
    owner = access.collection.user
    return f"{name} ({owner.name or owner.address})"


def mine(calendar: int, href: str) -> tuple[Access, CalendarObject, ReadTodo]:
    """Something to be done that the person may see; 404 else."""
    try:
        access, row = editing.load(current_user(), calendar, href, todo_lists.COMPONENT)
        if not access.reads:
            abort(404)
        return access, row, todo_edit.read(row.text)
    except (editing.NoSuchEventError, ValueError):
        abort(404)


def todo_url(calendar: int, href: str) -> str:
    return url_for("todo.edit", calendar=calendar, href=href)
