"""The page of one event."""

from __future__ import annotations

from flask import Response, abort

from webmail.calendar import editing
from webmail.calendar.blueprint import blueprint
from webmail.mime.formats import calendar_object
from webmail.web.current import current_user
from webmail.web.rendering import page


@blueprint.get("/calendar/events/<int:calendar>/<href>")
def event(calendar: int, href: str) -> Response:
    """An event; `at` in the query: which one of those that recur, by its RECURRENCE-ID."""
    try:
        access, row = editing.load(current_user(), calendar, href)
    except editing.NoSuchEvent:
        abort(404)
    title = calendar_object.read(row.text).summary if access.reads else ""
    return page("calendar/event.html", access=access, row=row, title=title)
