"""Meetings with a contact: fetched after its page, which shows them."""

from __future__ import annotations

from flask import Response, abort

from webmail.calendar import meetings
from webmail.calendar.blueprint import blueprint
from webmail.calendar.meetings import Meeting
from webmail.contacts import store
from webmail.web.current import current_user
from webmail.web.formatting import day_in_full, long_date
from webmail.web.frame.areas import check_shown
from webmail.web.rendering import page

_MOST = 5
_MOST_ADDRESSES = 20


@blueprint.get("/calendar/with/<uid>")
def show_meetings(uid: str) -> Response:
    """The next events of the person's own calendars that a contact takes part in."""
    check_shown("contacts")
    try:
        row = store.load(current_user(), uid)
    except store.NoSuchContactError:
        abort(404)
    emails = [point.value for point in store.details(row).emails if "@" in point.value][:_MOST_ADDRESSES]
    found = meetings.next_with(current_user(), emails, _MOST)
    return page("calendar/meetings.html", row=row, meetings=[(one, _when(one)) for one in found])


def _when(meeting: Meeting) -> str:
    return day_in_full(meeting.day) if meeting.day else long_date(meeting.begins)
