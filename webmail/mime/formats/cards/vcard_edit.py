"""vCard editing: parses, creates, changes and merges the vCards of contacts (RFC 6350, RFC 2426) line by line.

A card is stored unchanged. Only the lines of changed properties are rewritten, so that no property is ever lost, known here
or not. The library handles single lines only: it would reorder and re-escape whole cards.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import ModuleType
from typing import Any

from webmail.mime.formats.cards.vcard_lines import LONGEST_SHOWN
from webmail.mime.formats.cards.vcard_view import may_be_read
from webmail.mime.headers.encoded_words import tidy

LARGEST = 20_000  # characters of a card without its pictures
LARGEST_WITH_PICTURES = 150_000
LARGEST_GROUP = 60_000  # characters of a group with its members
MOST_LINES = 2_000
MOST_POINTS = 20  # e-mail addresses, or phone numbers, that are shown
USES = ("home", "work", "cell")
PICTURES = ("PHOTO", "LOGO", "SOUND", "KEY")
_FRAME = ("BEGIN", "END", "VERSION")
_OWN = (*_FRAME, "UID", "PRODID", "REV", "N", "FN", "KIND", "X-ADDRESSBOOKSERVER-KIND")  # never merged
_SINGLE = (*PICTURES, "ORG", "TITLE", "ROLE", "NOTE", "BDAY", "ANNIVERSARY", "GENDER", "TZ", "GEO", "MAILER")
_MEMBERS = ("MEMBER", "X-ADDRESSBOOKSERVER-MEMBER")
_HEAD = re.compile(r"(?:[\w-]+\.)?([\w-]+)\s*[;:]")
BEYOND = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """An e-mail address or a phone number; `use` is one of USES, or ""."""

    value: str
    use: str = ""


@dataclass(frozen=True, slots=True)
class ContactDetails:
    """The properties of a card that people see and edit. `members` of a group: UIDs of cards, or "mailto:..." addresses."""

    name: str = ""
    given: str = ""
    family: str = ""
    emails: tuple[ContactPoint, ...] = ()
    phones: tuple[ContactPoint, ...] = ()
    organisation: str = ""
    role: str = ""
    note: str = ""
    group: bool = False
    members: tuple[str, ...] = ()
    uid: str = ""


@dataclass(slots=True)
class VcardProperty:
    """A line of a kept card, as it stands there."""

    raw: str  # folded
    name: str
    content: Any = field(default=None)  # parsed by the library, None if that failed

    @property
    def value(self) -> str:
        return str(self.content.value) if self.content is not None else ""

    @property
    def group(self) -> str:
        return (self.content.group or "") if self.content is not None else ""


@lru_cache(maxsize=1)
def library() -> ModuleType:
    import vobject  # imported when first needed
    import vobject.icalendar
    import vobject.vcard

    logging.getLogger("vobject.base").setLevel(logging.CRITICAL)  # it would log lines of people's cards
    return vobject


# --- lines -----------------------------------------------------------------------------------------------------------


def lines_of(block: Iterable[str], invalid: list[str] | None = None) -> list[VcardProperty]:
    """The property lines of a card without BEGIN and END, each with its folded continuations. Invalid lines are dropped, and
    added to `invalid`."""
    folded: list[list[str]] = []
    for text in block:
        if text[:1] in (" ", "\t") and folded:
            folded[-1].append(text)
        else:
            folded.append([text])
    found = []
    for parts in folded:
        match = _HEAD.match(parts[0])
        name = match[1].upper().replace("_", "-") if match else ""
        if name and name not in ("BEGIN", "END"):
            found.append(VcardProperty("\r\n".join(parts), name))
        elif not name and invalid is not None:
            invalid.append(parts[0])
    return found


def _card_lines(card: str) -> list[VcardProperty]:
    """The lines of a stored card, parsed by the library except for pictures."""
    lines = lines_of(line for line in card.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line)
    vobject = library()
    for line in lines:
        whole = line.raw.replace("\r\n ", "").replace("\r\n\t", "")
        if line.name in PICTURES or not may_be_read(whole):
            continue
        try:
            line.content = vobject.base.textLineToContentLine(whole)
        except (vobject.base.VObjectError, ValueError, LookupError, TypeError):
            continue
    return lines


def as_text(lines: Iterable[VcardProperty]) -> str:
    lines = list(lines)
    version = next((line.raw for line in lines if line.name == "VERSION"), "VERSION:3.0")
    rest = [line.raw for line in lines if line.name != "VERSION"]
    return "\r\n".join(["BEGIN:VCARD", version, *rest, "END:VCARD", ""])


def _made(name: str, value: str, use: str = "", before: VcardProperty | None = None) -> VcardProperty:
    """Create a line with a value that is already escaped; other parameters and the group are taken from the line `before`."""
    vobject = library()
    params, group = [], None
    if before is not None and before.content is not None:
        group = before.content.group
        kept = {key: list(values) for key, values in before.content.params.items() if key != "TYPE"}
        types = [word for word in before.content.params.get("TYPE", []) if word.lower() not in USES]
        params = [[key, *values] for key, values in kept.items()] + ([["TYPE", *types]] if types else [])
    if use:
        params.append(["TYPE", use.upper()])
    content = vobject.base.ContentLine(name, params, value, group, encoded=True)
    raw = content.serialize(validate=False).rstrip("\r\n")
    return VcardProperty(raw, name, content)


def _escaped(text: str) -> str:
    return str(library().base.backslashEscape(BEYOND.sub("", text)))


def _plain(value: str) -> str:
    return str(library().icalendar.stringToTextValues(value, listSeparator="\0")[0])


def _fields(value: str) -> list[str]:
    """The components of a structured value, each as one string."""
    return [one if isinstance(one, str) else ", ".join(one) for one in library().vcard.splitFields(value)]


def _use(line: VcardProperty) -> str:
    types = {word.lower() for word in line.content.params.get("TYPE", [])} | {w.lower() for w in line.content.singletonparams}
    return next((use for use in ("cell", "work", "home") if use in types), "")


def is_too_large(card: str, details: ContactDetails) -> bool:
    most = LARGEST_GROUP if details.group else LARGEST
    if len(card) <= most:
        return False
    lines = lines_of(line for line in card.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line)
    pictures = sum(len(line.raw) for line in lines if line.name in PICTURES)
    return len(card) > LARGEST_WITH_PICTURES or len(card) - pictures > most


# --- parsing ---------------------------------------------------------------------------------------------------------


def read(card: str) -> ContactDetails:
    """Parse a card. Never raises; `name` is the first of FN, N, organisation and e-mail address, "" if there is none."""
    lines = [line for line in _card_lines(card) if line.content is not None]

    def first(*names: str) -> str:
        return next((line.value for name in names for line in lines if line.name == name and line.value.strip()), "")

    def points(name: str, prefix: str) -> tuple[ContactPoint, ...]:
        found = (ContactPoint(_address_like(line.value, prefix), _use(line)) for line in lines if line.name == name)
        return tuple(point for point in found if point.value)[:MOST_POINTS]

    family, given, *_rest = [*map(tidy, _fields(first("N")[:LONGEST_SHOWN])), "", ""][:2]
    emails = points("EMAIL", "mailto:")
    organisation = tidy(", ".join(part for part in _fields(first("ORG")[:LONGEST_SHOWN]) if part.strip()))
    name = tidy(_plain(first("FN"))) or f"{given} {family}".strip() or organisation or (emails[0].value if emails else "")
    kind = first("KIND", "X-ADDRESSBOOKSERVER-KIND").strip().lower()
    return ContactDetails(
        name=name[:190], given=given[:190], family=family[:190], emails=emails, phones=points("TEL", "tel:"),
        organisation=organisation[:300], role=tidy(_plain(first("TITLE", "ROLE")))[:300], note=_plain(first("NOTE")).strip(),
        group=kind == "group", members=tuple(dict.fromkeys(filter(None, map(_member, lines)))), uid=plain_uid(first("UID")),
    )  # fmt: skip


def _address_like(value: str, prefix: str) -> str:
    text = tidy(_plain(value))
    return (text[len(prefix) :] if text.lower().startswith(prefix) else text)[:320]


def _member(line: VcardProperty) -> str:
    if line.name not in _MEMBERS:
        return ""
    value = line.value.strip()
    return f"mailto:{value[7:].lower()}" if value.lower().startswith("mailto:") else plain_uid(value)


def plain_uid(value: str) -> str:
    """Normalize a UID for comparison: removes "urn:uuid:"."""
    value = tidy(value)
    return (value[9:] if value.lower().startswith("urn:uuid:") else value)[:255]


# --- writing ---------------------------------------------------------------------------------------------------------


def made(details: ContactDetails) -> str:
    """Create a card (vCard 3.0); `details.uid` is required. If only the full name is given, it is split."""
    if not (details.given or details.family or details.group):
        given, family = parts_of(details.name)
        details = replace(details, given=given, family=family)
    lines = [_made("VERSION", "3.0"), _made("UID", _escaped(details.uid))]
    if details.group:
        lines.append(_made("X-ADDRESSBOOKSERVER-KIND", "group"))
    lines = _card_lines(changed(as_text(lines), details))
    if all(line.name != "N" for line in lines):  # required by RFC 2426
        _set(lines, "N", f"{_escaped(details.name)};;;;")
    return as_text(lines)


def parts_of(name: str) -> tuple[str, str]:
    """Split a name into given and family name: the family name is the last word, or the leading words in capitals."""
    words = name.split()
    if "@" in name or len(words) < 2:
        return name, ""
    if capitals := next((at for at, word in enumerate(words) if not word.isupper()), 0):
        return " ".join(words[capitals:]), " ".join(words[:capitals])
    return " ".join(words[:-1]), words[-1]


def changed(card: str, details: ContactDetails) -> str:
    """Update a card with these details (except `group` and `uid`); lines of unchanged properties are kept as they are."""
    lines, before = _card_lines(card), read(card)
    has = {line.name for line in lines}
    if details.name != before.name or "FN" not in has:
        _set(lines, "FN", _escaped(details.name))
    if (details.given, details.family) != (before.given, before.family):
        old = next((_fields(line.value) for line in lines if line.name == "N" and line.content is not None), [])
        parts = [details.family, details.given, *[*old, "", "", "", "", ""][2:5]]
        _set(lines, "N", ";".join(map(_escaped, parts)))
    role = "ROLE" if "ROLE" in has and "TITLE" not in has else "TITLE"
    for name, of in (("ORG", "organisation"), (role, "role"), ("NOTE", "note")):
        if (text := getattr(details, of)) != getattr(before, of):
            _set(lines, name, _escaped(text))
    lines = _with_points(lines, "EMAIL", details.emails)
    lines = _with_points(lines, "TEL", details.phones)
    return as_text(_with_members(lines, details.members))


def replace_uid(card: str, uid: str) -> str:
    """Add a UID to a card that has none."""
    begin, version, rest = card.split("\r\n", 2)
    return "\r\n".join([begin, version, _made("UID", _escaped(uid)).raw, rest])


def with_members(card: str, members: Iterable[str]) -> str:
    """Set the members of a group's card."""
    return as_text(_with_members(_card_lines(card), tuple(members)))


