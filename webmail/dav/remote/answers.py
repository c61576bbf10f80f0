"""Answers of other servers: what they tell of collections and items, read within bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit

from webmail.collections.store import BOOK, CALENDAR
from webmail.mime import multistatus
from webmail.mime.multistatus import D, NotMultistatusError, RemoteAnswer, origin, path_of
from webmail.mime.safe_xml import XmlBounds

__all__ = [
    "CR", "CTAG", "COLOUR", "ITEMS", "LISTING", "C", "D", "FoundCollection", "NotMultistatusError", "RemoteAnswer",
    "collections_in", "item_name", "origin", "read",
]  # fmt: skip

C, CR = "{urn:ietf:params:xml:ns:caldav}", "{urn:ietf:params:xml:ns:carddav}"
COLOUR, CTAG = "{http://apple.com/ns/ical/}calendar-color", "{http://calendarserver.org/ns/}getctag"
LISTING, ITEMS = 12_000_000, 16_000_000  # bytes of an answer
_BOUNDS = XmlBounds(size=ITEMS, depth=30, elements=250_000)
_LONGEST_NAME = 500  # of an item, as it stands in addresses
_WRITING = {f"{D}{name}" for name in ("all", "write", "write-content", "bind")}
_COMPONENTS = ("VEVENT", "VTODO", "VJOURNAL")


def read(content: bytes) -> tuple[list[RemoteAnswer], str]:
    """All answers in a multistatus, and the sync-token after them. Raises NotMultistatusError."""
    return multistatus.read(content, _BOUNDS)


# --- addresses -------------------------------------------------------------------------------------------------------


def item_name(collection: str, href: str) -> str:
    """What an item is called in its collection (as it stands in addresses); "" for all that is no item of it."""
    try:
        there = urljoin(collection, href)
        if origin(there) != origin(collection):
            return ""
        path, inside = path_of(collection).rstrip("/") + "/", path_of(there)
    except ValueError:
        return ""
    name = inside.removeprefix(path)
    return name if inside.startswith(path) and name and "/" not in name and len(name) <= _LONGEST_NAME else ""


# --- collections -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class FoundCollection:
    """A collection of the other server."""

    url: str
    kind: str
    name: str
    colour: str = ""
    components: str = ""
    writable: bool = True
    syncs: bool = False  # by sync-collection (RFC 6578)
    ctag: str = ""


def collections_in(found: list[RemoteAnswer], base: str) -> Iterator[FoundCollection]:
    """The books and calendars among these answers; not the boxes for invitations, nor what is on another host."""
    for one in found:
        kinds = {child.tag for child in one.props.get(f"{D}resourcetype", ())}
        kind = CALENDAR if f"{C}calendar" in kinds else BOOK if f"{CR}addressbook" in kinds else ""
        url = _joined(base, one.href)
        if not kind or one.status not in (0, 200) or not url or len(url) > 1000:
            continue
        components = _components(one) if kind == CALENDAR else ""
        if kind == CALENDAR and not components:
            continue
        name = one.text(f"{D}displayname") or unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2])
        yield FoundCollection(
            url, kind, " ".join(name.split())[:190], _colour(one.text(COLOUR)), components, _is_writable(one), _syncs(one),
            one.text(CTAG)[:255],
        )  # fmt: skip


def _joined(base: str, href: str) -> str:
    """An address on the same host; "" for all others, and what is none."""
    try:
        url = urljoin(base, href)
        return url if origin(url) == origin(base) else ""
    except ValueError:
        return ""


def _components(answer: RemoteAnswer) -> str:
    element = answer.props.get(f"{C}supported-calendar-component-set")
    if element is None or not len(element):
        return "VEVENT,VTODO"
    named = {child.get("name", "").upper() for child in element}
    return ",".join(name for name in _COMPONENTS if name in named)


def _colour(text: str) -> str:
    match = re.match(r"#[0-9A-Fa-f]{6}", text)
    return match[0] if match else ""


def _is_writable(answer: RemoteAnswer) -> bool:
    privileges = answer.props.get(f"{D}current-user-privilege-set")
    if privileges is None or not len(privileges):
        return True
    return bool(_WRITING & {child.tag for privilege in privileges for child in privilege})


def _syncs(answer: RemoteAnswer) -> bool:
    reports = answer.props.get(f"{D}supported-report-set")
    if reports is not None and len(reports):
        return any(True for _found in reports.iter(f"{D}sync-collection"))
    return bool(answer.text(f"{D}sync-token"))
