"""Current keyring: that of who is asking, as it is open in this session, and what pages do where it is not."""

from __future__ import annotations

from flask import abort, redirect, request, url_for
from werkzeug.wrappers import Response

from webmail.auth.sessions.cookies import visit
from webmail.keys import open_keyring, session_keyring
from webmail.keys.open_keyring import OpenKeyring
from webmail.web.current import current_user, settings

SESSION, HOUR = "session", "hour"


def opened_here() -> OpenKeyring | None:
    """It, if it is open in this session. One SELECT for a request, none where it was never opened."""
    return session_keyring.opened(current_user(), visit(), settings())


def put(ring: bytes, lasts: str) -> None:
    """Keep it open in this session: as long as it (SESSION), or an hour."""
    session_keyring.keep_open(current_user(), ring, visit(), settings(), lasts=open_keyring.HOUR if lasts == HOUR else None)


def close() -> None:
    session_keyring.close(current_user(), visit(), settings())


def ask_to_open(back: str = "") -> Response:
    """To the page where it is opened, which leads back here."""
    here = back or (request.full_path.rstrip("?") if request.method == "GET" else url_for("keys.show"))
    return redirect(url_for("keys.show_opening", next=here), 303)


def check_here() -> None:
    """404 where the establishment has no encryption."""
    if not settings().encryption:
        abort(404)
