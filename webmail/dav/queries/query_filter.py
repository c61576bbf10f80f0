"""Filters of queries about items: CALDAV:filter (RFC 4791, 9.7) and CARDDAV:filter (RFC 6352, 10.5), read and checked once.

What matches whom is in webmail/dav/queries/query_match.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from xml.etree import ElementTree as ET

C, CR = "{urn:ietf:params:xml:ns:caldav}", "{urn:ietf:params:xml:ns:carddav}"
OPEN = 2**40  # seconds since 1970: an end of time that was not given
MOST_PARTS = 100  # elements of a filter: programs ask for a handful
_MOMENT = re.compile(r"\d{8}T\d{6}Z")
_TIMED = ("VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VALARM")  # RFC 4791, 9.9
_COLLATIONS = {"i;ascii-casemap": False, "i;unicode-casemap": False, "i;octet": True, "default": False}  # exact?
_MATCHES = ("contains", "equals", "starts-with", "ends-with")


class InvalidFilterError(ValueError):
    """A filter that the protocol does not know. `condition`: the precondition that it breaks."""

    condition = "valid-filter"


class UnknownCollationError(InvalidFilterError):
    """It compares texts in a way that we don't."""

    condition = "supported-collation"


class InvalidZoneError(InvalidFilterError):
    """The zone of the question is none (RFC 4791, 7.8)."""

    condition = "valid-calendar-data"


Span = tuple[int, int]  # seconds since 1970; from and until -OPEN and OPEN where it has no end


@dataclass(frozen=True, slots=True)
class TextMatch:
    text: str
    kind: str = "contains"
    negated: bool = False
    exact: bool = False  # in capitals and small letters too

    def matches(self, value: str) -> bool:
        asked = self.text
        if not self.exact:
            asked, value = asked.casefold(), value.casefold()
        found = {
            "contains": asked in value, "equals": asked == value, "starts-with": value.startswith(asked),
            "ends-with": value.endswith(asked),
        }  # fmt: skip
        return found[self.kind] is not self.negated


@dataclass(frozen=True, slots=True)
class ParamFilter:
    name: str
    absent: bool = False
    text: TextMatch | None = None


@dataclass(frozen=True, slots=True)
class PropFilter:
    name: str
    absent: bool = False
    time: Span | None = None
    texts: tuple[TextMatch, ...] = ()
    params: tuple[ParamFilter, ...] = ()
    all_of: bool = True  # of texts and parameters; else any


@dataclass(frozen=True, slots=True)
class CompFilter:
    """Of a calendar's component; of a card, whose `name` is VCARD, `all_of` says whether one property is enough."""

    name: str
    absent: bool = False
    time: Span | None = None
    props: tuple[PropFilter, ...] = ()
    comps: tuple[CompFilter, ...] = ()
    all_of: bool = True

    def inner(self, name: str) -> CompFilter | None:
        return next((one for one in self.comps if one.name == name and not one.absent), None)


def calendar_filter(element: ET.Element) -> CompFilter | None:
    """A CALDAV:filter; None where it asks for all. Raises InvalidFilterError."""
    _check_size(element)
    if not len(element):
        return None
    if len(element) != 1 or element[0].tag != f"{C}comp-filter":
        raise InvalidFilterError("a filter is one comp-filter")
    found = _component(element[0])
    if found.name != "VCALENDAR":
        raise InvalidFilterError("the outer component is VCALENDAR")
    return found


def card_filter(element: ET.Element) -> CompFilter | None:
    """A CARDDAV:filter; None where it asks for all. Raises InvalidFilterError."""
    _check_size(element)
    props = []
    for one in element:
        if one.tag != f"{CR}prop-filter":
            raise InvalidFilterError("a filter of cards has prop-filters")
        props.append(_property(one, CR))
    return CompFilter("VCARD", props=tuple(props), all_of=_all_of(element, "anyof")) if props else None