def _set(lines: list[VcardProperty], name: str, value: str) -> None:
    """Set the line of this name to this (escaped) value, in place; remove it if the value is empty."""
    at = next((at for at, line in enumerate(lines) if line.name == name), None)
    new = [_made(name, value, before=lines[at] if at is not None else None)] if value else []
    if at is None:
        lines += new
    else:
        lines[at : at + 1] = new


def _with_points(lines: list[VcardProperty], name: str, points: tuple[ContactPoint, ...]) -> list[VcardProperty]:
    """Set the lines of e-mail addresses or phone numbers. Unchanged ones are kept; another value at the same position counts as
    edited and keeps its label."""
    prefix = "mailto:" if name == "EMAIL" else "tel:"
    old = [line for line in lines if line.name == name and line.content is not None]
    shown = {id(line): ContactPoint(_address_like(line.value, prefix), _use(line)) for line in old}
    old = [line for line in old if shown[id(line)].value][:MOST_POINTS]
    free = {id(line) for line in old}
    taken: dict[int, VcardProperty] = {}
    for at, point in enumerate(points):
        same = next((line for line in old if id(line) in free and shown[id(line)] == point), None)
        if same is not None:
            free.discard(id(same))
            taken[at] = same
    new: list[VcardProperty] = []
    for at, point in enumerate(points):
        if at in taken:
            new.append(taken[at])
            continue
        before = old[at] if at < len(old) and id(old[at]) in free else None
        if before is not None:
            free.discard(id(before))
        scheme = prefix if before is not None and before.value.lower().startswith(prefix) else ""
        new.append(_made(name, _escaped(scheme + point.value), point.use, before))
    if new == old:
        return lines
    gone = {line.group for line in old} - {line.group for line in new} - {""}
    kept = [line for line in lines if line not in old and not (line.name == "X-ABLABEL" and line.group in gone)]
    at = next((lines.index(line) for line in old), len(lines))
    at = len([line for line in lines[:at] if line in kept])
    return kept[:at] + new + kept[at:]


