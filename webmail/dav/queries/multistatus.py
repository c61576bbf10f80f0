"""Multistatus: answers about many items (RFC 4918, 13). What is the same for all is written once; the rest is filled in."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from radicale import xmlutils

from webmail.dav.item import DavItem

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # what no XML can tell, of items that others wrote
_MARK = f"answer-{secrets.token_hex(8)}"  # of a place to fill in; nothing that is sent has it
DATA = (xmlutils.make_clark("C:calendar-data"), xmlutils.make_clark("CR:address-data"))
_RESPONSE, _HREF, _STATUS, _PROPSTAT, _PROP = (
    xmlutils.make_clark(f"D:{name}") for name in ("response", "href", "status", "propstat", "prop")
)
LENGTH = xmlutils.make_clark("D:getcontentlength")
TAG = xmlutils.make_clark("C:schedule-tag")
_FILLED: Mapping[str, Callable[[DavItem], str]] = {
    xmlutils.make_clark("D:getetag"): lambda item: item.etag,
    xmlutils.make_clark("D:getlastmodified"): lambda item: item.last_modified or "",
    xmlutils.make_clark("D:getcontenttype"): lambda item: xmlutils.get_content_type(item, "utf-8"),
    LENGTH: lambda item: str(item.row.size),
    TAG: lambda item: f'"{item.row.schedule_tag}"',
    **dict.fromkeys(DATA, lambda item: item.serialize()),
}


class Multistatus:
    """`root` has what is told first; `sample` is Radicale's response about any item with the properties that are asked for.

    `begin` comes first, then `found` and `missing` in any order, then `end`.
    """

    def __init__(self, root: ET.Element, sample: ET.Element, tags: Iterable[str], base: str, own: Collection[str] = DATA) -> None:
        """`own`: the properties that Radicale does not know."""
        self._base = base
        _with_data(sample, [tag for tag in tags if tag in own])
        with_nothing(sample)
        fillers: list[Callable[[DavItem], str]] = []
        for element in sample.iter():
            if element.tag in _FILLED:
                element.text, element.tail = _MARK, None
                fillers.append(_FILLED[element.tag])
        sample.find(_HREF).text = _MARK  # type: ignore[union-attr]
        gone = ET.Element(_RESPONSE)
        ET.SubElement(gone, _HREF).text = _MARK
        ET.SubElement(gone, _STATUS).text = xmlutils.make_response(404)
        for part in (sample, gone):
            root.append(ET.Comment(_MARK))
            root.append(part)
        root.append(ET.Comment(_MARK))
        text = ET.tostring(root, encoding="unicode")
        self.begin, found, missing, self.end = text.split(f"<!--{_MARK}-->")
        self._found, self._fillers = found.split(_MARK), fillers
        self._missing = missing.split(_MARK)

    def found(self, item: DavItem, path: str) -> str:
        """`path`: of the item, below the root of `/dav/`, beginning with a slash."""
        parts = [self._found[0], escape(xmlutils.make_href(self._base, path))]
        for constant, filler in zip(self._found[1:], self._fillers, strict=False):
            parts += [constant, escape(_NO_XML.sub("", filler(item)))]
        parts.append(self._found[-1])
        return "".join(parts)

    def missing(self, path: str) -> str:
        return f"{self._missing[0]}{escape(xmlutils.make_href(self._base, path))}{self._missing[1]}"

    def end_with(self, *elements: ET.Element) -> str:
        """These, then the end. They are of the namespace DAV: alone."""
        texts = (ET.tostring(one, encoding="unicode") for one in elements)
        return "".join(texts) + self.end


def with_nothing(response: ET.Element) -> None:
    """A response about no property says that it is about none: it has something (RFC 4918, 14.24)."""
    if response.find(_PROPSTAT) is None and response.find(_STATUS) is None:
        state = ET.SubElement(response, _PROPSTAT)
        ET.SubElement(state, _PROP)
        ET.SubElement(state, _STATUS).text = xmlutils.make_response(200)


def _with_data(sample: ET.Element, tags: list[str]) -> None:
    """Take the properties with the text of an item into what is found: Radicale has them for reports alone."""
    stats = {one.findtext(_STATUS, ""): one for one in sample.iterfind(_PROPSTAT)}
    for stat in stats.values():
        props = stat.find(_PROP)
        assert props is not None
        for element in [one for one in props if one.tag in tags]:
            props.remove(element)
        if not len(props):
            sample.remove(stat)
    if not tags:
        return
    good = next((one for status, one in stats.items() if " 200 " in status and one in list(sample)), None)
    if good is None:
        good = ET.Element(_PROPSTAT)
        ET.SubElement(good, _PROP)
        ET.SubElement(good, _STATUS).text = xmlutils.make_response(200)
        sample.insert(1, good)
    props = good.find(_PROP)
    assert props is not None
    for tag in dict.fromkeys(tags):
        ET.SubElement(props, tag)


def response_of(href: str, values: Mapping[str, ET.Element], wanted: Iterable[str]) -> ET.Element:
    """What is told of something that is no item: the properties that are wanted and have `values`, and that it has no others."""
    response, names = ET.Element(_RESPONSE), list(wanted)
    ET.SubElement(response, _HREF).text = href
    for status, some in ((200, [one for one in names if one in values]), (404, [one for one in names if one not in values])):
        if some or (status == 200 and not names):
            state = ET.SubElement(response, _PROPSTAT)
            props = ET.SubElement(state, _PROP)
            for name in some:
                props.append(values[name] if status == 200 else ET.Element(name))
            ET.SubElement(state, _STATUS).text = xmlutils.make_response(status)
    return response
