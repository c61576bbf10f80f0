"""Collection queries, about many items: PROPFIND of a collection with what is in it, and the reports sync-collection (RFC 6578),
multiget and query (RFC 4791, 7; RFC 6352, 8). What they cost is bounded while the answer is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from http import client
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

from radicale import pathutils, xmlutils
from radicale.app.propfind import xml_propfind_response

from webmail.calendar.objects import TooMuchAskedError
from webmail.collections.store import BOOK, CALENDAR, Access
from webmail.dav.answers import XML, Answer, failed, plain
from webmail.dav.client_quirks import OURS
from webmail.dav.item import MOST_EXPANDED, DavItem
from webmail.dav.item_writes import limit_of
from webmail.dav.queries import free_busy, partial_data
from webmail.dav.queries.budget import OverBudgetError
from webmail.dav.queries.multistatus import DATA, LENGTH, TAG, Multistatus
from webmail.dav.queries.partial_data import InvalidSelectionError
from webmail.dav.queries.query_filter import InvalidFilterError, InvalidZoneError, calendar_filter, card_filter, time_span
from webmail.dav.rows import ItemRow
from webmail.dav.storage import DavCollection, InvalidTokenError, TooManyItemsError, collection_of
from webmail.dav.visit import current
from webmail.mime import safe_xml
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.zones import zone_definition
from webmail.models import now

MOST_NAMES = 200  # properties asked for in one request
_LONGEST_EXPANSION = 366 * 86_400  # seconds
_tag = xmlutils.make_clark
_QUERIES = {_tag("C:calendar-query"): CALENDAR, _tag("CR:addressbook-query"): BOOK}
_MULTIGETS = {_tag("C:calendar-multiget"): CALENDAR, _tag("CR:addressbook-multiget"): BOOK}
_SYNC, _FREE_BUSY = _tag("D:sync-collection"), _tag("C:free-busy-query")
_FORMS = (
    ("C:calendar-data", ("text/calendar",), ("2.0",)),
    ("CR:address-data", ("text/vcard", "text/x-vcard", "text/directory"), ("3.0", "4.0")),
)
_ASKED = {_tag(f"D:{name}") for name in ("prop", "allprop", "propname")}
_ZONE = "C:calendar-timezone"
_TOO_MANY = "D:number-of-matches-within-limits"


class TooManyNamesError(ValueError):
    """More properties than any program asks for."""


def once_each(root: ET.Element | None) -> bool:
    """Take out the properties that are asked for again; whether there were any. Raises TooManyNamesError."""
    if root is None:
        return False
    doubled = False
    for props in root.iter(_tag("D:prop")):
        known: set[str] = set()
        for one in list(props):
            if one.tag in known:
                props.remove(one)
                doubled = True
            known.add(one.tag)
        if len(known) > MOST_NAMES:
            raise TooManyNamesError(f"more than {MOST_NAMES} properties")
    return doubled


def propfind(application: Any, base: str, access: Access, root: ET.Element | None, own: bytes) -> Answer:
    """A collection with its items (Depth 1). `own`: Radicale's answer about the collection itself."""
    collection = collection_of(access)
    asked = root[0] if root is not None and len(root) else None
    tags = [one.tag for one in asked] if asked is not None and asked.tag == _tag("D:prop") else []
    answer = _multistatus(application, base, collection, safe_xml.parse(own, OURS), tags, asked)
    try:
        texts = _hides(collection) and (LENGTH in tags or asked is None or asked.tag == _tag("D:allprop"))
        told = _written(answer, ((item.row.href, item) for item in collection.get_all(texts=texts)), collection)
        return client.MULTI_STATUS, {"Content-Type": XML}, [answer.begin.encode(), *told, answer.end.encode()]
    except OverBudgetError:
        return failed(client.INSUFFICIENT_STORAGE, _TOO_MANY)