def _with_members(lines: list[VcardProperty], members: tuple[str, ...]) -> list[VcardProperty]:
    wanted = dict.fromkeys(members)
    kept = [line for line in lines if line.name not in _MEMBERS or _member(line) in wanted]
    there = {_member(line) for line in kept if line.name in _MEMBERS}
    version = next((line.value for line in lines if line.name == "VERSION" and line.content is not None), "3.0")
    name = "MEMBER" if version.startswith("4") else "X-ADDRESSBOOKSERVER-MEMBER"
    more = [one for one in wanted if one not in there]
    return kept + [_made(name, one if one.startswith("mailto:") or ":" in one else f"urn:uuid:{one}") for one in more]


# --- merging ---------------------------------------------------------------------------------------------------------


def with_lines_of(card: str, other: str | None, names: Iterable[str]) -> str:
    """A card with the lines of these names from another one instead of its own; without them if there is no other."""
    wanted = set(names)
    lines = _card_lines(card)
    at = next((number for number, line in enumerate(lines) if line.name in wanted), len(lines))
    kept = [line for line in lines if line.name not in wanted]
    new = [line for line in _card_lines(other) if line.name in wanted] if other else []
    return as_text([*kept[:at], *new, *kept[at:]])


def with_note(card: str, note: str) -> str:
    lines = _card_lines(card)
    _set(lines, "NOTE", _escaped(note))
    return as_text(lines)


