"""BookEntry: a person or group of an address book, with every field that several formats share; read from a card, written as one.

Cards stay the truth (see vcard_edit.py): entries stand between them and the files of other programs.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field, fields
from enum import StrEnum

from webmail.mime.formats.cards import vcard_lines
from webmail.mime.formats.cards.vcard_lines import VcardLine, escaped, made
from webmail.mime.headers.encoded_words import tidy

USES = ("home", "work")  # of a postal address; "" for another
PARTS = ("pobox", "extended", "street", "city", "region", "code", "country")  # of a postal address, in the order of ADR
SERVICES = {  # of instant messages: the scheme of IMPP (RFC 4770)
    "aim": "aim", "gtalk": "xmpp", "icq": "icq", "jabber": "xmpp", "msn": "msnim", "skype": "skype", "yahoo": "ymsgr", "qq": "qq",
    "matrix": "matrix", "irc": "irc",
}  # fmt: skip
RELATIONS = ("spouse", "partner", "child", "manager", "assistant", "referred by")
OLD_SERVICES = {"X-SKYPE-USERNAME": "skype", "X-GOOGLE-TALK": "gtalk", **{f"X-{name.upper()}": name for name in SERVICES}}
LABEL = re.compile(r"_\$!<(.*)>!\$_")
_MOST_TOLD = 10_000  # remarks on one file
_LEAP_YEAR = "1604"  # what Apple writes where there is no year
_DATE = re.compile(r"(\d{4}|--)-?(\d\d)-?(\d\d)(?:T.*)?")


class RemarkKind(StrEnum):
    """What was not understood in a file, or not taken over; the first ones are whole cards that are left out."""

    NO_NAME = "no-name"
    TOO_LARGE = "too-large"
    TOO_MANY = "too-many"
    UNFINISHED = "unfinished"
    MERGED_TOO_LARGE = "merged-too-large"
    CELLS = "cells"  # more of them than columns
    QUOTES = "quotes"
    CHANGE = "change"  # LDIF that deletes or renames
    COLUMN = "column"
    DATE = "date"
    LINE = "line"
    MEMBER = "member"
    ADDRESS = "address"
    FETCHED = "fetched"  # a value that would have to be fetched from elsewhere
    PICTURE = "picture"


WHOLE = frozenset(
    (RemarkKind.NO_NAME, RemarkKind.TOO_LARGE, RemarkKind.TOO_MANY, RemarkKind.UNFINISHED, RemarkKind.MERGED_TOO_LARGE,
     RemarkKind.QUOTES, RemarkKind.CHANGE)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that was not understood. `line`: of the file, 0 if it concerns all of it; `detail`: the words it is about."""

    line: int
    kind: RemarkKind
    detail: str = ""


def tell(remarks: list[Remark], remark: Remark) -> None:
    """Add a remark. Those on whole cards are all kept, since they are counted; a file may have millions of the others."""
    if len(remarks) < _MOST_TOLD or remark.kind in WHOLE:
        remarks.append(remark)


@dataclass(slots=True)
class Labelled:
    """An address, a number, a site ...; `types` are the words of TYPE, `label` is one's own word for it."""

    value: str
    types: tuple[str, ...] = ()
    label: str = ""


@dataclass(slots=True)
class Postal:
    """A postal address; `use` is one of USES or "", or any word."""

    use: str = ""
    label: str = ""
    pobox: str = ""
    extended: str = ""
    street: str = ""
    city: str = ""
    region: str = ""
    code: str = ""
    country: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(getattr(self, part) for part in PARTS)

    @property
    def lines(self) -> list[str]:
        """As on an envelope."""
        town = " ".join(filter(None, (self.code, self.city)))
        return [line for line in (self.pobox, self.extended, *self.street.splitlines(), town, self.region, self.country) if line]


@dataclass(slots=True)
class BookEntry:
    """Everything that files of address books tell about one. `related`: (kind, name); `ims`: value with the service as type."""

    line: int = 0
    name: str = ""
    prefix: str = ""
    given: str = ""
    middle: str = ""
    family: str = ""
    suffix: str = ""
    nickname: str = ""
    organisation: str = ""
    department: str = ""
    title: str = ""
    role: str = ""
    birthday: str = ""
    anniversary: str = ""
    gender: str = ""
    maiden: str = ""
    note: str = ""
    uid: str = ""
    emails: list[Labelled] = field(default_factory=list)
    phones: list[Labelled] = field(default_factory=list)
    postals: list[Postal] = field(default_factory=list)
    sites: list[Labelled] = field(default_factory=list)
    ims: list[Labelled] = field(default_factory=list)
    related: list[tuple[str, str]] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    photo: bytes = b""
    group: bool = False
    members: list[str] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        """What it is called by: the first that there is."""
        parts = " ".join(filter(None, (self.prefix, self.given, self.middle, self.family, self.suffix)))
        first = next((one.value for one in (*self.emails, *self.phones) if one.value), "")
        return self.name or parts or self.nickname or self.organisation or first

    @property
    def is_empty(self) -> bool:
        return not any(getattr(self, one.name) for one in fields(self) if one.name != "line")


