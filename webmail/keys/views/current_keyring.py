"""Current keyring: that of who is asking, as it is open in this session, and what pages do where it is not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from flask import abort, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from webmail.auth.sessions import sessions
from webmail.auth.sessions.cookies import visit
from webmail.keys import open_keyring
from webmail.keys.open_keyring import OpenKeyring
from webmail.web.current import current_user, settings

SESSION, HOUR = "session", "hour"


def opened_here() -> OpenKeyring | None:
    """It, if it is open in this session. One SELECT for a request, none where it was never opened."""
    if "opened_keyring" not in g:
        g.opened_keyring = open_keyring.opened(current_user().id, _data(), visit().token, settings())
    return cast("OpenKeyring | None", g.opened_keyring)


def put(ring: bytes, lasts: str) -> None:
    """Keep it open in this session: as long as it (SESSION), or an hour."""
    row = visit().row
    longest = sessions.longest(row, settings()) if row is not None else timedelta()
    span = min(longest, open_keyring.HOUR) if lasts == HOUR else longest
    open_keyring.open_in_session(current_user(), ring, _data(), visit().token, settings(), lasts=span)
    g.opened_keyring = OpenKeyring(current_user().id, ring)


def close() -> None:
    open_keyring.close(_data(), visit().token, settings(), current_user().id)
    g.opened_keyring = None


def ask_to_open(back: str = "") -> Response:
    """To the page where it is opened, which leads back here."""
    here = back or (request.full_path.rstrip("?") if request.method == "GET" else url_for("keys.show"))
    return redirect(url_for("keys.show_opening", next=here), 303)


def check_here() -> None:
    """404 where the establishment has no encryption."""
    if not settings().encryption:
        abort(404)


def _data() -> Any:
    return session