def merge_cards(card: str, other: str, single: Iterable[str] = _SINGLE) -> str:
    """Add to a card what only the other one has: e-mail addresses, phone numbers, properties. Existing lines do not change; of
    properties that are `single`, the card keeps its own."""
    if set(other.split("\r\n")) <= set(card.split("\r\n")):
        return card
    lines, more = _card_lines(card), _card_lines(other)
    names = {line.name for line in lines}
    there = {_same(line) for line in lines}
    groups = {line.group for line in lines} - {""}
    renamed: dict[str, str] = {}
    for line in more:
        if line.name in _OWN or _same(line) in there or (line.name in single and line.name in names):
            continue
        if line.group:  # "item1" of the other card is not the "item1" of this one
            if line.name == "X-ABLABEL" and line.group not in renamed:
                continue
            if line.group not in renamed:
                renamed[line.group] = next(f"item{n}" for n in range(1, MOST_LINES * 2) if f"item{n}" not in groups)
                groups.add(renamed[line.group])
        there.add(_same(line))
        lines.append(replace(line, raw=renamed[line.group] + line.raw[len(line.group) :]) if line.group else line)
    return as_text(lines)


def _same(line: VcardProperty) -> tuple[str, str]:
    """The key by which lines are deduplicated."""
    if line.name == "EMAIL":
        return line.name, _address_like(line.value, "mailto:").lower()
    if line.name == "TEL":
        return line.name, phone_key(line.value)
    if line.name == "X-ABLABEL":
        return line.name, f"{line.group}:{line.value}"
    return line.name, line.value if line.content is not None else line.raw


def phone_key(text: str) -> str:
    """Normalize a phone number to its digits; "+33 6 ..." and "06 ..." are the same."""
    digits = re.sub(r"[^\d+]", "", _address_like(text, "tel:"))
    return re.sub(r"^(?:\+33|0033)0?", "0", digits).replace("+", "00")
