"""Questions that programs ask about items (RFC 4791, 9.7; RFC 6352, 10.5), and texts as Radicale's code can put them to."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any
from xml.etree import ElementTree as ET

from radicale import xmlutils
from radicale.item import read_components

from webmail.mime.formats import calendar_object


def without_time(asked: ET.Element) -> ET.Element:
    """A question about events without the time in which they take place, which has been seen to."""
    rest = deepcopy(asked)
    comp, time = xmlutils.make_clark("C:comp-filter"), xmlutils.make_clark("C:time-range")
    for inner in rest.iterfind(f"{comp}/{comp}"):
        for one in inner.findall(time):
            inner.remove(one)
    return rest


def readable_text(text: str, name: str) -> str:
    """A card without the lines that the library can't read; of an event what says when, where and what it is."""
    if name == "VCALENDAR":
        return calendar_object.read(text).reduced
    lines = re.sub("\r?\n[ \t]", "", text).splitlines()
    kept = [line for line in lines[1:-1] if _is_readable(line)] if len(lines) > 2 else []
    return "\r\n".join(["BEGIN:VCARD", *kept, "END:VCARD", ""])


def _is_readable(line: str) -> bool:
    try:
        component_of(f"BEGIN:VCARD\r\n{line}\r\nEND:VCARD\r\n")
    except ValueError:
        return False
    return True


def component_of(text: str) -> Any:
    """What the library reads in it. Raises ValueError."""
    try:
        [found] = read_components(text)
    except Exception as error:  # it has its own, and stumbles over many things
        raise ValueError(f"it can't be read: {error}"[:200]) from error
    return found


def uid_asked(filters: list[ET.Element]) -> str | None:
    """The UID that a question is about, where it is about one whole UID and nothing else."""
    inner = filters[0] if len(filters) == 1 else None
    while inner is not None and len(inner) == 1 and inner[0].tag.endswith("}comp-filter"):
        inner = inner[0]
    if inner is None or len(inner) != 1 or not inner[0].tag.endswith("}prop-filter") or inner[0].get("name", "").upper() != "UID":
        return None
    [prop] = inner
    if len(prop) != 1 or not prop[0].tag.endswith("}text-match") or prop[0].get("negate-condition", "no") == "yes":
        return None
    # "contains" is meant unless it says otherwise: nobody asks for a part of a UID, and what is found has it
    return (prop[0].text or "").strip() or None
