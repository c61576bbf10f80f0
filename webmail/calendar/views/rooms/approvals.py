"""What waits for somebody's approval: bookings of rooms that they agree to."""

from __future__ import annotations

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.calendar.blueprint import blueprint
from webmail.calendar.rooms import approval
from webmail.calendar.rooms.room_notices import LONGEST_NOTE
from webmail.calendar.rooms.room_texts import span_words
from webmail.web.current import current_user, time_zone
from webmail.web.notices import notify
from webmail.web.rendering import page

_MOST_TIMES = 5


@blueprint.get("/rooms/requests")
def show_room_requests() -> Response:
    waiting = approval.waiting(current_user())
    told = []
    for one in waiting:
        times = [span_words(span, time_zone()) for span in one.times[:_MOST_TIMES]]
        told.append((one, times, one.count - len(times)))
    return page(
        "calendar/rooms/requests.html", waiting=told, longest=LONGEST_NOTE, approves=bool(approval.resources_of(current_user()))
    )


@blueprint.post("/rooms/requests/<int:number>")
def decide_room_request(number: int) -> Answer:
    """`action=accept` or `action=decline`."""
    action = request.form.get("action", "")
    note = request.form.get("note", "").replace("\0", "").strip()
    if action in ("accept", "decline") and approval.decide(current_user(), number, agree=action == "accept", note=note):
        notify(_("The room is booked.") if action == "accept" else _("The booking was declined, and the room is free again."))
    else:
        notify(_("This request is no longer waiting."), "caution")
    return redirect(url_for("calendar.show_room_requests"), 303)
