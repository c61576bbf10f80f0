"""MIME parser: parses a whole message into its tree of parts, for servers whose BODYSTRUCTURE can't be parsed.

The standard library's parser recurses (RecursionError at a few hundred levels) and copies each part at each level; this
one keeps offsets into the bytes, reads DEPTH_LIMIT levels, and never raises.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from mmap import mmap

from webmail.mime.headers.encoded_words import tidy
from webmail.mime.headers.headers import HEADER_LIMIT, fields
from webmail.mime.tree import PartNode

DEPTH_LIMIT = 50
PART_LIMIT = 2000
DELIMITER_LIMIT = 100_000  # lines that begin with "--"
_VALUE_LIMIT = 16384

_BLANK_LINE = re.compile(rb"(?:\A|\n)\r?\n")
_DASHES = re.compile(rb"\n--([^\n]{1,300})")
_TYPE = re.compile(r"\s*([!-.0-:<-~]+)\s*/\s*([!-.0-:<-~]+)")
_PARAM = re.compile(r';\s*([^\s=;"]{1,100})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))', re.S)


Raw = bytes | mmap


@dataclass(slots=True)
class _NodeOffsets:
    """A node and the offsets of its header block and its content."""

    node: PartNode
    head: int
    start: int
    end: int
    boundary: bytes


@dataclass(slots=True)
class ParsedMessage:
    """A parsed message: `root` is its tree (RFC 2046 section 5.1) with IMAP section numbers."""

    root: PartNode
    _raw: Raw = field(repr=False)
    _places: dict[str, _NodeOffsets] = field(repr=False)

    def content(self, section: str, most: int | None = None) -> bytes:
        """The content of a part, still transfer-encoded, at most `most` bytes of it; b"" if there is no such part."""
        place = self._places.get(section)
        if place is None:
            return b""
        return self._raw[place.start : place.end if most is None else min(place.end, place.start + most)]

    def span(self, section: str) -> tuple[int, int, int] | None:
        """The offsets of a part's header block, of its content, and of its end (the line end after it is its parent's)."""
        place = self._places.get(section)
        return (place.head, place.start, place.end) if place else None


def read(raw: Raw) -> ParsedMessage:
    """Parse a message once, for its tree and the contents of several parts; malformed parts become text leaves. A large one may
    be a mapped file: only header blocks are copied."""
    places = _walk(raw)
    return ParsedMessage(places[0].node, raw, {place.node.section: place for place in reversed(places)})


def from_bytes(raw: bytes) -> PartNode:
    """The tree of a message, see `read`."""
    return read(raw).root


def content(raw: bytes, section: str) -> bytes:
    """The content of the part `section`, still transfer-encoded; b"" if there is no such part."""
    return read(raw).content(section)


def _walk(raw: Raw) -> list[_NodeOffsets]:
    """Every part; the first is the root."""
    root = _read(raw, 0, len(raw), "", "text/plain")
    places = [root]
    level = [root] if root.boundary else []
    lines = _dashed(raw) if level else {}
    for _depth in range(DEPTH_LIMIT):
        below: list[_NodeOffsets] = []
        for place in level:
            default = "message/rfc822" if place.node.type == "multipart/digest" else "text/plain"
            for number, (start, end) in enumerate(_split(raw, place, lines), 1):
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
            place.node.type = "text/plain"  # no boundary, or none found: show it as text
    if not root.node.children:
        root.node.section = "1"
    return places


def _read(raw: Raw, start: int, end: int, section: str, default: str) -> _NodeOffsets:
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
    node = PartNode(
        section=section,
        type=media,
        params=params,
        disposition=tidy(disposition).lower(),
        disposition_params=disposition_params,
        encoding=encoding or "7bit",
        size=end - begin,
        content_id=tidy(value("content-id")).strip("<> "),
    )
    return _NodeOffsets(node, start, begin, end, boundary.rstrip())


def _parameters(value: str) -> tuple[str, dict[str, str]]:
    """The value before the first ";", and the parameters (RFC 2045 section 5.1), names in lower case, the first one wins."""
    params: dict[str, str] = {}
    for match in _PARAM.finditer(value):
        text = re.sub(r"\\(.)", r"\1", match[2], flags=re.S) if match[2] is not None else match[3].strip().strip('"')
        params.setdefault(match[1].lower(), text)
    return value.partition(";")[0], params


def _dashed(raw: Raw) -> dict[bytes, list[int]]:
    """Index of the lines that begin with "--": what follows -> offsets. Built once, since every level contains those below."""
    found: dict[bytes, list[int]] = {}
    if raw[:2] == b"--":
        found[raw[2:302].partition(b"\n")[0].removesuffix(b"\r").rstrip(b" \t")] = [0]
    for count, match in enumerate(_DASHES.finditer(raw)):
        if count >= DELIMITER_LIMIT:
            break
        found.setdefault(match[1].removesuffix(b"\r").rstrip(b" \t"), []).append(match.start() + 1)
    return found


def _split(raw: Raw, position: _NodeOffsets, lines: dict[bytes, list[int]]) -> Iterator[tuple[int, int]]:
    """(start, end) of each part of a multipart: between delimiter lines, which include the line end before them."""
    opening, closing = lines.get(position.boundary, []), lines.get(position.boundary + b"--", [])
    last = bisect_left(closing, position.start)
    # without a closing delimiter the last part extends to the end
    closed = closing[last] if last < len(closing) and closing[last] < position.end else None
    start = -1
    for number in range(bisect_left(opening, position.start), len(opening)):
        at = opening[number]
        if at >= (position.end if closed is None else closed):
            break
        if start >= 0:
            yield start, max(start, _line_end_before(raw, at))
        line_end = raw.find(b"\n", at, position.end)
        start = line_end + 1 if line_end >= 0 else position.end
    if start >= 0:
        yield start, position.end if closed is None else max(start, _line_end_before(raw, closed))


def _line_end_before(raw: Raw, at: int) -> int:
    """The offset of the line end that precedes a line."""
    return max(at - (2 if raw[at - 2 : at - 1] == b"\r" else 1), 0)