# --- as a card -------------------------------------------------------------------------------------------------------


def card_of(entry: BookEntry) -> str:
    """The entry as a card (vCard 3.0). Without a name it is none that can be kept: look at `full_name` first."""
    lines = ["BEGIN:VCARD", "VERSION:3.0"]
    labels = _Labels(lines)
    if entry.uid:
        lines.append(made("UID", escaped(entry.uid)))
    if entry.group:
        lines.append("X-ADDRESSBOOKSERVER-KIND:group")
    lines.append(made("FN", escaped(tidy(entry.full_name))))
    names = [entry.family, entry.given, entry.middle, entry.prefix, entry.suffix]
    lines.append(made("N", ";".join(map(escaped, names if any(names) else [entry.full_name, "", "", "", ""]))))
    organisation = ";".join(map(escaped, (entry.organisation, entry.department))).rstrip(";")
    lines += [made(name, value) for name, value in (("ORG", organisation), *_singles(entry)) if value]
    for day, name in ((entry.birthday, "BDAY"), (entry.anniversary, "X-ANNIVERSARY")):
        if day.startswith("--"):
            lines.append(made(name, f"{_LEAP_YEAR}{day[1:]}", (), [("X-APPLE-OMIT-YEAR", _LEAP_YEAR)]))
        elif day:
            lines.append(made(name, day, (), [("VALUE", "date")]))
    for name, points in (("EMAIL", entry.emails), ("TEL", entry.phones), ("URL", entry.sites)):
        for point in points:
            labels.add(name, escaped(point.value), point.types, point.label)
    for postal in entry.postals:
        labels.add("ADR", ";".join(map(escaped, postal.parts)), (postal.use,) if postal.use else (), postal.label)
    for point in entry.ims:
        service = next(iter(point.types), "")
        params = [("X-SERVICE-TYPE", service)] if service else []
        lines.append(made("IMPP", f"{SERVICES.get(service, 'x-apple')}:{escaped(point.value)}", (), params))
    for kind, name in entry.related:
        labels.add("X-ABRELATEDNAMES", escaped(name), (), f"_$!<{kind.title()}>!$_" if kind in RELATIONS else kind)
    if entry.categories:
        lines.append(made("CATEGORIES", ",".join(map(escaped, entry.categories))))
    if entry.photo:
        lines.append(photo_line(entry.photo))
    lines += [made("X-ADDRESSBOOKSERVER-MEMBER", _member_value(member)) for member in entry.members]
    return "\r\n".join([*lines, "END:VCARD", ""])


def photo_line(data: bytes, version: str = "3.0") -> str:
    """A picture as the line of a card, folded."""
    kind = "PNG" if data.startswith(b"\x89PNG") else "GIF" if data.startswith(b"GIF8") else "JPEG"
    if version == "4.0":
        return made("PHOTO", f"data:image/{kind.lower()};base64,{base64.b64encode(data).decode()}")
    return made("PHOTO", base64.b64encode(data).decode(), (), [("ENCODING", "b"), ("TYPE", kind)])


def _singles(entry: BookEntry) -> list[tuple[str, str]]:
    texts = {"NICKNAME": entry.nickname, "TITLE": entry.title, "ROLE": entry.role, "X-GENDER": entry.gender, "X-MAIDENNAME":
    entry.maiden,
             "NOTE": entry.note}  # fmt: skip
    return [(name, escaped(text)) for name, text in texts.items()]


def _member_value(member: str) -> str:
    return member if ":" in member else f"urn:uuid:{member}"


class _Labels:
    """Adds lines, with a group for those that have a label of their own."""

    def __init__(self, lines: list[str]) -> None:
        self._lines, self._count = lines, 0

    def add(self, name: str, value: str, types: tuple[str, ...], label: str) -> None:
        if not label:
            self._lines.append(made(name, value, types))
            return
        self._count += 1
        group = f"item{self._count}"
        self._lines += [made(name, value, types, (), group), made("X-ABLabel", escaped(label), (), (), group)]


# --- from a card -----------------------------------------------------------------------------------------------------


_MOST_CATEGORIES = 500  # of one card: pages have a link for each


def entry_of(card: str) -> BookEntry:
    """A kept card (vCard 3.0 or 4.0) as an entry; what has no place here is left out. Linear time; never raises."""
    lines = vcard_lines.lines_in(card)
    labels = {line.group: LABEL.sub(r"\1", line.text) for line in lines if line.name == "X-ABLABEL" and line.group}
    one = BookEntry()
    for line in lines:
        _take(one, line, labels.get(line.group, "") if line.group else "")
    one.name = one.name or one.full_name
    return one


