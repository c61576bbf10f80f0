"""Push: server-sent events for changes in a mailbox, if enabled; an open stream occupies a thread and an IMAP connection."""

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
    """Stream an event for each change in a mailbox, for 15 minutes, over its own IMAP connection; 1 round trip per event.

    204, which stops browsers from reconnecting, if no slot is free or the server does not support IDLE.
    """
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
    weakref.finalize(response, stream.close)  # for a response that is never closed because the client disconnected
    g.turn.give_back()  # streams have their own limit and don't occupy the user's request slots
    return response


def _still_signed_in(token: str, settings: Settings) -> Callable[[], bool]:
    """A check for the stream: 1 query per call, without keeping a database connection in between or extending the session."""

    def find() -> bool:
        try:
            with db.connection_context():
                return sessions.find(token, settings, visiting=False) is not None
        except DATABASE_AWAY:
            return False  # the browser reconnects soon

    return find
