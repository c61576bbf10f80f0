"""Request values: validation of untrusted values: redirect targets (open redirects) and UIDVALIDITY."""

from __future__ import annotations

from flask import Request, request

from webmail.errors import (
    MailboxChangedError,
)


def local_path(target: str) -> str:
    """`target` if it is a path on this site, else "": prevents open redirects.

    Browsers treat a backslash as a slash and drop tabs and line breaks, so a backslash after the first slash, or a tab between
    two slashes, leaves the site as "//host" does (WHATWG URL, section 4.4).
    """
    if not target.startswith("/") or target.startswith("//") or len(target) > 2000:
        return ""
    return target if "\\" not in target and target.isprintable() else ""


AHEAD = "X-Traboule-Prefetch"  # a header that static/js/mailbox/ahead.js sends


def next_path() -> str:
    """Where a form or link says that it leads on to (`next`); "" for other sites and where it says nothing."""
    return local_path(request.values.get("next", ""))


def fetched_ahead(requested: Request | None = None) -> bool:
    """Whether our script asks for a page that nobody has opened yet: answering must change nothing, here or in the mail."""
    requested = requested or request
    return requested.method == "GET" and AHEAD in requested.headers


def guessed_by_browser() -> bool:
    """Whether the browser by itself asks for a page that nobody has opened yet, under the names that browsers have for it."""
    told = " ".join(request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"))
    return "prefetch" in told or "preview" in told


def uidvalidity() -> int | None:
    """The UIDVALIDITY in the URL (`v`), or None. Raises MailboxChangedError for an invalid one (RFC 3501 section 9)."""
    number = request.args.get("v", None, int)
    if number is not None and not 0 < number < 2**32:
        raise MailboxChangedError(f"{number} is no UIDVALIDITY")
    return number
