"""Client quirks: what programs send as Radicale reads it, and what it answers as they need it. See
tests/unit/dav/test_requests.py."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import client
from xml.etree import ElementTree as ET

from radicale import xmlutils

from webmail.collections.store import SHARED
from webmail.dav import item_writes
from webmail.dav.answers import failed
from webmail.dav.queries import multistatus
from webmail.dav.scheduling import properties
from webmail.dav.visit import current
from webmail.mime import safe_xml
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.zones import zone_definition
from webmail.mime.safe_xml import XmlBounds

# properties with one element as their value
_CHOICES = [xmlutils.make_clark(f"C:{name}") for name in ("schedule-calendar-transp", "calendar-free-busy-set")]
_PROTECTED = [
    xmlutils.make_clark(f"D:{name}")
    for name in ("resourcetype", "getetag", "getcontentlength", "getcontenttype", "getlastmodified", "sync-token", "owner")
]
ZONE = xmlutils.make_clark("C:calendar-timezone")
OURS = XmlBounds(size=1 << 30, depth=100, elements=1_000_000, attributes=1_000)  # of what Radicale answers
_ANEW = (b"valid-sync-token", b"number-of-matches-within-limits")  # what to answer by asking for all in pieces


def texts_of_choices(root: ET.Element | None) -> bytes:
    """Properties that programs set, with the names of elements inside as texts: the other code keeps texts alone."""
    if root is None:
        return b""
    for tag in _CHOICES:
        for found in root.iter(tag):
            if len(found):
                found.text = found[0].tag.rpartition("}")[2]
                del found[:]
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def completed(body: bytes, base: str) -> bytes:
    """What Radicale does not know: addresses of the person, cards of version 4, elements as values, who may do all, nothing.
    `base`: the path of `/dav/`."""
    if b"propstat>" in body and not any(
        name in body
        for name in (
            b"calendar-user-address-set", b"supported-address-data", b"schedule-calendar-transp", b"calendar-free-busy-set",
            b"current-user-privilege-set", b"http://radicale.org/ns/", b"schedule-inbox-URL", b"schedule-outbox-URL",
            b"calendar-user-type",
        )
    ):  # fmt: skip
        return body
    root = safe_xml.parse(body, OURS)
    for found in root.iter(xmlutils.make_clark("C:calendar-user-address-set")):
        if len(found):
            del found[:]  # the path of the principal: programs write the first of them into events, and mail knows no paths
            for position, address in enumerate(item_writes.addresses_of(current.get().user, current.get().settings)):
                preferred = {"preferred": "1"} if not position else {}
                ET.SubElement(found, xmlutils.make_clark("D:href"), preferred).text = f"mailto:{address}"
    for found in root.iter(xmlutils.make_clark("CR:supported-address-data")):
        if len(found) == 1:
            kind = {"content-type": "text/vcard", "version": "4.0"}
            found.append(ET.Element(xmlutils.make_clark("CR:address-data-type"), kind))
    _without_all(root)
    properties.complete_principal(root, base)
    for response in root.iter(xmlutils.make_clark("D:response")):
        multistatus.with_nothing(response)
    for props in root.iter(xmlutils.make_clark("D:prop")):
        for found in [one for one in props if one.tag.startswith("{http://radicale.org/ns/}")]:
            props.remove(found)  # the version of a library
    for tag in _CHOICES:
        for found in root.iter(tag):
            if found.text and re.fullmatch("[A-Za-z-]{1,30}", found.text):
                ET.SubElement(found, xmlutils.make_clark(f"C:{found.text}"))
                found.text = None
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _without_all(root: ET.Element) -> None:
    """Who writes into what is shared with them does not delete it (RFC 3744, 3.11): they may not do all."""
    everything, tag = xmlutils.make_clark("D:all"), xmlutils.make_clark("D:current-user-privilege-set")
    for response in root.iterfind(xmlutils.make_clark("D:response")):
        place = response.findtext(xmlutils.make_clark("D:href"), "").rstrip("/").rpartition("/")[2]
        if not place.startswith(SHARED):
            continue
        for found in response.iter(tag):
            for privilege in [one for one in found if one.find(everything) is not None]:
                found.remove(privilege)


def is_protected(root: ET.Element | None) -> bool:
    """Whether a PROPPATCH would change what only the server says: Radicale answers to that with a bare 400."""
    return root is not None and any(root.find(f".//{xmlutils.make_clark('D:prop')}/{tag}") is not None for tag in _PROTECTED)


def bad_zone(root: ET.Element | None) -> str:
    """Why the time zone that a calendar is to get is none (RFC 4791, 5.2.2); "" where it is one, or there is none to set."""
    path = f"{xmlutils.make_clark('D:set')}/{xmlutils.make_clark('D:prop')}/{ZONE}"
    for found in root.iterfind(path) if root is not None else ():
        try:
            if text := (found.text or "").strip():
                zone_definition.read(text)
        except UnusableCalendarError as error:
            return str(error)
    return ""


def unchangeable(root: ET.Element | None, href: str) -> bytes:
    """The answer to a PROPPATCH of what can't be changed, or not with the rest: each of them is refused (RFC 4918, 9.2.1)."""
    return _refused(href, {403: [found.tag for found in _changed(root)]})


def without_zone(root: ET.Element | None, href: str, text: str) -> bytes:
    """The answer to a PROPPATCH with a time zone that is none: it is refused, and what was to be set with it."""
    others = [found.tag for found in _changed(root) if found.tag != ZONE]
    return _refused(href, {403: [ZONE], 424: others}, failed(403, "C:valid-calendar-data", text)[2][0])


def _changed(root: ET.Element | None) -> list[ET.Element]:
    return root.findall(f".//{xmlutils.make_clark('D:prop')}/*") if root is not None else []


def _refused(href: str, tags: Mapping[int, Sequence[str]], why: bytes = b"") -> bytes:
    """`why`: an error, of those with 403."""
    told = ET.Element(xmlutils.make_clark("D:multistatus"))
    response = ET.SubElement(told, xmlutils.make_clark("D:response"))
    ET.SubElement(response, xmlutils.make_clark("D:href")).text = href
    for status, some in tags.items():
        if some:
            state = ET.SubElement(response, xmlutils.make_clark("D:propstat"))
            props = ET.SubElement(state, xmlutils.make_clark("D:prop"))
            for tag in some:
                ET.SubElement(props, tag)
            ET.SubElement(state, xmlutils.make_clark("D:status")).text = xmlutils.make_response(status)
            if why and status == client.FORBIDDEN:
                state.append(safe_xml.parse(why, OURS))
    return ET.tostring(told, encoding="utf-8", xml_declaration=True)


def status_for(program: str, status: int, body: Sequence[bytes]) -> int:
    """What to tell a program. Thunderbird begins a book anew only after 400, where the protocol has 403 (RFC 6578, 3.2)."""
    if status == client.FORBIDDEN and "Thunderbird/" in program and any(one in piece for one in _ANEW for piece in body):
        return client.BAD_REQUEST
    return status