def _take(entry: BookEntry, line: VcardLine, label: str) -> None:
    match line.name:
        case "FN" if not entry.name:
            entry.name = tidy(line.text)
        case "N" if not (entry.family or entry.given):
            entry.family, entry.given, entry.middle, entry.prefix, entry.suffix = [*map(tidy, line.fields), "", "", "", "", ""][
                :5
            ]
        case "ORG" if not entry.organisation:
            entry.organisation, *more = map(tidy, line.fields)
            entry.department = ", ".join(filter(None, more))
        case "X-DEPARTMENT" if not entry.department:
            entry.department = tidy(line.text)
        case "NICKNAME" | "TITLE" | "ROLE" | "NOTE" if not getattr(entry, line.name.lower()):
            setattr(entry, line.name.lower(), line.text.strip())
        case "BDAY" if not entry.birthday:
            entry.birthday = day_of(line)
        case "ANNIVERSARY" | "X-ANNIVERSARY" | "X-EVOLUTION-ANNIVERSARY" if not entry.anniversary:
            entry.anniversary = day_of(line)
        case "X-ABDATE" if label.lower() == "anniversary" and not entry.anniversary:
            entry.anniversary = date_of(line.text)
        case "GENDER" | "X-GENDER" if not entry.gender:
            entry.gender = tidy(line.fields[0])
        case "X-MAIDENNAME":
            entry.maiden = tidy(line.text)
        case "UID" if not entry.uid:
            entry.uid = tidy(line.text)
        case "CATEGORIES":
            more = [word for word in map(tidy, line.listed) if word and word not in entry.categories]
            entry.categories += more[: _MOST_CATEGORIES - len(entry.categories)]
        case "PHOTO" if not entry.photo:
            entry.photo = picture_in(line)
        case "KIND" | "X-ADDRESSBOOKSERVER-KIND":
            entry.group = line.text.strip().lower() == "group"
        case "MEMBER" | "X-ADDRESSBOOKSERVER-MEMBER":
            entry.members.append(tidy(line.text))
        case _:
            _take_point(entry, line, label)


def _take_point(entry: BookEntry, line: VcardLine, label: str) -> None:
    types = tuple(word for word in line.types if word not in ("internet", "pref", "voice", "other") and not word.isdigit())
    text = tidy(line.text)
    match line.name:
        case "EMAIL" if text:
            entry.emails.append(Labelled(_without(text, "mailto:"), types, label))
        case "TEL" if text:
            entry.phones.append(Labelled(_without(text, "tel:"), types, label))
        case "URL" if text:
            entry.sites.append(Labelled(text, types, label))
        case "ADR":
            parts = [part.strip() for part in line.fields]
            postal = Postal(next((use for use in USES if use in types), ""), label, *[*parts, "", "", "", "", "", "", ""][:7])
            if any(postal.parts):
                entry.postals.append(postal)
        case "IMPP" if text:
            scheme, _mark, value = text.partition(":")
            known = next((name for name, of in SERVICES.items() if of == scheme.lower()), scheme.lower())
            service = line.param("X-SERVICE-TYPE").lower() or known
            entry.ims.append(Labelled(value or text, (service,) if service != "x-apple" else ()))
        case "RELATED" if text:
            entry.related.append((next(iter(types), label.lower()), text))
        case "X-ABRELATEDNAMES" if text:
            entry.related.append((label.lower(), text))
        case name if name in OLD_SERVICES and text:
            entry.ims.append(Labelled(text, (OLD_SERVICES[name],)))
        case name if text and name.removeprefix("X-EVOLUTION-").removeprefix("X-").lower() in RELATIONS:
            entry.related.append((name.rpartition("-")[2].lower(), text))


def _without(text: str, prefix: str) -> str:
    return text[len(prefix) :] if text.lower().startswith(prefix) else text


def day_of(line: VcardLine) -> str:
    """The day that a line tells; Apple writes a year where there is none, and says so."""
    day, omitted = date_of(line.text), line.param("X-APPLE-OMIT-YEAR")
    return f"-{day[4:]}" if omitted and day.startswith(f"{omitted}-") else day


def date_of(text: str) -> str:
    """A date of a card as 1991-01-20, or --01-20 without a year; anything else as it is."""
    found = _DATE.fullmatch(text.strip())
    if not found:
        return tidy(text)
    return f"{found[1]}-{found[2]}-{found[3]}" if found[1] != "--" else f"--{found[2]}-{found[3]}"


def picture_in(line: VcardLine) -> bytes:
    """The bytes of a picture that stands in the card itself; b"" for one elsewhere, which is never fetched."""
    text = line.value
    if line.param("ENCODING").upper() not in ("B", "BASE64"):
        head, mark, text = text.replace("\\,", ",").replace("\\;", ";").partition(",")
        if not mark or not head.lower().startswith("data:") or "base64" not in head.lower():
            return b""
    try:
        return base64.b64decode("".join(text.split()))
    except (binascii.Error, ValueError):
        return b""
