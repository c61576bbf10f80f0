"""vCard import: parses a .vcf file (vCard 2.1 to 4.0) into cards that contacts can store. Limits apply before any parsing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from webmail.mime.formats.vcard_edit import (
    BEYOND,
    LARGEST,
    LARGEST_GROUP,
    MOST_LINES,
    PICTURES,
    ContactDetails,
    as_text,
    is_too_large,
    library,
    lines_of,
    read,
)
from webmail.mime.formats.vcard_view import may_be_read

_MOST_READ = 300_000  # lines of a file: the library takes about 40 µs for each
_LONGEST_HEAD = 1000  # characters in which the encoding of a line must be named


@dataclass(frozen=True, slots=True)
class CardFile:
    """(card, its details) for each card of a file that can be stored; `refused` counts cards that are invalid or too large, `cut`
    those whose pictures were removed."""

    cards: tuple[tuple[str, ContactDetails], ...]
    refused: int = 0
    cut: int = 0


def cards_in(text: str, most: int) -> CardFile:
    """Parse the cards of a .vcf (vCard 2.1 to 4.0); those beyond `most` or beyond _MOST_READ lines are refused. Never raises;
    linear time."""
    good: list[tuple[str, ContactDetails]] = []
    refused = cut = 0
    room = _MOST_READ
    for block in _blocks(text):
        room -= sum(line[0] not in " \t" for line in block)
        kept = _kept(block) if len(good) < most and room >= 0 else None
        if kept is None:
            refused += 1
        else:
            card, details, without = kept
            good.append((card, details))
            cut += without
    return CardFile(tuple(good), refused, cut)


def _blocks(text: str) -> Iterable[list[str]]:
    block: list[str] | None = None
    for line in BEYOND.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n"):
        told = line.strip().upper()
        if told == "BEGIN:VCARD":
            if block is not None:
                yield []  # a card without END
            block = []
        elif told == "END:VCARD" and block is not None:
            yield block
            block = None
        elif block is not None and line.strip():
            block.append(line)
    if block is not None:
        yield []


def _kept(block: list[str]) -> tuple[str, ContactDetails, bool] | None:
    """A card in version 3.0 or 4.0, its details, and whether its pictures were removed; None if it is invalid or too large."""
    if not block:
        return None
    if any("VERSION:2.1" in line.upper().replace(" ", "") for line in block[:20]):
        block = _modern(block)
    lines = lines_of(block)
    if len(lines) > MOST_LINES:
        return None
    card = as_text(lines)
    cut = len(card) > LARGEST and any(line.name in PICTURES for line in lines)
    if cut:
        lines = [line for line in lines if line.name not in PICTURES]
        card = as_text(lines)
    details = read(card) if len(card) <= LARGEST_GROUP else ContactDetails()
    if is_too_large(card, details) or not details.name:
        return None
    return card, details, cut


def _unfolded(block: list[str]) -> Iterator[str]:
    """The lines of a vCard 2.1, each with its continuations: indented ones, and those after a soft line break of
    quoted-printable. Not by the library, which copies the whole line again for each of them."""
    parts: list[str] = []
    soft = False
    for line in block:
        if parts and soft:
            parts.append(f"\n{line}")
        elif parts and line[0] in " \t":
            parts.append(line[1:])
        else:
            if parts:
                yield "".join(parts)
            parts = [line]
        soft = line.endswith("=") and "quoted-printable" in "".join(parts[:9])[:_LONGEST_HEAD].lower()
    if parts:
        yield "".join(parts)


def _modern(block: list[str]) -> list[str]:
    """Convert the lines of a vCard 2.1 to 3.0: no quoted-printable, no charsets, parameters with names, commas escaped."""
    vobject = library()
    new = []
    for text in _unfolded(block):
        if len(text) > LARGEST_GROUP or not may_be_read(text):
            continue
        try:
            line = vobject.base.textLineToContentLine(text)
        except (vobject.base.VObjectError, ValueError, LookupError, TypeError):
            continue
        bare = [word.upper() for word in line.singletonparams]
        encodings = {word.upper() for word in line.params.get("ENCODING", [])}
        line.params.pop("CHARSET", None)
        if "BASE64" in bare or encodings & {"BASE64", "B"}:
            line.params["ENCODING"] = ["b"]
        else:
            line.params.pop("ENCODING", None)
            value = "\n".join(line.value.splitlines())
            line.value = re.sub(r"(?<!\\),", r"\\,", value).replace("\n", "\\n")
        if types := [word.lower() for word in bare if word not in ("BASE64", "8BIT", "7BIT")]:
            line.params["TYPE"] = [*line.params.get("TYPE", []), *types]
        if line.name == "VERSION":
            line.value = "3.0"
        line.singletonparams = []
        try:
            new += line.serialize(validate=False).replace("\r\n", "\n").rstrip("\n").split("\n")
        except vobject.base.VObjectError:  # a double quote in a parameter
            continue
    return new
