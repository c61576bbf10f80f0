"""Addresses and files of an event: its video meeting (CONFERENCE and what programs call it), its attachments (ATTACH, RFC 5545,
3.8.1.1; names of files by RFC 8607, 4.4). Addresses that begin with https:// can be edited; all others stay as they were sent.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from webmail.mime.formats.calendars.component_tree import Component, TextLine, made
from webmail.mime.headers.filenames import safe_name

MOST_LINKS = 10  # that are edited
LONGEST_LINK = 2000  # characters
MOST_ATTACHED = 50  # that are told
_VIDEO = ("CONFERENCE", "X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL", "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK")
_NAMES = ("FILENAME", "X-FILENAME", "X-APPLE-FILENAME", "X-ORACLE-FILENAME")
_NEVER = re.compile(r"[\x00-\x20\x7f\"<>\\^`{|}]")  # in an address (RFC 3986)


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file in the event itself. `size` in bytes, about; `number` among all attachments."""

    number: int
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Attached:
    """What is attached to an event: addresses with the names that programs gave them ("" for none), and files in it."""

    links: tuple[tuple[str, str], ...] = ()
    files: tuple[AttachedFile, ...] = ()
    more: int = 0  # that are not told


def is_link(text: str) -> bool:
    """Whether this is an address that can be attached."""
    if len(text) > LONGEST_LINK or not text.lower().startswith("https://") or _NEVER.search(text) or not text.isprintable():
        return False
    return bool(host_of(text))


def host_of(link: str) -> str:
    """The host that an address leads to; "" where it is none."""
    try:
        return urlsplit(link).hostname or ""
    except ValueError:
        return ""


def links_of(event: Component) -> tuple[str, ...]:
    """The addresses that can be edited, the first ones."""
    found = (line.value.strip() for line in event.lines("ATTACH") if not _is_inside(line))
    return tuple(dict.fromkeys(link for link in found if is_link(link)))[:MOST_LINKS]


def write_links(event: Component, links: Sequence[str]) -> None:
    """Take out those of `links_of` that are no longer wanted, and add new ones; the other attachments stay."""
    before = links_of(event)
    gone = set(before) - set(links)
    event.drop(lambda one: isinstance(one, TextLine) and one.name == "ATTACH" and one.value.strip() in gone)
    for link in links:
        if link not in before:
            event.add(made("ATTACH", link))


def attached(event: Component) -> Attached:
    """What is attached to an event."""
    lines = event.lines("ATTACH")
    links, files = [], []
    for number, line in enumerate(lines[:MOST_ATTACHED]):
        if _is_inside(line):
            files.append(AttachedFile(number, _name(line), len(line.value) * 3 // 4))
        elif address := " ".join(line.value.split())[:LONGEST_LINK]:
            links.append((address, _name(line)))
    return Attached(tuple(links), tuple(files), len(lines[MOST_ATTACHED:]))


def content(event: Component, number: int) -> tuple[str, bytes] | None:
    """The name ("" for none) and bytes of a file in the event; None where there is none of this number, or it is broken."""
    lines = event.lines("ATTACH")
    if not 0 <= number < min(len(lines), MOST_ATTACHED) or not _is_inside(lines[number]):
        return None
    text = re.sub(r"[^A-Za-z0-9+/]", "", lines[number].value)
    try:
        return _name(lines[number]), base64.b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None


def _is_inside(line: TextLine) -> bool:
    return line.param("ENCODING").upper() == "BASE64" or line.param("VALUE").upper() == "BINARY"


def _name(line: TextLine) -> str:
    return safe_name(next((found for one in _NAMES if (found := line.param(one))), "")[:400])


def video_of(event: Component) -> str:
    """The address of a video meeting."""
    for name in _VIDEO:
        for line in event.lines(name):
            if line.value.strip().lower().startswith(("https://", "http://")):
                return line.value.strip()[:2000]
    return ""


def write_video(event: Component, link: str) -> None:
    """Set the address of a video meeting, or take it out with ""."""
    before = video_of(event)
    event.drop(lambda one: isinstance(one, TextLine) and one.name in _VIDEO and one.value.strip() == before)
    if link:
        event.add(made("CONFERENCE", re.sub(r"[\x00-\x20\x7f]", "", link), ";VALUE=URI;FEATURE=VIDEO"))
