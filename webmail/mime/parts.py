"""A whole message's bytes to its tree of parts, for servers whose BODYSTRUCTURE can't be understood.

The standard library's parser recurses (RecursionError at a few hundred levels) and copies each part at each level; this
one keeps positions in the bytes, looks at DEPTH_LIMIT levels, and never raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from webmail.mime.headers import HEADER_LIMIT, fields
from webmail.mime.tree import Node
from webmail.mime.words import tidy

DEPTH_LIMIT = 50
PART_LIMIT = 2000
_VALUE_LIMIT = 16384

_BLANK_LINE = re.compile(rb"(?:\A|\n)\r?\n")
_TYPE = re.compile(r"\s*([!-.0-:<-~]+)\s*/\s*([!-.0-:<-~]+)")
_PARAM = re.compile(r';\s*([^\s=;"]{1,100})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))', re.S)


@dataclass(slots=True)
class _Place:
    """A node and where its content lies in the bytes."""

    node: Node
    start: int
    end: int
    boundary: bytes


def from_bytes(raw: bytes) -> Node:
    """The tree of a message (RFC 2046 section 5.1) with IMAP section numbers; what is broken becomes a text leaf."""
    return next(_walk(raw)).node


def content(raw: bytes, section: str) -> bytes:
    """The content of the part that `from_bytes` numbers `section`, still transfer-encoded; b"" when there is none."""
    return next((raw[place.start : place.end] for place in _walk(raw) if place.node.section == section), b"")


def _walk(raw: bytes) -> Iterator[_Place]:
    """Every part; the first is the root, and its tree is complete when it is yielded."""
    root = _read(raw, 0, len(raw), "", "text/plain")
    places = [root]
    level = [root]
    for _depth in range(DEPTH_LIMIT):
        below: list[_Place] = []
        for place in level:
            default = "message/rfc822" if place.node.type == "multipart/digest" else "text/plain"
            for number, (start, end) in enumerate(_split(raw, place), 1):
                if len(places) + len(below) >= PART_LIMIT:
                    break
                section = f"{place.node.section}.{number}" if place.node.section else str(number)
                child = _read(raw, start, end, section, default)
                place.node.children.append(child.node)
                below.append(child)
        places += below
        level = [place for place in below if place.boundary]
    for place in places:
        if place.node.type.startswith("multipart/") and not place.node.children:
            place.node.type = "text/plain"  # no boundary, or none found: the text is all there is to show
    if not root.node.children:
        root.node.section = "1"
    yield from places


def _read(raw: bytes, start: int, end: int, section: str, default: str) -> _Place:
    """The node whose header block begins at `start`."""
    blank = _BLANK_LINE.search(raw, max(start - 1, 0), min(end, start + HEADER_LIMIT))
    begin = blank.end() if blank else end
    found = fields(raw[start:begin])

    def value(name: str) -> str:
        return found.get(name, [b""])[0][:_VALUE_LIMIT].decode("utf-8", "surrogateescape")

    kind, params = _parameters(value("content-type"))
    matched = _TYPE.match(kind)
    media = f"{matched[1]}/{matched[2]}".lower() if matched else default
    disposition, disposition_params = _parameters(value("content-disposition"))
    encoding = value("content-transfer-encoding").split(";")[0].strip().strip('"').lower()
    boundary = params.get("boundary", "").encode("utf-8", "surrogateescape")[:200] if media.startswith("multipart/") else b""
    node = Node(
        section=section,
        type=media,
        params=params,
        disposition=tidy(disposition).lower(),
        disposition_params=disposition_params,
        encoding=encoding or "7bit",
        size=end - begin,
        content_id=tidy(value("content-id")).strip("<> "),
    )
    return _Place(node, begin, end, boundary.rstrip())


def _parameters(value: str) -> tuple[str, dict[str, str]]:
    """What stands before the first ";", and the parameters (RFC 2045 section 5.1), names in lower case, first one wins."""
    params: dict[str, str] = {}
    for match in _PARAM.finditer(value):
        text = re.sub(r"\\(.)", r"\1", match[2], flags=re.S) if match[2] is not None else match[3].strip().strip('"')
        params.setdefault(match[1].lower(), text)
    return value.partition(";")[0], params


def _split(raw: bytes, place: _Place) -> Iterator[tuple[int, int]]:
    """Where the parts of a multipart lie: between delimiter lines, the line end before each belonging to it."""
    if not place.boundary:
        return
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + re.escape(place.boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    start = -1
    position = max(place.start - 2, 0)  # the line end of the blank line may be the first delimiter's
    while match := delimiter.search(raw, position, place.end):
        if start >= 0:
            yield start, max(start, match.start())
        if match[1]:
            return
        line_end = raw.find(b"\n", match.end(), place.end)
        start = line_end + 1 if line_end >= 0 else place.end
        position = max(match.end(), start - 2)
    if start >= 0:  # the closing delimiter is missing: take what there is
        yield start, place.end
