"""Client for another CalDAV or CardDAV server (RFC 4918, 4791, 6352, 6578): one account there, asked within bounds.

A name and password go to the one host (and port) that the person gave, by TLS: never to where it sends us on.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit
from xml.sax.saxutils import escape

from webmail import http_fetch
from webmail.collections.following.faults import FollowFault, FollowTroubleError, of_fetching, seconds_to_wait
from webmail.collections.following.turns import named_inside
from webmail.collections.store import BOOK
from webmail.config.settings import Settings
from webmail.dav.remote.answers import (
    COLOUR,
    CTAG,
    ITEMS,
    LISTING,
    C,
    D,
    NotMultistatusError,
    RemoteAnswer,
    item_name,
    origin,
    read,
)
from webmail.dav.remote.answers import CR as _CR
from webmail.http_fetch import FetchedResponse
from webmail.models import RemoteItem

SECONDS = 30.0  # for one request
MOST_ITEMS = 20_000  # of one collection
BATCH = 50  # items asked for at once
_HOPS, _PAGES = 4, 400
_LONGEST_TOKEN = 4_000  # characters; a server with longer ones is asked without
UNCONDITIONAL = "~"  # how entity tags begin that are not the server's: they are no condition
_TYPES = {BOOK: "text/vcard; charset=utf-8"}
_CALENDAR_TYPE = "text/calendar; charset=utf-8"
_XML = "application/xml; charset=utf-8"

_TOO_MUCH = (b"rateLimitExceeded", b"userRateLimitExceeded", b"quotaExceeded")  # Google's words for too many requests

Ask = Callable[..., FetchedResponse]  # (method, url, body, headers, *, limit, seconds)


def asking(settings: Settings) -> Ask:
    """How servers are asked: those that the administrator names wherever they are, all others only on the internet."""

    def ask(method: str, url: str, body: bytes, headers: dict[str, str], *, limit: int, seconds: float) -> FetchedResponse:
        scheme, host, port = origin(url)
        if named_inside(settings, host, port):
            return http_fetch.ask_named(method, url, body, headers, limit=limit, seconds=seconds)
        if scheme != "https":
            raise FollowTroubleError(FollowFault.INSECURE, host)
        return http_fetch.ask_guarded(method, url, body, headers, limit=limit, seconds=seconds)

    return ask


@dataclass(slots=True)
class RemoteChanges:
    """What a collection has (`whole`), or what has changed in it: names of items with their entity tags; what is gone."""

    token: str
    there: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    whole: bool = True


class RoundOverError(Exception):
    """This round's time is over; the next one goes on."""


class SyncTokenRefusedError(Exception):
    """The server doesn't know the sync-token (any longer), or doesn't know sync-collection at all."""