def time_span(element: ET.Element) -> Span:
    """Of a time-range or an expand. Raises InvalidFilterError."""
    start, end = (_seconds(text, default) for text, default in ((element.get("start"), -OPEN), (element.get("end"), OPEN)))
    if start == -OPEN and end == OPEN:
        raise InvalidFilterError("a time without beginning and end")
    if end <= start:
        raise InvalidFilterError("a time that ends before it begins")
    return start, end


def _check_size(element: ET.Element) -> None:
    if sum(1 for _ in element.iter()) > MOST_PARTS:
        raise InvalidFilterError(f"a filter has {MOST_PARTS} parts at most")


def _component(element: ET.Element) -> CompFilter:
    name = element.get("name", "").upper()
    if not name:
        raise InvalidFilterError("a component without a name")
    if len(element) and element[0].tag == f"{C}is-not-defined":
        return CompFilter(name, absent=_alone(element))
    time, props, comps = None, [], []
    for one in element:
        if one.tag == f"{C}time-range" and time is None and name in _TIMED:
            time = time_span(one)
        elif one.tag == f"{C}prop-filter":
            props.append(_property(one, C))
        elif one.tag == f"{C}comp-filter":
            comps.append(_component(one))
        else:
            raise InvalidFilterError(f"{_local(one)} does not belong there")
    return CompFilter(name, False, time, tuple(props), tuple(comps))


def _property(element: ET.Element, space: str) -> PropFilter:
    name = element.get("name", "").upper()
    if not name:
        raise InvalidFilterError("a property without a name")
    if len(element) and element[0].tag == f"{space}is-not-defined":
        return PropFilter(name, absent=_alone(element))
    time, texts, params = None, [], []
    for one in element:
        if one.tag == f"{space}time-range" and time is None and space == C:
            time = time_span(one)
        elif one.tag == f"{space}text-match":
            texts.append(_text(one))
        elif one.tag == f"{space}param-filter":
            params.append(_parameter(one, space))
        else:
            raise InvalidFilterError(f"{_local(one)} does not belong there")
    return PropFilter(name, False, time, tuple(texts), tuple(params), space == C or _all_of(element, "anyof"))


def _parameter(element: ET.Element, space: str) -> ParamFilter:
    name = element.get("name", "").upper()
    if not name or len(element) > 1:
        raise InvalidFilterError("a parameter without a name, or with several conditions")
    if not len(element):
        return ParamFilter(name)
    if element[0].tag == f"{space}is-not-defined":
        return ParamFilter(name, absent=True)
    if element[0].tag != f"{space}text-match":
        raise InvalidFilterError(f"{_local(element[0])} does not belong there")
    return ParamFilter(name, text=_text(element[0]))


def _text(element: ET.Element) -> TextMatch:
    collation, kind = element.get("collation", "default"), element.get("match-type", "contains")
    if collation not in _COLLATIONS:
        raise UnknownCollationError(collation[:40])
    negated = element.get("negate-condition", "no")
    if kind not in _MATCHES or negated not in ("yes", "no") or len(element):
        raise InvalidFilterError("an unknown way to compare")
    return TextMatch(element.text or "", kind, negated == "yes", _COLLATIONS[collation])


def _all_of(element: ET.Element, default: Literal["anyof", "allof"]) -> bool:
    test = element.get("test", default)
    if test not in ("anyof", "allof"):
        raise InvalidFilterError("a test is anyof or allof")
    return test == "allof"


def _alone(element: ET.Element) -> bool:
    if len(element) != 1:
        raise InvalidFilterError("what is not defined has no other conditions")
    return True


def _seconds(text: str | None, default: int) -> int:
    if text is None or text == "":
        return default
    if not _MOMENT.fullmatch(text):
        raise InvalidFilterError("a time is given in UTC")
    try:
        moment = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidFilterError("no such time") from error
    return int(moment.timestamp())


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2][:40]
