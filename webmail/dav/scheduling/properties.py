"""Properties of scheduling: of a person's principal, of their inbox and their outbox (RFC 6638, 2)."""

from __future__ import annotations

from collections.abc import Sequence
from http import client
from xml.etree import ElementTree as ET

from radicale import xmlutils

from webmail.collections import store
from webmail.collections.store import CALENDAR, SHARED
from webmail.dav.answers import XML, Answer
from webmail.dav.queries.multistatus import response_of
from webmail.dav.visit import current

INBOX, OUTBOX = f"{SHARED}inbox", f"{SHARED}outbox"  # names that nobody can give to a collection of their own
_NAMES = {INBOX: "Inbox", OUTBOX: "Outbox"}
_GRANTED = {
    INBOX: ("D:read", "D:unbind", "C:schedule-deliver"),
    OUTBOX: ("D:read", "C:schedule-send", "C:schedule-send-freebusy"),
}
_tag = xmlutils.make_clark
_STATUS, _PROPSTAT, _PROP = _tag("D:status"), _tag("D:propstat"), _tag("D:prop")
_NOTHING = "HTTP/1.1 404"


def is_place(parts: Sequence[str]) -> bool:
    """Whether a path leads to the inbox or the outbox of who asks."""
    visit = current.get()
    named = len(parts) in (2, 3) and parts[0] == visit.user.address and parts[1] in (INBOX, OUTBOX)
    return named and visit.schedules and CALENDAR in visit.device.kinds


def href(base: str, *names: str) -> str:
    return xmlutils.make_href(base, "/" + "/".join([current.get().user.address, *names]))


def complete_principal(root: ET.Element, base: str) -> None:
    """Give the person's principal what the other code does not know, where it was asked for."""
    visit = current.get()
    own = href(base, "")
    values = {_tag("C:calendar-user-type"): _with_text("C:calendar-user-type", "INDIVIDUAL")}
    if visit.schedules:
        values |= {
            _tag("C:schedule-inbox-URL"): _with_href("C:schedule-inbox-URL", href(base, INBOX, "")),
            _tag("C:schedule-outbox-URL"): _with_href("C:schedule-outbox-URL", href(base, OUTBOX, "")),
        }
    for response in root.iterfind(_tag("D:response")):
        if response.findtext(_tag("D:href"), "") == own and CALENDAR in visit.device.kinds:
            _fill_in(response, values)


def _fill_in(response: ET.Element, values: dict[str, ET.Element]) -> None:
    """Properties of which was said that they are not there are there."""
    found: list[ET.Element] = []
    for state in [one for one in response.iterfind(_PROPSTAT) if one.findtext(_STATUS, "").startswith(_NOTHING)]:
        props = state.find(_PROP)
        for element in list(props) if props is not None else ():
            if element.tag in values and props is not None:
                props.remove(element)
                found.append(values[element.tag])
        if props is None or not len(props):
            response.remove(state)
    if not found:
        return
    good = next((one for one in response.iterfind(_PROPSTAT) if " 200 " in one.findtext(_STATUS, "")), None)
    if good is None:
        good = ET.Element(_PROPSTAT)
        ET.SubElement(good, _PROP)
        ET.SubElement(good, _STATUS).text = xmlutils.make_response(client.OK)
        response.insert(1, good)
    good.find(_PROP).extend(found)  # type: ignore[union-attr]


def of_place(base: str, name: str, state: str) -> dict[str, ET.Element]:
    """The properties of the inbox or outbox. `state`: another one whenever another message is in it."""
    kind = ET.Element(_tag("D:resourcetype"))
    ET.SubElement(kind, _tag("D:collection"))
    ET.SubElement(kind, _tag("C:schedule-inbox" if name == INBOX else "C:schedule-outbox"))
    privileges = ET.Element(_tag("D:current-user-privilege-set"))
    for one in _GRANTED[name]:
        ET.SubElement(ET.SubElement(privileges, _tag("D:privilege")), _tag(one))
    own = href(base, "")
    found = [
        kind,
        privileges,
        _with_text("D:displayname", _NAMES[name]),
        _with_href("D:owner", own),
        _with_href("D:current-user-principal", own),
    ]
    if name == INBOX:
        default = store.default_collection(current.get().user, CALENDAR)
        components = ET.Element(_tag("C:supported-calendar-component-set"))
        ET.SubElement(components, _tag("C:comp"), {"name": "VEVENT"})
        found += [
            components,
            _reports("D:sync-collection", "C:calendar-multiget", "C:calendar-query"),
            _with_text("CS:getctag", state),
            _with_text("D:sync-token", state),
            _with_href("C:schedule-default-calendar-URL", href(base, default.name, "")),
        ]
    return {one.tag: one for one in found}


def _reports(*names: str) -> ET.Element:
    found = ET.Element(_tag("D:supported-report-set"))
    for name in names:
        report = ET.SubElement(ET.SubElement(found, _tag("D:supported-report")), _tag("D:report"))
        ET.SubElement(report, _tag(name))
    return found


def wanted_in(root: ET.Element | None, values: dict[str, ET.Element]) -> list[str]:
    """The names of what a PROPFIND asks for."""
    props = root.find(_PROP) if root is not None else None
    return list(dict.fromkeys(one.tag for one in props)) if props is not None else list(values)


def told(responses: Sequence[ET.Element]) -> Answer:
    root = ET.Element(_tag("D:multistatus"))
    root.extend(responses)
    return client.MULTI_STATUS, {"Content-Type": XML}, [ET.tostring(root, encoding="utf-8", xml_declaration=True)]


def of_outbox(base: str, root: ET.Element | None) -> Answer:
    values = of_place(base, OUTBOX, "")
    return told([response_of(href(base, OUTBOX, ""), values, wanted_in(root, values))])


def _with_text(name: str, text: str) -> ET.Element:
    element = ET.Element(_tag(name))
    element.text = text
    return element


def _with_href(name: str, address: str) -> ET.Element:
    element = ET.Element(_tag(name))
    ET.SubElement(element, _tag("D:href")).text = address
    return element
