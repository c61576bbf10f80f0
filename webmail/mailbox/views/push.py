"""Push: server-sent events for changes in a mailbox, if enabled; an open stream occupies a thread and an IMAP connection. On
pages without a mailbox, a thread alone, for what other areas have to tell (webmail/web/frame/push_events.py)."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from flask import abort, g, request
from werkzeug.wrappers import Response

from webmail.auth.guard import asked_by_pages
from webmail.auth.sessions import sessions
from webmail.auth.sessions.cookies import visit
from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.errors import NotAllowedError
from webmail.imap.connections.idle import Watch
from webmail.mailbox import push_streams
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.push_streams import Look, Silence, Watched
from webmail.web.current import current_account, current_user, settings
from webmail.web.frame.push_events import looker


@blueprint.get("/push/<path:mailbox>")
@asked_by_pages
def push(mailbox: str) -> Response:
    """Stream an event for each change in a mailbox, for 15 minutes, over its own IMAP connection; 1 round trip per event.

    204, which stops browsers from reconnecting, if no slot is free or the server does not support IDLE.
    """
    return _stream(lambda: Watch(current_account(), mailbox))


@blueprint.get("/push")
@asked_by_pages
def push_alone() -> Response:
    """The same without a mailbox: no round trip."""
    return _stream(Silence)


def _stream(watched: Callable[[], Watched]) -> Response:
    if not settings().push_connections:
        abort(404)
    place = push_streams.take(current_user().id, settings().push_connections)
    if place is None:
        return Response(status=204)
    try:
        watch = watched()
    except NotAllowedError:
        place.give_back()
        return Response(status=204)
    except BaseException:
        place.give_back()
        raise
    look = _look(visit().token, settings(), looker(current_user().id, request.args))
    stream = push_streams.PushStream(place, watch, look)
    response = Response(stream.events(), mimetype="text/event-stream")
    response.headers.update({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.call_on_close(stream.close)
    weakref.finalize(response, stream.close)  # for a response that is never closed because the client disconnected
    g.place.leave()  # streams have a limit of their own, and take no place of visits
    return response


def _look(token: str, settings: Settings, others: Callable[[], list[tuple[str, str]]]) -> Look:
    """What the stream has to tell of other areas, while the user is signed in: 1 query per call, and 1 for each of these, without
    keeping a database connection in between or extending the session."""

    def look() -> list[tuple[str, str]] | None:
        try:
            with db.connection_context():
                return others() if sessions.find(token, settings, visiting=False) is not None else None
        except DATABASE_AWAY:
            return None  # the browser reconnects soon

    return look
