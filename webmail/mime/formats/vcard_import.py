"""vCard import: parses a .vcf file (vCard 2.1 to 4.0) into cards that contacts can store. Limits apply before any parsing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from webmail.mime.formats import pictures, vcard_lines
from webmail.mime.formats.address_books.entry import WHOLE, BookEntry, Remark, RemarkKind, card_of, photo_line, picture_in
from webmail.mime.formats.vcard_edit import (
    BEYOND,
    LARGEST_GROUP,
    LARGEST_WITH_PICTURES,
    MOST_LINES,
    PICTURES,
    ContactDetails,
    VcardProperty,
    as_text,
    is_too_large,
    library,
    lines_of,
    read,
)
from webmail.mime.formats.vcard_view import may_be_read

_MOST_READ = 300_000  # lines of a file: the library takes about 40 µs for each
_MOST_TOLD = 20  # lines of one card that are told of
_LARGEST_PICTURE = 60_000  # characters of one picture's line
_LONGEST_LINE = 30_000_000  # characters of one line of vCard 2.1: a picture, which is made smaller
_LONGEST_HEAD = 1000  # characters in which the encoding of a line must be named


@dataclass(frozen=True, slots=True)
class CardFile:
    """(card, its details) for each card of a file that can be stored, and the line of the file where each begins; `remarks` tells
    of cards that are left out, and of lines that were not understood. `cut` counts cards that lost a picture."""

    cards: tuple[tuple[str, ContactDetails], ...]
    lines: tuple[int, ...] = ()
    remarks: tuple[Remark, ...] = ()
    cut: int = 0

    @property
    def refused(self) -> int:
        """How many cards are invalid or too large."""
        return sum(one.kind in WHOLE for one in self.remarks)


def cards_in(text: str, most: int) -> CardFile:
    """Parse the cards of a .vcf (vCard 2.1 to 4.0); those beyond `most` or beyond _MOST_READ lines are refused. Never raises;
    linear time."""
    return _checked(_blocks(text), most)


def cards_from(entries: Iterable[BookEntry], most: int, remarks: Iterable[Remark] = ()) -> CardFile:
    """Cards of what another kind of file has; `remarks`: what was found while reading it."""
    blocks = ((one.line, card_of(one).split("\r\n")[1:-2]) for one in entries)
    found = _checked(blocks, most)
    return replace(found, remarks=(*remarks, *found.remarks))


def _checked(blocks: Iterable[tuple[int, list[str]]], most: int) -> CardFile:
    good: list[tuple[str, ContactDetails]] = []
    lines: list[int] = []
    remarks: list[Remark] = []
    cut = 0
    room = _MOST_READ
    for began, block in blocks:
        room -= sum(line[0] not in " \t" for line in block)
        if len(good) >= most or room < 0:
            remarks.append(Remark(began, RemarkKind.TOO_MANY, str(most)))
            continue
        found: list[Remark] = []
        kept = _kept(began, block, found)
        remarks += found
        if kept is not None:
            good.append(kept)
            lines.append(began)
            cut += any(one.kind is RemarkKind.PICTURE for one in found)
    return CardFile(tuple(good), tuple(lines), tuple(remarks), cut)


def _blocks(text: str) -> Iterable[tuple[int, list[str]]]:
    """(line of BEGIN, lines of the card); no lines for a card without END."""
    block: list[str] | None = None
    began = 0
    for number, line in enumerate(BEYOND.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n"), 1):
        told = line.strip().upper()
        if told == "BEGIN:VCARD":
            if block is not None:
                yield began, []  # a card without END
            block, began = [], number
        elif told == "END:VCARD" and block is not None:
            yield began, block
            block = None
        elif block is not None and line.strip():
            block.append(line)
    if block is not None:
        yield began, []


def _kept(began: int, block: list[str], remarks: list[Remark]) -> tuple[str, ContactDetails] | None:
    """A card in version 3.0 or 4.0, and its details; None if it is invalid or too large (told in `remarks`)."""
    if not block:
        remarks.append(Remark(began, RemarkKind.UNFINISHED))
        return None
    unread: list[str] = []
    if any("VERSION:2.1" in line.upper().replace(" ", "") for line in block[:20]):
        block = _modern(block, unread)
    lines = lines_of(block, unread)
    remarks += [Remark(began, RemarkKind.LINE, text[:80]) for text in unread[:_MOST_TOLD] if text.strip()]
    if len(lines) > MOST_LINES:
        remarks.append(Remark(began, RemarkKind.TOO_LARGE))
        return None
    if (
        any(len(line.raw) > _LARGEST_PICTURE for line in lines if line.name in PICTURES)
        or sum(len(line.raw) for line in lines) > LARGEST_GROUP
    ):
        lines = _with_small_pictures(began, lines, remarks)
    card = as_text(lines)
    details = read(card) if len(card) <= LARGEST_WITH_PICTURES else ContactDetails(name="?")
    if is_too_large(card, details) or not details.name:
        kind = RemarkKind.TOO_LARGE if details.name else RemarkKind.NO_NAME
        remarks.append(Remark(began, kind, details.name.removeprefix("?")[:80]))
        return None
    return card, details


def _with_small_pictures(began: int, lines: list[VcardProperty], remarks: list[Remark]) -> list[VcardProperty]:
    """Photos made smaller; without the pictures that can't be, and without sounds and keys that are too large."""
    kept = []
    for line in lines:
        if line.name not in PICTURES or len(line.raw) <= _LARGEST_PICTURE // 4:
            kept.append(line)
            continue
        found = vcard_lines.parsed(vcard_lines.unfolded(line.raw))
        small = pictures.for_card(picture_in(found)) if found is not None and line.name == "PHOTO" else b""
        if small:
            kept.append(VcardProperty(photo_line(small), "PHOTO"))
        else:
            remarks.append(Remark(began, RemarkKind.PICTURE, line.name))
    return kept


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


def _modern(block: list[str], unread: list[str]) -> list[str]:
    """Convert the lines of a vCard 2.1 to 3.0: no quoted-printable, no charsets, parameters with names, commas escaped."""
    vobject = library()
    new = []
    for text in _unfolded(block):
        is_picture = re.split("[;:]", text[:40], maxsplit=1)[0].strip().upper() in PICTURES
        if len(text) > (_LONGEST_LINE if is_picture else LARGEST_GROUP) or not may_be_read(text):
            unread.append(text[:200])
            continue
        try:
            line = vobject.base.textLineToContentLine(text)
        except (vobject.base.VObjectError, ValueError, LookupError, TypeError):
            unread.append(text[:200])
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
            unread.append(text[:200])
    return new
