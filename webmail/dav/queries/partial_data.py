"""Partial data: the components and properties of an item that are asked for (RFC 4791, 9.6.1 to 9.6.4; RFC 6352, 10.4), and of a
series the changed ones that matter at a time (RFC 4791, 9.6.6). In linear time; lines stay as they were written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from xml.etree import ElementTree as ET

from webmail.dav.queries.query_filter import CR, C, Span
from webmail.dav.queries.query_match import AskedComponent, AskedProperty, Subject
from webmail.mime.formats.calendars.calendar_object import COMPONENTS
from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component, parsed, raw_lines

MOST_PARTS = 300  # components and properties that are asked for
_NAME = re.compile(r"(?:([A-Za-z0-9-]{1,60})\.)?([A-Za-z0-9-]{1,60})[;:]")


class InvalidSelectionError(ValueError):
    """Something else than parts of an item."""


@dataclass(frozen=True, slots=True)
class WantedPart:
    """What is wanted of a component: None is all of it. `props`: by name, those of which the value is not wanted are False."""

    name: str
    props: Mapping[str, bool] | None = None
    comps: Mapping[str, WantedPart] | None = None


def of_calendar(data: ET.Element) -> WantedPart | None:
    """What a CALDAV:calendar-data asks for; None where that is all. Raises InvalidSelectionError."""
    _check_size(data)
    comps = data.findall(f"{C}comp")
    if len(comps) > 1 or any(one.get("name", "").upper() != "VCALENDAR" for one in comps):
        raise InvalidSelectionError("the outer component is VCALENDAR")
    found = _component(comps[0]) if comps else None
    return found if found is not None and found != WantedPart(found.name) else None


def of_card(data: ET.Element) -> WantedPart | None:
    """The same of a CARDDAV:address-data."""
    _check_size(data)
    return WantedPart("VCARD", _properties(data, CR)) if data.find(f"{CR}prop") is not None else None


def _check_size(data: ET.Element) -> None:
    if sum(1 for _ in data.iter()) > MOST_PARTS:
        raise InvalidSelectionError(f"{MOST_PARTS} parts at most")


def _component(element: ET.Element) -> WantedPart:
    """An empty one is wanted whole, as in the example of RFC 4791, 7.8.1."""
    name = element.get("name", "").upper()
    if not name:
        raise InvalidSelectionError("a component without a name")
    if not len(element):
        return WantedPart(name)
    comps = None
    if element.find(f"{C}allcomp") is None:
        comps = {one.name: one for one in map(_component, element.iterfind(f"{C}comp"))}
    return WantedPart(name, None if element.find(f"{C}allprop") is not None else _properties(element, C), comps)


def _properties(element: ET.Element, space: str) -> dict[str, bool]:
    found = {one.get("name", "").upper(): one.get("novalue", "no") != "yes" for one in element.iterfind(f"{space}prop")}
    if "" in found:
        raise InvalidSelectionError("a property without a name")
    return found


def selected(text: str, wanted: WantedPart) -> str:
    """Of an item what is wanted."""
    kept: list[str] = []
    around: list[WantedPart | None] = []  # what is wanted of the components that a line is in; None: nothing
    for raw in raw_lines(text):
        flat = re.sub("\r?\n[ \t]", "", raw) if "\n" in raw[:-1] else raw
        head = _NAME.match(flat)
        if head is None:
            continue
        group, name = (head[1] or "").upper(), head[2].upper()
        if name == "BEGIN":
            inner = _inner(around, flat[head.end() :].strip().upper(), wanted)
            around.append(inner)
        elif not around:
            continue
        else:
            inner = around.pop() if name == "END" else around[-1]
        if inner is None:
            continue
        if name in ("BEGIN", "END") or inner.props is None:
            kept.append(raw)
        elif (told := inner.props.get(f"{group}.{name}" if group else name, inner.props.get(name))) is not None:
            kept.append(raw if told else f"{group}{'.' if group else ''}{name}:\r\n")
    return "".join(kept)


def _inner(around: list[WantedPart | None], name: str, wanted: WantedPart) -> WantedPart | None:
    if not around:
        return wanted if name == wanted.name else None
    if around[-1] is None:
        return None
    return WantedPart(name) if around[-1].comps is None else around[-1].comps.get(name)


def limited(text: str, span: Span, zone: tzinfo) -> str:
    """An object without those of its changed ones that take place outside of a time, and would have without being changed.

    `zone`: where days and times without a zone are meant.
    """
    if "RECURRENCE-ID" not in text.upper():
        return text
    try:
        root = parsed(text)
    except BrokenTextError:
        return text
    subject = Subject("", zone)
    read = {id(one): _requested_component(one) for one in root.parts(*COMPONENTS)}
    usual = next((one for one in read.values() if one.value("RECURRENCE-ID") is None), None)
    length = _length(subject, usual)
    root.drop(lambda one: isinstance(one, Component) and id(one) in read and not _matters(subject, read[id(one)], length, span))
    return str(root)


def _requested_component(component: Component) -> AskedComponent:
    return AskedComponent(component.name, [AskedProperty(line.name, line.params, line.value) for line in component.lines()])


def _length(subject: Subject, component: AskedComponent | None) -> int:
    begins, ends = subject.extent(component) if component is not None else (None, None)
    return max(ends - begins, 0) if begins is not None and ends is not None else 0


def _matters(subject: Subject, component: AskedComponent, length: int, span: Span) -> bool:
    named = component.value("RECURRENCE-ID")
    if named is None:
        return True
    original = subject.seconds(named)
    if original is None:
        return True
    start, end = span
    if "RANGE=" in named.params.upper():  # it changes those after it too
        return original < end
    begins, ends = subject.extent(component)
    times = [(original, original + length)]
    if begins is not None:
        times.append((begins, begins if ends is None else ends))
    return any(first < end and (last > start or first >= start) for first, last in times)
