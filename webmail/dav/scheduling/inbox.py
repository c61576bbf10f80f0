"""The inbox: what others tell somebody of meetings, as items that their devices read and delete (RFC 6638, 2.2 and 4)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from http import client
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

from radicale import xmlutils

from webmail.calendar.guests import scheduling_inbox
from webmail.dav.answers import FORBIDDEN, NOT_FOUND, NOT_HERE, Answer, failed
from webmail.dav.item import http_date
from webmail.dav.queries.multistatus import response_of
from webmail.dav.scheduling import properties, working_week
from webmail.dav.scheduling.properties import INBOX
from webmail.dav.visit import current
from webmail.models import SchedulingMessage

_tag = xmlutils.make_clark
_ITEM = re.compile(r"([0-9a-f]{64})\.ics")
_TYPE = "text/calendar; charset=utf-8; component=VEVENT"
_DATA = _tag("C:calendar-data")
_SYNC, _MULTIGET, _QUERY = _tag("D:sync-collection"), _tag("C:calendar-multiget"), _tag("C:calendar-query")


def answer(method: str, base: str, parts: Sequence[str], depth: str, root: ET.Element | None) -> Answer:
    """`parts`: of a path in the inbox."""
    if len(parts) == 3:
        return _of_item(method, base, parts[2], root)
    if method == "PROPFIND":
        return _list(base, depth, root)
    if method == "PROPPATCH":
        return working_week.change(base, root)
    if method == "REPORT" and root is not None and root.tag in (_SYNC, _MULTIGET, _QUERY):
        return _report(base, root)
    return failed(client.FORBIDDEN, "D:supported-report") if method == "REPORT" else NOT_HERE


def _of_item(method: str, base: str, name: str, root: ET.Element | None) -> Answer:
    if method not in ("GET", "HEAD", "DELETE", "PROPFIND"):
        return FORBIDDEN
    user, found = current.get().user, _ITEM.fullmatch(name)
    row = next(iter(scheduling_inbox.messages_for(user, [found[1]])), None) if found else None
    if row is None:
        return NOT_FOUND
    if method in ("GET", "HEAD"):
        return client.OK, {"Content-Type": _TYPE, "ETag": _etag(row), "Last-Modified": http_date(row.at)}, [row.text.encode()]
    if method == "DELETE":
        scheduling_inbox.delete(user, row.digest)
        return client.NO_CONTENT, {}, []
    return properties.told([_response(base, row, _names(root))])


def _list(base: str, depth: str, root: ET.Element | None) -> Answer:
    rows = scheduling_inbox.messages_for(current.get().user)
    known = properties.of_place(base, INBOX, _state(rows))
    wanted = properties.wanted_in(root, known)
    if set(wanted) & set(working_week.NAMES):
        known |= working_week.values()
    found = [response_of(properties.href(base, INBOX, ""), known, wanted)]
    if depth != "0":
        found += [_response(base, row, _names(root)) for row in rows]
    return properties.told(found)


def _report(base: str, root: ET.Element) -> Answer:
    """A message has no time of its own that a query would ask for: it gets all of them."""
    user, names = current.get().user, _names(root)
    if root.tag == _MULTIGET:
        hrefs = [unquote(urlsplit((one.text or "").strip()).path) for one in root.iterfind(_tag("D:href"))]
        wanted = {found[1]: href for href in hrefs if (found := _ITEM.fullmatch(href.rpartition("/")[2]))}
        return properties.told([_response(base, row, names) for row in scheduling_inbox.messages_for(user, list(wanted))])
    rows = scheduling_inbox.messages_for(user)
    if root.tag == _QUERY:
        return properties.told([_response(base, row, names) for row in rows])
    state, known = _state(rows), (root.findtext(_tag("D:sync-token")) or "").strip()
    if known and known != state:  # it is small: the program asks for all of it
        return failed(client.FORBIDDEN, "D:valid-sync-token")
    told = ET.Element(_tag("D:multistatus"))
    told.extend([] if known else [_response(base, row, names) for row in rows])
    ET.SubElement(told, _tag("D:sync-token")).text = state
    status, headers, _body = properties.told([])
    return status, headers, [ET.tostring(told, encoding="utf-8", xml_declaration=True)]


def _names(root: ET.Element | None) -> list[str]:
    props = root.find(_tag("D:prop")) if root is not None else None
    found = list(dict.fromkeys(one.tag for one in props)) if props is not None else []
    return found or [_tag("D:getetag"), _tag("D:getcontenttype")]


def _response(base: str, row: SchedulingMessage, names: Sequence[str]) -> ET.Element:
    texts = {
        _tag("D:getetag"): _etag(row), _tag("D:getcontenttype"): _TYPE, _tag("D:getlastmodified"): http_date(row.at),
        _tag("D:getcontentlength"): str(len(row.text.encode())), _DATA: row.text, _tag("D:resourcetype"): "",
    }  # fmt: skip
    known = {name: ET.Element(name) for name in texts}
    for name, text in texts.items():
        known[name].text = text or None
    return response_of(properties.href(base, INBOX, f"{row.digest}.ics"), known, names)


def _etag(row: SchedulingMessage) -> str:
    return f'"{row.digest[:32]}"'


def _state(rows: Sequence[SchedulingMessage]) -> str:
    """A token of what is there."""
    return f"data:,inbox-{hashlib.sha256(' '.join(row.digest for row in rows).encode()).hexdigest()[:32]}"
