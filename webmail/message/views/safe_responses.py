"""Responses that carry something of a message: their Content-Security-Policy, and what a browser may keep of them (ETag)."""

from __future__ import annotations

import hashlib
import hmac
from importlib.metadata import version
from pathlib import Path

from flask import Response, request, session
from flask_babel import get_locale

from webmail.web import downloads
from webmail.web.current import current_user, settings
from webmail.web.request_values import uidvalidity

FRAME_CSP = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline' 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)


DOWNLOAD_CSP = downloads.POLICY


def as_file(response: Response, filename: str, disposition: str) -> Response:
    """What a browser saves, or shows in a page of its own; nothing in it can run."""
    response.headers["Content-Disposition"] = downloads.disposition(filename, disposition)
    return guarded(response, DOWNLOAD_CSP)


def guarded(response: Response, policy: str) -> Response:
    """The headers of everything that comes from a message. A 304 has them too: browsers put them over those they kept."""
    response.headers["Content-Security-Policy"] = policy
    response.headers["Cache-Control"] = "no-store"
    if tag := _tag():
        response.headers["Cache-Control"] = "private, no-cache"  # kept, and shown only after asking whether this session lives
        response.set_etag(tag)
    return response


def kept_by_browser() -> bool:
    """Whether the browser has this already, so that 304 answers it without a round trip to the mail server.

    It names the tag of an answer that was given under this UIDVALIDITY to this person, who is signed in now. Nobody else can
    name it: it takes the instance's secret, and holds whose it is. So a 304 shows nothing and tells nothing new; whoever asks
    with another person's tag, or "*", is sent to the mail server, which decides.
    """
    tag = _tag()
    asked = request.if_none_match.as_set(include_weak=True)  # never "*"
    return bool(tag) and any(each.partition(":")[0] == tag for each in asked)  # Flask-Compress adds ":br"


def _tag() -> str:
    """The ETag (RFC 9110 section 8.8.3) of what this address shows this person; "" where nothing may be kept.

    Without a UIDVALIDITY in the address its content may change, and on a shared computer nothing stays.
    """
    shared = bool(session.row and session.row.shared)  # type: ignore[attr-defined]
    if shared or not uidvalidity():
        return ""
    told = "\n".join((current_user().address, request.full_path, str(get_locale()), _MADE_BY))
    return hmac.digest(settings().secret_key.encode(), told.encode(), "sha256").hex()[:32]


def _made_by() -> str:
    """A word for the code that makes a page of a message: what an older cleaner let through is not shown again."""
    root = Path(__file__).resolve().parents[3]
    files = [
        *root.glob("webmail/mime/**/*.py"),
        *root.glob("webmail/message/views/*.py"),
        root / "templates/message/body.html",
        root / "static/frame.css",
    ]
    sums = [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)]
    return hashlib.sha256(" ".join([*sums, *map(version, ("nh3", "tinycss2"))]).encode()).hexdigest()


_MADE_BY = _made_by()
