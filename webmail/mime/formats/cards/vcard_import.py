"""vCard import: parses a .vcf file (vCard 2.1 to 4.0) into cards that contacts can store. Limits apply before any parsing."""

from __future__ import annotations

import quopri
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from webmail.mime.formats.address_books.entry import WHOLE, BookEntry, Remark, RemarkKind, card_of, photo_line, picture_in
from webmail.mime.formats.cards import pictures, vcard_lines
from webmail.mime.formats.cards.vcard_edit import (
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
from webmail.mime.formats.cards.vcard_view import may_be_read

_MOST_READ = 300_000  # lines of a file: the library takes about 40 µs for each
_MOST_TOLD = 20  # lines of one card that are told of
_LARGEST_PICTURE = 60_000  # characters of one picture's line
_LONGEST_LINE = 30_000_000  # characters of one line of vCard 2.1: a picture, which is made smaller
_LONGEST_HEAD = 1000  # characters in which the encoding of a line must be named


_BASE64 = re.compile(r"[A-Za-z0-9+/]{2,}={0,2}\s*")


class CardRepair(StrEnum):
    """What was put right in a card."""

    OLD = "old"  # vCard 2.1, converted
    CHARACTERS = "characters"  # control characters, left out
    UID = "uid"  # it had none


@dataclass(frozen=True, slots=True)
class CardFile:
    """(card, its details) for each card of a file that can be stored, and the line of the file where each begins; `remarks` tells
    of cards that are left out, and of lines that were not understood. `cut` counts cards that lost a picture; `repairs` counts
    cards of vCard files by what was put right."""

    cards: tuple[tuple[str, ContactDetails], ...]
    lines: tuple[int, ...] = ()
    remarks: tuple[Remark, ...] = ()
    cut: int = 0
    repairs: Counter[str] = field(default_factory=Counter)  # by CardRepair

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
    blocks = ((one.line, card_of(one).split("\r\n")[1:-2], False) for one in entries)
    found = _checked(blocks, most)
    return replace(found, remarks=(*remarks, *found.remarks), repairs=Counter())  # what a table lacks is no fault


def _checked(blocks: Iterable[tuple[int, list[str], bool]], most: int) -> CardFile:
    good: list[tuple[str, ContactDetails]] = []
    lines: list[int] = []
    remarks: list[Remark] = []
    repairs: Counter[str] = Counter()
    cut = 0
    room = _MOST_READ
    for began, block, cleaned in blocks:
        room -= sum(line[0] not in " \t" for line in block)
        if len(good) >= most or room < 0:
            remarks.append(Remark(began, RemarkKind.TOO_MANY, str(most)))
            continue
        found: list[Remark] = []
        kept = _stored_card(began, block, found)
        remarks += found
        if kept is not None:
            good.append(kept)
            lines.append(began)
            told = {CardRepair.OLD: _is_old(block), CardRepair.CHARACTERS: cleaned, CardRepair.UID: not kept[1].uid}
            repairs.update(kind.value for kind, repaired in told.items() if repaired)
            cut += any(one.kind is RemarkKind.PICTURE for one in found)
    return CardFile(tuple(good), tuple(lines), tuple(remarks), cut, repairs)


def _blocks(text: str) -> Iterable[tuple[int, list[str], bool]]:
    """(line of BEGIN, lines of the card, whether characters were left out); no lines for a card without END."""
    block: list[str] | None = None
    began, cleaned, any_beyond, in_agent = 0, False, BEYOND.search(text) is not None, False
    for number, raw in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        line = BEYOND.sub("", raw) if any_beyond else raw
        told = line.strip().upper()
        if in_agent:
            in_agent = told != "END:VCARD"
        elif told == "BEGIN:VCARD" and block and re.match(r"AGENT[;:]", block[-1], re.IGNORECASE):
            # the card of an assistant within somebody's (vCard 2.1): left out, and told as a line that is none
            block[-1], in_agent = block[-1][:5], True
        elif told == "BEGIN:VCARD":
            if block is not None:
                yield began, [], False  # a card without END
            block, began, cleaned = [], number, False
        elif told == "END:VCARD" and block is not None:
            yield began, block, cleaned
            block = None
        elif block is not None and line.strip():
            block.append(line)
            cleaned = cleaned or len(line) < len(raw)
    if block is not None:
        yield began, [], False


def _stored_card(began: int, block: list[str], remarks: list[Remark]) -> tuple[str, ContactDetails] | None:
    """A card in version 3.0 or 4.0, and its details; None if it is invalid or too large (told in `remarks`)."""
    if not block:
        remarks.append(Remark(began, RemarkKind.UNFINISHED))
        return None
    unread: list[str] = []
    if _is_old(block):
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


def _is_old(block: list[str]) -> bool:
    """Whether a card is written as vCard 2.1."""
    return any("VERSION:2.1" in line.upper().replace(" ", "") for line in block if line[:1] in "Vv")


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
    quoted-printable, and lines of a picture that are not indented. Not by the library, which copies the whole line again for each
    of them."""
    parts: list[str] = []
    soft = picture = False
    for line in block:
        if parts and soft:
            parts.append(f"\n{line}")
        elif parts and line[0] in " \t":
            parts.append(line[1:])
        elif parts and picture and _BASE64.fullmatch(line):
            parts.append(line.strip())
        else:
            if parts:
                yield "".join(parts)
            parts = [line]
            picture = "BASE64" in line[:_LONGEST_HEAD].partition(":")[0].upper()
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
            line = vobject.base.textLineToContentLine(_readable(text))
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


def _readable(text: str) -> str:
    """A line without quoted-printable and charset. Its components are decoded each by itself, so that a semicolon in one divides
    nothing; what the named charset can't be is read as UTF-8 or Windows-1252."""
    head, colon, value = text.partition(":")
    words = head.split(";")
    if not any(re.fullmatch(r"(ENCODING=)?QUOTED-PRINTABLE", word.strip(), re.IGNORECASE) for word in words[1:]):
        return text
    charset = next((word.partition("=")[2].strip() for word in words if word.strip().upper().startswith("CHARSET=")), "utf-8")
    dropped = re.compile(r"\s*(?:(?:ENCODING=)?QUOTED-PRINTABLE|CHARSET=.*)\s*", re.IGNORECASE)
    kept = [words[0], *(word for word in words[1:] if not dropped.fullmatch(word))]
    parts = [_decoded(part, charset) for part in re.split(r"(?<!\\);", value)]
    return f"{';'.join(kept)}{colon}{';'.join(parts)}"


def _decoded(part: str, charset: str) -> str:
    """A component of quoted-printable, on one line."""
    content = quopri.decodestring(part.encode("utf-8", "replace"))
    for name in (charset, "utf-8", "cp1252", "latin-1"):
        try:
            text = content.decode(name)
            break
        except (UnicodeDecodeError, LookupError):
            continue
    text = "\\n".join(BEYOND.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n"))
    return re.sub(r"(?<!\\);", r"\\;", text)