def report(application: Any, base: str, path: str, access: Access | None, root: ET.Element) -> Answer | None:
    """The answer to a report about items; None for what is left to Radicale."""
    kind = _QUERIES.get(root.tag) or _MULTIGETS.get(root.tag)
    if kind is None and root.tag not in (_SYNC, _FREE_BUSY):
        return None
    if access is None:
        return failed(client.FORBIDDEN, "D:supported-report") if path.strip("/").count("/") < 1 else None
    collection, parts = collection_of(access), pathutils.strip_path(path).split("/")
    if kind not in (None, access.collection.kind) or (len(parts) == 3 and root.tag not in _QUERIES):
        return failed(client.FORBIDDEN, "D:supported-report")
    if root.findtext(_tag("D:sync-level"), "1").strip() not in ("", "1", "infinite"):
        return plain(client.BAD_REQUEST, "No such sync-level.")  # RFC 6578, 6.3
    if (unknown := _other_data(root)) is not None:
        return failed(client.FORBIDDEN, unknown)
    try:
        current.get().meant = _zone_meant(access, root)
        if root.tag == _FREE_BUSY:
            return _free_busy(access, root)
        _choose_parts(root)
        if (refused := _expansion(access, root)) is not None:
            return refused
        answer = _multistatus(
            application, base, collection, ET.Element(_tag("D:multistatus")), _names(root), _requested_properties(root)
        )
        if root.tag == _SYNC:
            return _sync(answer, collection, base, root)
        if root.tag in _MULTIGETS:
            told = list(_multiget(answer, collection, base, root))
        else:
            told = _written(answer, _query(collection, parts[2] if len(parts) == 3 else "", root), collection)
        return client.MULTI_STATUS, {"Content-Type": XML}, [answer.begin.encode(), *told, answer.end.encode()]
    except InvalidSelectionError as error:
        return plain(client.BAD_REQUEST, f"{error}.")
    except InvalidFilterError as error:
        prefix = "CR" if access.collection.kind == BOOK else "C"
        return failed(client.FORBIDDEN, f"{prefix}:{error.condition}", str(error))
    except (TooManyItemsError, TooMuchAskedError, OverBudgetError) as error:
        return failed(client.FORBIDDEN, _TOO_MANY, str(error))


def _other_data(root: ET.Element) -> str | None:
    """The precondition that fails if items are wanted in another form than they are kept in (RFC 4791, 7.8; RFC 6352, 8.6)."""
    for name, types, versions in _FORMS:
        for asked in root.iterfind(f"{_tag('D:prop')}/{_tag(name)}"):
            if asked.get("content-type", types[0]).lower() not in types or asked.get("version", versions[0]) not in versions:
                return name.replace(":", ":supported-")
    return None


# --- each of them ----------------------------------------------------------------------------------------------------


def _sync(answer: Multistatus, collection: DavCollection, base: str, root: ET.Element) -> Answer:
    """What has changed; as much of it as there is room for, and where to go on (RFC 6578, 3.6)."""
    old = (root.findtext(_tag("D:sync-token")) or "").strip()
    most = _limit(root)
    told, reached, cut = [answer.begin.encode()], "", False
    budget = current.get().budget
    try:
        for change in collection.changes(old, texts=_wants_texts(root, collection)):
            if most and change.token and budget.told >= most:
                cut = True
                break
            told.append(budget.tell(_line(answer, collection, change.href, change.item)))
            reached = change.token or reached
    except OverBudgetError:
        if not reached:
            return failed(client.INSUFFICIENT_STORAGE, _TOO_MANY)
        cut = True
    except InvalidTokenError:
        return failed(client.FORBIDDEN, "D:valid-sync-token")
    ends = [_text("D:sync-token", reached if cut else collection.token)]
    if cut:
        ends.insert(0, _cut(xmlutils.make_href(base, f"/{collection.path}/")))
    return client.MULTI_STATUS, {"Content-Type": XML}, [*told, answer.end_with(*ends).encode()]


