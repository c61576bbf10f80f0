"""Principal search: how telephones find the rooms and things that an event can invite (RFC 3744, 9.4; RFC 6638, 2.4.2).

People are found in the directory's book; here are rooms alone, each a principal at /dav/rooms/ and its number.
"""

from __future__ import annotations

from http import client
from xml.etree import ElementTree as ET

from radicale import xmlutils

from webmail.calendar.rooms import resources
from webmail.calendar.rooms.attendees import KINDS
from webmail.collections.store import CALENDAR
from webmail.dav.answers import FORBIDDEN, NOT_FOUND, XML, Answer
from webmail.dav.visit import current
from webmail.mime.headers.encoded_words import fold
from webmail.models import Resource

PLACE = "rooms"
_MOST, _MOST_TESTS = 100, 20
_tag = xmlutils.make_clark
_SEARCH, _SEARCHABLE = _tag("D:principal-property-search"), _tag("D:principal-search-property-set")
_EMAILS, _EMAIL = "{http://calendarserver.org/ns/}email-address-set", "{http://calendarserver.org/ns/}email-address"
_NAME, _KIND, _ADDRESSES = _tag("D:displayname"), _tag("C:calendar-user-type"), _tag("C:calendar-user-address-set")


def report(base: str, root: ET.Element) -> Answer | None:
    """The answer to a search; None for another report."""
    if root.tag not in (_SEARCH, _SEARCHABLE):
        return None
    if CALENDAR not in current.get().device.kinds:
        return FORBIDDEN
    if root.tag == _SEARCHABLE:
        return _searchable()
    found = [one for one in resources.listed() if not one.closed and _matches(one, root)][:_MOST]
    wanted = [one.tag for one in root.findall(f"{_tag('D:prop')}/*")]
    return _told(base, found, wanted)


def propfind(base: str, parts: list[str], root: ET.Element | None) -> Answer:
    """The properties of one room. `parts`: of its path."""
    number = parts[1] if len(parts) == 2 else ""
    resource = resources.find(int(number)) if number.isascii() and number.isdigit() and len(number) < 16 else None
    if resource is None or CALENDAR not in current.get().device.kinds:
        return NOT_FOUND
    wanted = [one.tag for one in root.findall(f"{_tag('D:prop')}/*")] if root is not None else []
    return _told(base, [resource], wanted or [_NAME, _KIND, _ADDRESSES, _tag("D:resourcetype")])


def _matches(resource: Resource, root: ET.Element) -> bool:
    """Whether a room is what is searched for: all that is asked, or with test="anyof" one of it."""
    tests = root.findall(_tag("D:property-search"))[:_MOST_TESTS]
    found = [_passes(resource, one) for one in tests]
    return any(found) if root.get("test") == "anyof" else bool(found) and all(found)


def _passes(resource: Resource, test: ET.Element) -> bool:
    match = test.find(_tag("D:match"))
    wanted = fold((match.text or "").strip()) if match is not None else ""
    kind = match.get("match-type", "contains") if match is not None else ""
    names = [one.tag for one in test.findall(f"{_tag('D:prop')}/*")][:_MOST_TESTS]
    return bool(names and wanted) and all(_compares(fold(_text(resource, name)), wanted, kind) for name in names)


def _compares(text: str, wanted: str, kind: str) -> bool:
    return {"equals": text == wanted, "starts-with": text.startswith(wanted)}.get(kind, wanted in text)


def _text(resource: Resource, name: str) -> str:
    """What is compared of a property; "" for one that no search is for."""
    values = {
        _NAME: resource.name,
        _KIND: KINDS[resource.kind],
        _ADDRESSES: f"mailto:{resource.address}",
        _EMAILS: resource.address,
    }
    return values.get(name, "")


def _searchable() -> Answer:
    told = ET.Element(_SEARCHABLE)
    for name, text in ((_NAME, "Name"), (_KIND, "Kind"), (_ADDRESSES, "Address"), (_EMAILS, "Email address")):
        one = ET.SubElement(told, _tag("D:principal-search-property"))
        ET.SubElement(ET.SubElement(one, _tag("D:prop")), name)
        ET.SubElement(one, _tag("D:description"), {"xml:lang": "en"}).text = text
    return client.OK, {"Content-Type": XML}, [ET.tostring(told, encoding="utf-8", xml_declaration=True)]


def _told(base: str, found: list[Resource], wanted: list[str]) -> Answer:
    told = ET.Element(_tag("D:multistatus"))
    for resource in found:
        href = f"{base}/{PLACE}/{resource.id}/"
        response = ET.SubElement(told, _tag("D:response"))
        ET.SubElement(response, _tag("D:href")).text = href
        known = _properties(resource, href)
        for status, some in ((200, [one for one in wanted if one in known]), (404, [one for one in wanted if one not in known])):
            if some or (status == client.OK and not wanted):
                state = ET.SubElement(response, _tag("D:propstat"))
                props = ET.SubElement(state, _tag("D:prop"))
                for name in some:
                    props.append(known[name] if status == client.OK else ET.Element(name))
                ET.SubElement(state, _tag("D:status")).text = xmlutils.make_response(status)
    return client.MULTI_STATUS, {"Content-Type": XML}, [ET.tostring(told, encoding="utf-8", xml_declaration=True)]


def _properties(resource: Resource, href: str) -> dict[str, ET.Element]:
    values = {
        name: ET.Element(name) for name in (_NAME, _KIND, _ADDRESSES, _EMAILS, _tag("D:resourcetype"), _tag("D:principal-URL"))
    }
    values[_NAME].text, values[_KIND].text = resource.name, KINDS[resource.kind]
    ET.SubElement(values[_ADDRESSES], _tag("D:href")).text = f"mailto:{resource.address}"
    ET.SubElement(values[_EMAILS], _EMAIL).text = resource.address
    ET.SubElement(values[_tag("D:resourcetype")], _tag("D:principal"))
    ET.SubElement(values[_tag("D:principal-URL")], _tag("D:href")).text = href
    return values
