"""Safe responses: Content-Security-Policy and browser caching (ETag) for responses with content of messages."""

from __future__ import annotations

import hashlib
import hmac
from importlib.metadata import version
from pathlib import Path

from flask import Response, request, session
from flask_babel import get_locale

from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import uidvalidity
from webmail.web.responses import downloads

FRAME_CSP = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline' 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)


DOWNLOAD_CSP = downloads.POLICY


_SECONDS_TO_SHOW = 20  # that a page may take to arrive; signing out empties the browser's cache


def as_file(response: Response, filename: str, disposition: str) -> Response:
    """Turn a response into a download, or an inline file, that can't execute anything."""
    response.headers["Content-Disposition"] = downloads.disposition(filename, disposition)
    return guarded(response, DOWNLOAD_CSP)


def guarded(response: Response, policy: str) -> Response:
    """Set the headers for message content. Also needed on a 304, whose headers replace those in the browser's cache."""
    response.headers["Content-Security-Policy"] = policy
    response.headers["Cache-Control"] = "no-store"
    if tag := _tag():
        response.headers["Cache-Control"] = "private, no-cache"  # cached, but revalidated each time, which checks the session
        response.set_etag(tag)
        if for_a_frame():  # asked for at the click, shown by the page that comes after: not a second time within seconds
            response.headers["Cache-Control"] = f"private, max-age={_SECONDS_TO_SHOW}"
    return response


def for_a_frame() -> bool:
    """Whether the browser asks for the HTML of a message to show it in a frame."""
    return request.endpoint == "message.body" and request.headers.get("Sec-Fetch-Dest") == "iframe"


def kept_by_browser() -> bool:
    """Whether the browser's cache is valid (If-None-Match), so that a 304 needs no round trip to the mail server.

    The ETag is an HMAC over the user and the URL with its UIDVALIDITY, so only a response to this user can have revealed it, and
    a 304 discloses nothing new. For any other tag, or "*", the mail server decides.
    """
    tag = _tag()
    asked = request.if_none_match.as_set(include_weak=True)  # never "*"
    return bool(tag) and any(each.partition(":")[0] == tag for each in asked)  # Flask-Compress adds ":br"


def _tag() -> str:
    """The ETag (RFC 9110 section 8.8.3) of this URL for this user; "" if it must not be cached.

    Not cached without a UIDVALIDITY in the URL, since the content may change, nor on a shared computer.
    """
    shared = bool(session.row and session.row.shared)  # type: ignore[attr-defined]
    if shared or not uidvalidity():
        return ""
    told = "\n".join((current_user().address, request.full_path, str(get_locale()), _MADE_BY))
    return hmac.digest(settings().secret_key.encode(), told.encode(), "sha256").hex()[:32]


def _renderer_version() -> str:
    """A hash of the code that renders messages: an upgrade invalidates pages that an older sanitiser produced."""
    root = Path(__file__).resolve().parents[3]
    files = [
        *root.glob("webmail/mime/**/*.py"),
        *root.glob("webmail/message/views/*.py"),
        root / "templates/message/body.html",
        root / "static/css/frame.css",
        root / "static/css/frame-dark.css",
    ]
    sums = [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)]
    return hashlib.sha256(" ".join([*sums, *map(version, ("nh3", "tinycss2"))]).encode()).hexdigest()


_MADE_BY = _renderer_version()
