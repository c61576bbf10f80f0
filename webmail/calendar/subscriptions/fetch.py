"""Subscribed fetch: asks an address for its calendar, within bounds, only where our server may ask, and only if it changed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit, urlunsplit

from webmail import http_fetch
from webmail.collections.following.faults import FollowFault, FollowTroubleError, of_fetching, seconds_to_wait
from webmail.collections.following.turns import named_inside
from webmail.config.settings import Settings
from webmail.http_fetch import FetchedResponse, NotFetchedError

LARGEST = 10_000_000  # bytes
SECONDS = 25.0  # for the whole answer
LONGEST_URL = 2_000  # characters
_HOPS = 4
_HEADERS = {"Accept": "text/calendar, */*;q=0.5"}


Ask = Callable[..., FetchedResponse]  # (url, headers, *, seconds, from_host)


@dataclass(frozen=True, slots=True)
class FetchedCalendar:
    """What came. `content` is None if it is as it was."""

    content: bytes | None
    charset: str = ""
    etag: str = ""
    modified: str = ""


def typed(text: str) -> str:
    """The address that somebody typed or copied, "" if it can't be one. `webcal` is asked by TLS."""
    text = text.strip()
    text = re.sub(r"^(webcals?|ics):(?://)?(?=[^/])", "https://", text, flags=re.IGNORECASE)
    if "://" not in text and re.match(r"[a-z0-9.-]+\.[a-z]{2,}(/|$)", text, re.IGNORECASE):
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return ""
    if not good or len(text) > LONGEST_URL or not text.isprintable() or " " in text:
        return ""
    return urlunsplit(parts._replace(fragment=""))


def host_of(url: str) -> str:
    """ "" for what is no address."""
    try:
        return (urlsplit(url).hostname or "")[:253]
    except ValueError:
        return ""


def asking(settings: Settings) -> Ask:
    """How addresses are asked: those on servers that the administrator names wherever they are, all others on the internet alone.

    Nobody outside sends us on to a server inside: that a person names themselves.
    """

    def ask(url: str, headers: dict[str, str], *, seconds: float, from_host: str) -> FetchedResponse:
        parts = urlsplit(url)
        port = parts.port or {"http": 80}.get(parts.scheme, 443)
        if named_inside(settings, parts.hostname or "", port) and (not from_host or from_host == parts.netloc):
            return http_fetch.ask_named("GET", url, b"", headers, limit=LARGEST, seconds=seconds)
        return http_fetch.ask_guarded("GET", url, b"", headers, limit=LARGEST, seconds=seconds)

    return ask


def fetch(url: str, ask: Ask, etag: str = "", modified: str = "", seconds: float = SECONDS) -> FetchedCalendar:
    """Ask for a calendar, unless it is still as it was with this `etag` or `modified`. Raises FollowTroubleError."""
    headers = dict(_HEADERS)
    if etag:
        headers["If-None-Match"] = etag
    elif modified:
        headers["If-Modified-Since"] = modified
    end, from_host = time.monotonic() + seconds, ""
    try:
        for _hop in range(_HOPS):
            answer = ask(url, headers, seconds=max(end - time.monotonic(), 0.1), from_host=from_host)
            where = answer.headers.get("location", "")
            if answer.status not in (301, 302, 303, 307, 308) or not where:
                return _taken(answer)
            from_host = from_host or urlsplit(url).netloc
            url = re.sub(r"^webcals?://", "https://", urljoin(url, where.strip()), flags=re.IGNORECASE)
    except NotFetchedError as error:
        kind = of_fetching(error)
        target = host_of(url) if from_host and kind is FollowFault.FORBIDDEN_PLACE else ""
        raise FollowTroubleError(kind, str(error), target=target) from error
    raise FollowTroubleError(FollowFault.BROKEN, "too many redirects")


def _taken(answer: FetchedResponse) -> FetchedCalendar:
    status = answer.status
    if status == 304:
        return FetchedCalendar(None)
    if 200 <= status < 300:
        told = answer.headers
        found = re.search(r"charset=\"?([A-Za-z0-9_.:-]{1,40})", told.get("content-type", ""), re.IGNORECASE)
        etag, modified = told.get("etag", ""), told.get("last-modified", "")
        return FetchedCalendar(
            answer.content, found[1] if found else "", etag if _fits(etag, 500) else "", modified if _fits(modified, 100) else ""
        )
    if status in (404, 410):
        raise FollowTroubleError(FollowFault.GONE, str(status))
    if status in (401, 403, 407):
        raise FollowTroubleError(FollowFault.REFUSED, str(status))
    if status in (429, 503):
        raise FollowTroubleError(FollowFault.BUSY, str(status), seconds_to_wait(answer.headers))
    raise FollowTroubleError(FollowFault.BROKEN, str(status))


def _fits(value: str, most: int) -> bool:
    return len(value) <= most and value.isascii() and value.isprintable()
