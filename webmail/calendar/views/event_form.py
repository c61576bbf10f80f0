"""The form of an event: a new one, and changes of one that is there."""

from __future__ import annotations

from flask import Response

from webmail.calendar.blueprint import blueprint
from webmail.web.rendering import page


@blueprint.get("/calendar/events/new")
def new_event() -> Response:
    """An empty form; in the query `words` ("lunch tomorrow 12:30"), or `start` and `calendar`."""
    return page("calendar/event_form.html")