def _limit(root: ET.Element) -> int:
    text = root.findtext(f"{_tag('D:limit')}/{_tag('D:nresults')}", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _cut(href: str) -> ET.Element:
    """Says that there is more (RFC 6578, 3.6)."""
    response = ET.Element(_tag("D:response"))
    response.append(_text("D:href", href))
    response.append(_text("D:status", xmlutils.make_response(client.INSUFFICIENT_STORAGE)))
    ET.SubElement(ET.SubElement(response, _tag("D:error")), _tag(_TOO_MANY))
    return response


def _multiget(answer: Multistatus, collection: DavCollection, base: str, root: ET.Element) -> Iterator[bytes]:
    budget, own = current.get().budget, f"{base}/{collection.path}/"
    hrefs: list[str] = []
    for text in dict.fromkeys(one.text or "" for one in root.iterfind(_tag("D:href"))):
        budget.step()
        path = _path_of(text)
        if path is not None and path.startswith(own) and "/" not in path[len(own) :]:
            hrefs.append(path[len(own) :])
        elif path is not None and path.startswith(f"{base}/"):
            yield answer.missing(path[len(base) :]).encode()
    for href, item in collection.named(hrefs, texts=_wants_texts(root, collection)):
        if item is None:
            budget.step()
            yield answer.missing(f"/{collection.path}/{href}").encode()
        else:
            yield budget.tell(_line(answer, collection, href, item))
    budget.check()


def _path_of(href: str) -> str | None:
    try:
        return pathutils.sanitize_path(unquote(urlsplit(href.strip()).path))
    except ValueError:
        return None


def _query(collection: DavCollection, href: str, root: ET.Element) -> Iterator[tuple[str, DavItem | None]]:
    """`href`: of one item, if it is about that alone."""
    read = calendar_filter if collection.row.kind == CALENDAR else card_filter
    space = "C" if collection.row.kind == CALENDAR else "CR"
    filters = [read(one) for one in root.iterfind(_tag(f"{space}:filter"))]
    if len(filters) > 1:
        raise InvalidFilterError("one filter")
    asked = filters[0] if filters else None
    for item in collection.fitting(asked):
        if not href or item.row.href == href:
            yield item.row.href, item


def _zone_meant(access: Access, root: ET.Element) -> tzinfo | None:
    """The zone of the question (RFC 4791, 9.8), or that of the calendar (5.2.2), for days and for times without one. Raises
    InvalidZoneError."""
    if access.collection.kind != CALENDAR:
        return None
    try:
        if asked := root.findtext(_tag("C:timezone"), "").strip():
            return zone_definition.read(asked)
    except UnusableCalendarError as error:
        raise InvalidZoneError(str(error)) from error
    try:
        known = access.props.get(_ZONE, "").strip()
        return zone_definition.read(known) if known else None
    except UnusableCalendarError:  # from before it was looked at
        return None


def _free_busy(access: Access, root: ET.Element) -> Answer:
    if access.collection.kind != CALENDAR:
        return failed(client.FORBIDDEN, "D:supported-report")
    return client.OK, {"Content-Type": "text/calendar; charset=utf-8"}, [free_busy.answer(root, access.collection).encode()]


def _choose_parts(root: ET.Element) -> None:
    """Have items told in part, and series with what matters at a time, if that is asked for. Raises InvalidSelectionError, and
    InvalidFilterError."""
    visit = current.get()
    for tag, read in zip(DATA, (partial_data.of_calendar, partial_data.of_card), strict=True):
        if (data := root.find(f"{_tag('D:prop')}/{tag}")) is not None:
            visit.wanted = read(data)
            if (limit := data.find(_tag("C:limit-recurrence-set"))) is not None:
                visit.limit = time_span(limit)


def _expansion(access: Access, root: ET.Element) -> Answer | None:
    """Have each time told by itself, if that is asked for (RFC 4791, 9.6.5); the answer if it is too much."""
    expand = root.find(f".//{_tag('C:calendar-data')}/{_tag('C:expand')}")
    if expand is None:
        return None
    start, end = time_span(expand)
    if end - start > _LONGEST_EXPANSION or free_busy.count(access.collection, start, end) > MOST_EXPANDED:
        return failed(client.FORBIDDEN, _TOO_MANY)
    current.get().expansion = start, end
    return None


# --- the answer ------------------------------------------------------------------------------------------------------


def _multistatus(
    application: Any, base: str, collection: DavCollection, begun: ET.Element, tags: list[str], element: ET.Element | None
) -> Multistatus:
    """`element`: allprop, propname or prop."""
    visit = current.get()
    sample = DavItem(collection, ItemRow(0, "sample", "", "", 0, now(), "VEVENT"), "")
    kind = element.tag.rpartition("}")[2] if element is not None else ""
    own = (*DATA, TAG) if collection.row.kind == CALENDAR else DATA
    response = xml_propfind_response(
        application, base, f"/{collection.path}/", sample, [tag for tag in tags if tag not in own], visit.user.address, "utf-8",
        limit_of(collection.row, visit.settings), write=collection.access.writes, propname=kind == "propname",
        allprop=not tags and kind in ("allprop", ""),
    )  # fmt: skip
    return Multistatus(begun, response, tags, base, own)


def _written(answer: Multistatus, found: Iterable[tuple[str, DavItem | None]], collection: DavCollection) -> list[bytes]:
    budget = current.get().budget
    told = [budget.tell(_line(answer, collection, href, item)) for href, item in found]
    budget.check()
    return told


def _line(answer: Multistatus, collection: DavCollection, href: str, item: DavItem | None) -> str:
    path = f"/{collection.path}/{href}"
    return answer.missing(path) if item is None else answer.found(item, path)


def _requested_properties(root: ET.Element) -> ET.Element | None:
    """What a report wants to know of the items."""
    return next((one for one in root if one.tag in _ASKED), None)


def _names(root: ET.Element) -> list[str]:
    props = root.find(_tag("D:prop"))
    return [one.tag for one in props] if props is not None else []


def _wants_texts(root: ET.Element, collection: DavCollection) -> bool:
    """How long what is partly seen is, its text alone tells."""
    return any(tag in DATA or (tag == LENGTH and _hides(collection)) for tag in _names(root))


def _hides(collection: DavCollection) -> bool:
    return collection.row.kind == CALENDAR and collection.access.sight != "own"


def _text(name: str, text: str) -> ET.Element:
    element = ET.Element(_tag(name))
    element.text = text
    return element
