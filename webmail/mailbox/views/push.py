"""New mail told at once, where the administrator allows it: a stream that holds a thread and a connection while it is open."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from flask import abort, g
from werkzeug.wrappers import Response

from webmail.auth import sessions
from webmail.auth.cookies import visit
from webmail.auth.guard import asked_by_pages
from webmail.config import Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.errors import NotAllowed
from webmail.imap.idle import Watch
from webmail.mailbox import push_streams
from webmail.mailbox.blueprint import blueprint
from webmail.web.current import current_account, current_user, settings


@blueprint.get("/push/<path:mailbox>")
@asked_by_pages
def push(mailbox: str) -> Response:
    """An event for each change in a mailbox, for 15 minutes; 204, by which a browser stops asking, where there is no room for
    another person's stream or the server knows no IDLE. A connection of its own, and 1 round trip for each event."""
    if not settings().push_connections:
        abort(404)
    place = push_streams.take(current_user().id, settings().push_connections)
    if place is None:
        return Response(status=204)
    try:
        watch = Watch(current_account(), mailbox)
    except NotAllowed:
        place.give_back()
        return Response(status=204)
    except BaseException:
        place.give_back()
        raise
    stream = push_streams.PushStream(place, watch, _still_signed_in(visit().token, settings()))
    response = Response(stream.events(), mimetype="text/event-stream")
    response.headers.update({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.call_on_close(stream.close)
    weakref.finalize(response, stream.close)  # for an answer that nobody closes: its browser went away too early
    g.turn.give_back()  # streams have bounds of their own, and leave a person's turns to what they do
    return response


def _still_signed_in(token: str, settings: Settings) -> Callable[[], bool]:
    """One SELECT each time it is called, and no database connection kept in between. It is no visit."""

    def find() -> bool:
        try:
            with db.connection_context():
                return sessions.find(token, settings, visiting=False) is not None
        except DATABASE_AWAY:
            return False  # the browser asks again in a moment

    return find