@dataclass(slots=True)
class RemoteServer:
    """An account on another server. All methods raise FollowTroubleError, and RoundOverError after `end` (of time.monotonic)."""

    url: str
    login: str
    secret: str = field(repr=False)
    ask: Ask
    bearer: bool = False  # `secret` is a token (RFC 6750), not a password
    end: float = float("inf")
    whole_every: timedelta = timedelta(days=1)
    google: bool = False  # it knows no condition but If-Match, no tasks, and makes contacts under names of its own

    def request(
        self, method: str, url: str, body: str | bytes = b"", headers: dict[str, str] | None = None, *,
        limit: int = ITEMS, refused: Sequence[int] = (),
    ) -> FetchedResponse:  # fmt: skip
        """Ask once, following redirects on the same host. An answer of 2xx, or of one of `refused`."""
        sent = {
            "Authorization": self._authorization(),
            "Accept": "*/*",
            **({"Content-Type": _XML} if body else {}),
            **(headers or {}),
        }
        content = body.encode() if isinstance(body, str) else body
        for _hop in range(_HOPS):
            answer = self._request(method, url, content, sent, limit)
            location = answer.headers.get("location", "")
            if answer.status not in (301, 302, 303, 307, 308) or not location:
                return self._judged(answer, url, refused)
            try:
                url = urljoin(url, location)
            except ValueError as error:
                raise FollowTroubleError(FollowFault.NOT_DAV, url) from error
            if method in ("PUT", "DELETE"):
                raise FollowTroubleError(FollowFault.REFUSED, url)
        raise FollowTroubleError(FollowFault.NOT_DAV, url)

    def _request(self, method: str, url: str, body: bytes, headers: dict[str, str], limit: int) -> FetchedResponse:
        left = self.end - time.monotonic()
        if left <= 0:
            raise RoundOverError
        try:
            if origin(url) != origin(self.url):
                raise FollowTroubleError(FollowFault.ELSEWHERE, url, target=origin(url)[1])
            return self.ask(method, url, body, headers, limit=limit, seconds=min(SECONDS, max(left, 1.0)))
        except (http_fetch.NotFetchedError, OSError) as error:
            raise FollowTroubleError(of_fetching(error), f"{url}: {error}") from error
        except ValueError as error:
            raise FollowTroubleError(FollowFault.NOT_DAV, url) from error

    def _authorization(self) -> str:
        if self.bearer:
            return f"Bearer {self.secret}"
        return "Basic " + base64.b64encode(f"{self.login}:{self.secret}".encode()).decode()

    def _judged(self, answer: FetchedResponse, url: str, refused: Sequence[int]) -> FetchedResponse:
        status = answer.status
        if status == 403 and any(word in answer.content[:10_000] for word in _TOO_MUCH):
            raise FollowTroubleError(FollowFault.BUSY, url, seconds_to_wait(answer.headers))
        if 200 <= status < 300 or status in refused:
            return answer
        kinds = {
            401: FollowFault.PASSWORD, 404: FollowFault.GONE, 410: FollowFault.GONE, 501: FollowFault.NOT_DAV,
            507: FollowFault.FULL,
        }  # fmt: skip
        if status in (429, 503):
            raise FollowTroubleError(FollowFault.BUSY, url, seconds_to_wait(answer.headers))
        if status in kinds:
            raise FollowTroubleError(kinds[status], url)
        kind = FollowFault.BROKEN if status == 500 else FollowFault.AWAY if status > 500 else FollowFault.REFUSED
        raise FollowTroubleError(kind, f"{url}: {status}")

    def propfind(self, url: str, props: str, depth: int, limit: int = LISTING) -> tuple[list[RemoteAnswer], str]:
        """The answers, and the address after redirects. Raises NOT_DAV where it is no DAV server."""
        answer = self.request("PROPFIND", url, _body("propfind", f"<D:prop>{props}</D:prop>"), {"Depth": str(depth)}, limit=limit)
        if answer.status != HTTPStatus.MULTI_STATUS:
            raise FollowTroubleError(FollowFault.NOT_DAV, url)
        return _read(answer.content, url)[0], answer.url or url

    # --- what a collection has ---------------------------------------------------------------------------------------

    def ctag(self, url: str) -> str:
        """What changes with the collection; "" where the server has none."""
        answers, _url = self.propfind(url, ABOUT, 0)
        return answers[0].text(CTAG)[:255] if answers else ""

    def complete(self, url: str, found: RemoteChanges, items: Sequence[RemoteItem]) -> None:
        """A DAV server tells all of it."""

    def identify(self, url: str, name: str) -> str:
        """An item has the name that it was sent by."""
        return name

    def changes(self, url: str, token: str) -> RemoteChanges:
        """What changed since `token`, or everything for "" (RFC 6578), page by page. Raises SyncTokenRefusedError too."""
        found = RemoteChanges(token, whole=not token)
        for _page in range(_PAGES):
            before, truncated = found.token, self._page_of_changes(url, found)
            if len(found.there) + len(found.gone) > MOST_ITEMS:
                raise FollowTroubleError(FollowFault.TOO_MANY, url)
            if not found.token:
                raise SyncTokenRefusedError
            if not truncated:
                return found
            if found.token == before:
                break
        raise FollowTroubleError(FollowFault.NOT_DAV, url)

    def _page_of_changes(self, url: str, found: RemoteChanges) -> bool:
        """Add a page; whether there are more."""
        asked = f"<D:sync-token>{escape(found.token)}</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop>"
        answer = self.request(
            "REPORT", url, _body("sync-collection", asked), {"Depth": "0"},
            limit=LISTING, refused=(400, 403, 405, 409, 412, 415, 422, 501),
        )  # fmt: skip
        if answer.status != HTTPStatus.MULTI_STATUS:
            raise SyncTokenRefusedError
        answers, found.token = _read(answer.content, url)
        if len(found.token) > _LONGEST_TOKEN:
            raise SyncTokenRefusedError
        truncated = False
        for one in answers:
            name = item_name(url, one.href)
            truncated = truncated or (one.status == HTTPStatus.INSUFFICIENT_STORAGE and not name)
            if name and one.status in (404, 410):
                found.gone.add(name)
                found.there.pop(name, None)
            elif name and one.status in (0, 200):
                found.there[name] = one.text(f"{D}getetag")
                found.gone.discard(name)
        return truncated

    def listing(self, url: str) -> RemoteChanges:
        """All items by their entity tags, for servers without sync-collection."""
        answers, _url = self.propfind(url, "<D:getetag/><D:resourcetype/>", 1)
        found = RemoteChanges("")
        for one in answers:
            name = item_name(url, one.href)
            kinds = one.props.get(f"{D}resourcetype")
            if name and one.status in (0, 200) and (kinds is None or not len(kinds)):
                found.there[name] = one.text(f"{D}getetag")
        if len(found.there) > MOST_ITEMS:
            raise FollowTroubleError(FollowFault.TOO_MANY, url)
        return found

    def items(self, url: str, kind: str, names: Sequence[str]) -> dict[str, tuple[str, str] | None]:
        """Entity tag and text of these items (BATCH at most); None for what is no longer there, or too large to be read."""
        data, prefix = ("address-data", "CR") if kind == BOOK else ("calendar-data", "C")
        hrefs = "".join(f"<D:href>{escape(urlpath(url, name))}</D:href>" for name in names)
        report = _body(
            f"{'addressbook' if kind == BOOK else 'calendar'}-multiget",
            f"<D:prop><D:getetag/><{prefix}:{data}/></D:prop>{hrefs}", prefix,
        )  # fmt: skip
        try:
            answer = self.request("REPORT", url, report, {"Depth": "1"}, refused=(400, 403, 405, 415, 501))
            if answer.status != HTTPStatus.MULTI_STATUS:
                return {name: self.item(url, name) for name in names}
            answers = _read(answer.content, url)[0]
        except FollowTroubleError as trouble:
            if trouble.kind is not FollowFault.TOO_LARGE:
                raise
            if len(names) == 1:
                return {names[0]: None}
            half = len(names) // 2
            return self.items(url, kind, names[:half]) | self.items(url, kind, names[half:])
        found: dict[str, tuple[str, str] | None] = {}
        for one in answers:
            text = one.props.get(f"{_CR if kind == BOOK else C}{data}")
            if (name := item_name(url, one.href)) and text is not None and text.text:
                whole = _lines(text.text)
                found[name] = one.text(f"{D}getetag") or _own_etag(whole), whole
        return {name: found.get(name) for name in names}

    def item(self, url: str, name: str) -> tuple[str, str] | None:
        """Entity tag and text of one item; None if it isn't there, or can't be read."""
        try:
            answer = self.request("GET", urljoin(url, urlpath(url, name)), refused=(404, 410))
        except FollowTroubleError as trouble:
            if trouble.kind is FollowFault.TOO_LARGE:
                return None
            raise
        if answer.status >= 400:
            return None
        text = answer.content.decode("utf-8", "replace")
        return answer.headers.get("etag", "") or _own_etag(text), text

    # --- changing it -------------------------------------------------------------------------------------------------

    def put(self, url: str, kind: str, name: str, text: str, etag: str) -> FetchedResponse:
        """Write an item, in place of the one with this entity tag; a new one for "", whatever is there for `UNCONDITIONAL`.

        The answer may be 4xx: it was changed there meanwhile (412), or the server doesn't take it.
        """
        if self.google and not etag:
            return self._put_new(url, kind, name, text)
        condition = {} if etag.startswith(UNCONDITIONAL) else {"If-Match": etag} if etag else {"If-None-Match": "*"}
        where = urljoin(url, urlpath(url, name))
        refused = (400, 403, 404, 405, 409, 410, 412, 413, 415, 422)
        headers = {"Content-Type": _TYPES.get(kind, _CALENDAR_TYPE), **condition}
        return self.request("PUT", where, text.encode(), headers, refused=refused)

    def _put_new(self, url: str, kind: str, name: str, text: str) -> FetchedResponse:
        """Without a condition it is looked first; a contact gets its name there (RFC 5995)."""
        if self.item(url, name) is not None:
            return FetchedResponse(url, HTTPStatus.PRECONDITION_FAILED, "", b"")
        method, where = ("POST", url) if kind == BOOK else ("PUT", urljoin(url, urlpath(url, name)))
        refused = (400, 403, 404, 405, 409, 410, 412, 413, 415, 422)
        return self.request(method, where, text.encode(), {"Content-Type": _TYPES.get(kind, _CALENDAR_TYPE)}, refused=refused)

    def delete(self, url: str, name: str, etag: str) -> int:
        """Delete an item if it has this entity tag; the status, which may be 4xx."""
        condition = {} if etag.startswith(UNCONDITIONAL) else {"If-Match": etag}
        where = urljoin(url, urlpath(url, name))
        return self.request("DELETE", where, b"", condition, refused=(400, 403, 404, 405, 409, 410, 412)).status


