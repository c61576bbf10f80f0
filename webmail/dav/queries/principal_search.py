"""Principal search: how programs find whom and what an event can invite (RFC 3744, 9.4; RFC 6638, 2.4.2).

Rooms and things, each a principal at /dav/rooms/ and its number, and the people whom the directory shows to who asks, at
/dav/people/ and their address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import client
from itertools import islice
from xml.etree import ElementTree as ET

from radicale import xmlutils

from webmail.calendar.rooms import resources
from webmail.calendar.rooms.attendees import KINDS
from webmail.collections.store import CALENDAR
from webmail.dav.answers import FORBIDDEN, NOT_FOUND, XML, Answer, failed
from webmail.dav.queries.budget import OverBudgetError
from webmail.dav.queries.multistatus import response_of
from webmail.dav.visit import current
from webmail.mime.headers.encoded_words import fold
from webmail.models import Resource
from webmail.people.suggestions import account_rows
from webmail.people.visibility import sight_of

ROOMS, PEOPLE = "rooms", "people"
_MOST, _MOST_TESTS = 100, 20
_tag = xmlutils.make_clark
_SEARCH, _SEARCHABLE = _tag("D:principal-property-search"), _tag("D:principal-search-property-set")
_EMAILS, _EMAIL = "{http://calendarserver.org/ns/}email-address-set", "{http://calendarserver.org/ns/}email-address"
_NAME, _KIND, _ADDRESSES = _tag("D:displayname"), _tag("C:calendar-user-type"), _tag("C:calendar-user-address-set")


@dataclass(frozen=True, slots=True)
class FoundPrincipal:
    """Who or what can be invited. `kind`: CUTYPE; `path`: below the root of `/dav/`."""

    name: str
    kind: str
    address: str
    path: str

    def text(self, name: str) -> str:
        """What is compared of a property; "" for one that no search is for."""
        values = {_NAME: self.name, _KIND: self.kind, _ADDRESSES: f"mailto:{self.address}", _EMAILS: self.address}
        return values.get(name, "")


def report(base: str, root: ET.Element) -> Answer | None:
    """The answer to a search; None for another report."""
    if root.tag not in (_SEARCH, _SEARCHABLE):
        return None
    if CALENDAR not in current.get().device.kinds:
        return FORBIDDEN
    if root.tag == _SEARCHABLE:
        return _searchable()
    tests = root.findall(_tag("D:property-search"))[:_MOST_TESTS]
    anyof = root.get("test") == "anyof"
    wanted = [one.tag for one in root.findall(f"{_tag('D:prop')}/*")]
    try:
        found = list(islice((one for one in _everything() if _matches(one, tests, anyof)), _MOST)) if tests else []
    except OverBudgetError as error:
        return failed(client.FORBIDDEN, "D:number-of-matches-within-limits", str(error))
    return _told(base, found, wanted)


def _everything() -> Iterator[FoundPrincipal]:
    yield from (_of_room(one) for one in resources.listed() if not one.closed)
    visit = current.get()
    rows = account_rows.candidates(sight_of(visit.user, visit.settings), ())
    yield from (_of_person(one.name, one.address) for one in rows)


def _of_room(resource: Resource) -> FoundPrincipal:
    return FoundPrincipal(resource.name, KINDS[resource.kind], resource.address, f"/{ROOMS}/{resource.id}/")


def _of_person(name: str, address: str) -> FoundPrincipal:
    return FoundPrincipal(name or address, "INDIVIDUAL", address, f"/{PEOPLE}/{address}/")


def propfind(base: str, parts: list[str], root: ET.Element | None) -> Answer:
    """The properties of one room, or person. `parts`: of its path."""
    found = _at(parts) if len(parts) == 2 and CALENDAR in current.get().device.kinds else None
    if found is None:
        return NOT_FOUND
    wanted = [one.tag for one in root.findall(f"{_tag('D:prop')}/*")] if root is not None else []
    return _told(base, [found], wanted or [_NAME, _KIND, _ADDRESSES, _tag("D:resourcetype")])


def _at(parts: list[str]) -> FoundPrincipal | None:
    place, name = parts
    if place == ROOMS:
        resource = resources.find(int(name)) if name.isascii() and name.isdigit() and len(name) < 16 else None
        return _of_room(resource) if resource is not None else None
    visit = current.get()
    sight = sight_of(visit.user, visit.settings)
    seen = {} if sight.nobody else account_rows.checked(sight, [name])
    return _of_person(seen[name], name) if name in seen else None


def _matches(found: FoundPrincipal, tests: list[ET.Element], anyof: bool) -> bool:
    """Whether it is what is searched for: all that is asked, or with test="anyof" one of it. Raises OverBudgetError."""
    current.get().budget.step()
    passed = (_passes(found, one) for one in tests)
    return any(passed) if anyof else all(passed)


def _passes(found: FoundPrincipal, test: ET.Element) -> bool:
    match = test.find(_tag("D:match"))
    wanted = fold((match.text or "").strip()) if match is not None else ""
    kind = match.get("match-type", "contains") if match is not None else ""
    names = [one.tag for one in test.findall(f"{_tag('D:prop')}/*")][:_MOST_TESTS]
    return bool(names and wanted) and all(_compares(fold(found.text(name)), wanted, kind) for name in names)


def _compares(text: str, wanted: str, kind: str) -> bool:
    return {"equals": text == wanted, "starts-with": text.startswith(wanted)}.get(kind, wanted in text)


def _searchable() -> Answer:
    told = ET.Element(_SEARCHABLE)
    for name, text in ((_NAME, "Name"), (_KIND, "Kind"), (_ADDRESSES, "Address"), (_EMAILS, "Email address")):
        one = ET.SubElement(told, _tag("D:principal-search-property"))
        ET.SubElement(ET.SubElement(one, _tag("D:prop")), name)
        ET.SubElement(one, _tag("D:description"), {"xml:lang": "en"}).text = text
    return client.OK, {"Content-Type": XML}, [ET.tostring(told, encoding="utf-8", xml_declaration=True)]


def _told(base: str, found: list[FoundPrincipal], wanted: list[str]) -> Answer:
    told = ET.Element(_tag("D:multistatus"))
    for one in found:
        href = xmlutils.make_href(base, one.path)
        told.append(response_of(href, _properties(one, href), wanted))
    return client.MULTI_STATUS, {"Content-Type": XML}, [ET.tostring(told, encoding="utf-8", xml_declaration=True)]


def _properties(found: FoundPrincipal, href: str) -> dict[str, ET.Element]:
    values = {
        name: ET.Element(name) for name in (_NAME, _KIND, _ADDRESSES, _EMAILS, _tag("D:resourcetype"), _tag("D:principal-URL"))
    }
    values[_NAME].text, values[_KIND].text = found.name, found.kind
    ET.SubElement(values[_ADDRESSES], _tag("D:href")).text = f"mailto:{found.address}"
    ET.SubElement(values[_EMAILS], _EMAIL).text = found.address
    ET.SubElement(values[_tag("D:resourcetype")], _tag("D:principal"))
    ET.SubElement(values[_tag("D:principal-URL")], _tag("D:href")).text = href
    return values
