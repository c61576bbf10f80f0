"""Discovery (RFC 6764, RFC 5397): from what somebody types to the books and calendars of their account on another server."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote, unquote, urljoin, urlsplit

from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.collections.store import BOOK, CALENDAR
from webmail.dav.remote.answers import CR, C, D, FoundCollection, RemoteAnswer, collections_in, origin
from webmail.dav.remote.client import ABOUT, RemoteServer

MOST = 200  # collections that are offered
_LARGEST = 2_000_000  # bytes of an answer, while somebody waits
_PRINCIPAL = "<D:current-user-principal/><C:calendar-home-set/><CR:addressbook-home-set/>"
_HOMES = {CALENDAR: f"{C}calendar-home-set", BOOK: f"{CR}addressbook-home-set"}
_WORST = (FollowFault.PASSWORD, FollowFault.ELSEWHERE, FollowFault.FORBIDDEN_PLACE, FollowFault.INSECURE, FollowFault.BUSY)


def typed(text: str) -> str:
    """The address that somebody means by what they typed: a server, or the address of one account or collection. "" for none."""
    text = text.strip()
    if "://" not in text:
        text = f"https://{text.rpartition('@')[2] if '/' not in text else text}"
    try:
        scheme, host, _port = origin(text)
        parts = urlsplit(text)
    except ValueError:
        return ""
    if scheme not in ("http", "https") or not host or "@" in parts.netloc or len(text) > 900 or not text.isprintable():
        return ""
    return parts._replace(query="", fragment="", path=quote(unquote(parts.path), safe="/@:+,;=~!$&'()*") or "/").geturl()


def discover(server: RemoteServer) -> list[FoundCollection]:
    """All books and calendars of the account, by their addresses. Raises FollowTroubleError if there is no way to any."""
    found: dict[str, FoundCollection] = {}
    seen: set[str] = set()
    troubles: list[FollowTroubleError] = []
    for url, wanted in _candidates(server):
        if wanted is None and found or (wanted is not None and any(one.kind == wanted for one in found.values())):
            continue
        try:
            for one in _from(server, url, seen):
                found.setdefault(one.url.rstrip("/"), one)
        except FollowTroubleError as trouble:
            troubles.append(trouble)
            if trouble.kind in (FollowFault.FORBIDDEN_PLACE, FollowFault.INSECURE, FollowFault.AWAY):
                break
    if not found and troubles:
        raise min(troubles, key=lambda one: _WORST.index(one.kind) if one.kind in _WORST else len(_WORST))
    return sorted(found.values(), key=lambda one: (one.kind, one.name.lower()))[:MOST]


def found_at(server: RemoteServer, url: str) -> list[FoundCollection]:
    """What this one address leads to. Raises FollowTroubleError."""
    return _from(server, url, set())[:MOST]


def _candidates(server: RemoteServer) -> Iterator[tuple[str, str | None]]:
    """Addresses to ask, with the kind that each is for: what was typed, the well-known ones, then where usual servers have it."""
    if urlsplit(server.url).path.strip("/"):
        yield server.url, None
    for kind, name in ((CALENDAR, "caldav"), (BOOK, "carddav")):
        yield urljoin(server.url, f"/.well-known/{name}"), kind
    for path in ("/", "/remote.php/dav/", f"/SOGo/dav/{quote(server.login, safe='@')}/", "/dav/"):
        yield urljoin(server.url, path), None


def _from(server: RemoteServer, url: str, seen: set[str]) -> list[FoundCollection]:
    """What this address leads to: a collection itself, the homes of its principal, or what lies in it."""
    answers, url = server.propfind(url, _PRINCIPAL + ABOUT, 0, _LARGEST)
    if itself := list(collections_in(answers, url)):
        return itself
    homes = _homes(answers, url)
    for principal in _hrefs(answers, f"{D}current-user-principal", url):
        if principal not in seen:
            seen.add(principal)
            there, base = server.propfind(principal, _PRINCIPAL, 0, _LARGEST)
            homes += _homes(there, base)
    found: list[FoundCollection] = []
    for home in dict.fromkeys(homes or [url]):
        if f"in {home}" not in seen:
            seen.add(f"in {home}")
            inside, base = server.propfind(home, ABOUT, 1, _LARGEST)
            found += collections_in(inside, base)
    return found


def _homes(answers: list[RemoteAnswer], base: str) -> list[str]:
    return [home for tag in _HOMES.values() for home in _hrefs(answers, tag, base)]


def _hrefs(answers: list[RemoteAnswer], tag: str, base: str) -> list[str]:
    """The addresses in a property."""
    found = [(one.text or "").strip() for answer in answers for one in answer.props.get(tag, ())]
    urls = []
    for href in filter(None, found[:10]):
        try:
            urls.append(urljoin(base, href))
        except ValueError:  # no address
            continue
    return urls