def _own_etag(text: str) -> str:
    """For a server that gives none."""
    return UNCONDITIONAL + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:40]


def urlpath(collection: str, name: str) -> str:
    """The path of an item."""
    return f"{urlsplit(collection).path.rstrip('/')}/{name}"


def _body(report: str, inner: str, prefix: str = "D") -> str:
    names = "xmlns:D='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav' xmlns:CR='urn:ietf:params:xml:ns:carddav'"
    return f"<?xml version='1.0' encoding='utf-8'?><{prefix}:{report} {names}>{inner}</{prefix}:{report}>"


def _read(content: bytes, url: str) -> tuple[list[RemoteAnswer], str]:
    try:
        return read(content)
    except NotMultistatusError as error:
        raise FollowTroubleError(FollowFault.NOT_DAV, f"{url}: {error}") from error


def _lines(text: str) -> str:
    """With the ends of lines that both formats have: XML turns them into others."""
    text = text.lstrip("\ufeff \n\r\t")
    return text if "\r\n" in text else text.replace("\n", "\r\n")


ABOUT = (
    "<D:resourcetype/><D:displayname/><D:current-user-privilege-set/><D:supported-report-set/><D:sync-token/>"
    "<C:supported-calendar-component-set/>"
    f"<X:getctag xmlns:X='{CTAG[1:].partition('}')[0]}'/><A:calendar-color xmlns:A='{COLOUR[1:].partition('}')[0]}'/>"
)
