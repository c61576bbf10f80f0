"""Calendar files (RFC 5545): one of many events taken apart into objects as calendars store them (calendar_joining.py: and back).

Files come from anywhere, so nothing of one is trusted: several calendars in one file, identifiers that are missing or used twice,
broken lines. What can be kept is kept as it was written; a remark says why something is not. Linear in the size of the file.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from webmail.mime.formats.calendars.calendar_object import COMPONENTS, plain
from webmail.mime.formats.cards.vcard_lines import folded

MOST_OBJECTS = 20_000
MOST_REMARKS = 500
MOST_CHARACTERS = 100_000_000  # of all objects: each has its time zones with it
_DEEPEST = 8  # components in one another, which are told apart
_LONGEST_UID = 255
_HEADER = ("PRODID", "VERSION", "CALSCALE", "X-WR-TIMEZONE")  # what each object keeps of its calendar
_NO_CALENDARS = ("REPLY", "COUNTER", "REFRESH", "CANCEL", "DECLINECOUNTER")  # METHODs of answers
_HEAD = re.compile(r"([A-Za-z0-9-]{1,60})((?:;[^:\"\r\n]*(?:\"[^\"\r\n]*\"[^:\"\r\n]*)*)?):")
_TZID = re.compile(r"TZID=(?:\"([^\"]*)\"|([^;:\"]*))", re.IGNORECASE)
NOT_WHOLE = ("endless", "too-many")  # remarks that are always told: what is missing from the file is not gone
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # what no answer in XML could tell
OURS = "-//Traboule//calendar//EN"


class NotCalendarFileError(ValueError):
    """There is no calendar in it."""


class FileRemarkKind(StrEnum):
    OTHER_PART = "other-part"  # a component that calendars here don't keep
    TWICE = "twice"  # two different events with one identifier: the second gets another
    ENDLESS = "endless"  # the file ends within it
    ANSWER = "answer"  # an answer to an invitation, or a cancellation
    MENDED = "mended"  # a line that belonged to the one before it
    TOO_MANY = "too-many"
    UNREADABLE = "unreadable"  # its times can't be understood
    LARGE = "large"
    ONCE = "once"  # its rule is kept, but it is shown once
    BOOKED = "booked"  # somebody has booked it, at another time


class FileRepair(StrEnum):
    """What was put right in an event, task or journal entry."""

    CHARACTERS = "characters"  # control characters, left out
    UID = "uid"  # it had none


@dataclass(frozen=True, slots=True)
class FileRemark:
    """What of a file was not understood; `line` counts from 1."""

    line: int
    kind: FileRemarkKind
    detail: str = ""


@dataclass(slots=True)
class FileObject:
    """An event with its exceptions, a task or a journal entry, as a calendar of its own."""

    uid: str
    text: str
    line: int
    title: str


@dataclass(slots=True)
class CalendarFile:
    """`name`, `colour`: of the (first) calendar, "" for none. `refresh`: after how many seconds it wants to be asked again."""

    name: str = ""
    colour: str = ""
    refresh: int = 0
    objects: list[FileObject] = field(default_factory=list)
    remarks: list[FileRemark] = field(default_factory=list)
    doubled: int = 0  # written twice, with the same words
    unseen: int = 0  # remarks beyond MOST_REMARKS
    repairs: Counter[str] = field(default_factory=Counter)  # how many components, by FileRepair

    def remark(self, line: int, kind: FileRemarkKind, detail: str = "") -> None:
        if len(self.remarks) < MOST_REMARKS or kind in NOT_WHOLE:
            self.remarks.append(FileRemark(line, kind, detail[:120]))
        else:
            self.unseen += 1


@dataclass(slots=True)
class _Part:
    """A component right below a calendar, while it is read."""

    name: str
    line: int
    raws: list[str] = field(default_factory=list)
    uid: str = ""
    start: str = ""
    override: str = ""
    sequence: int = 0
    title: str = ""
    zones: set[str] = field(default_factory=set)
    cleaned: bool = False  # control characters were left out

    @property
    def text(self) -> str:
        return "".join(self.raws)


@dataclass(slots=True)
class _Whole:
    """A calendar of the file."""

    header: dict[str, str] = field(default_factory=dict)
    method: str = ""
    zones: dict[str, str] = field(default_factory=dict)
    parts: list[_Part] = field(default_factory=list)


def decoded(content: bytes, charset: str = "") -> str:
    """The text of a file; `charset` is what was said of it, which is often wrong: UTF-8 is tried first."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    for name in ("utf-8-sig", charset, "cp1252"):
        try:
            if name:
                return content.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return content.decode("latin-1")


def read(content: bytes, charset: str = "") -> CalendarFile:
    """Take a file apart. Raises NotCalendarFileError."""
    found = CalendarFile()
    wholes = _Reader(found).read(decoded(content, charset).replace("\0", ""))
    if not wholes:
        raise NotCalendarFileError("no calendar in it")
    for whole in wholes:
        if whole.method in _NO_CALENDARS:
            if whole.parts:
                found.remark(whole.parts[0].line, FileRemarkKind.ANSWER, whole.method)
            whole.parts = []
    everywhere = {name: text for whole in reversed(wholes) for name, text in whole.zones.items()}
    _gather(found, wholes, everywhere)
    return found


class _Reader:
    """Takes the lines of a file in turn."""

    def __init__(self, found: CalendarFile) -> None:
        self.found = found
        self.wholes: list[_Whole] = []
        self.stack: list[str] = []
        self.part: _Part | None = None

    def read(self, text: str) -> list[_Whole]:
        any_control = CONTROL.search(text) is not None
        for number, line in logical_lines(text):
            raw = CONTROL.sub("", line) if any_control else line
            if self.part is not None and len(raw) < len(line):
                self.part.cleaned = True
            head = _HEAD.match(raw) or _HEAD.match(unfolded(raw[:4_000]))
            if head is None:
                self._stray(number, raw)
                continue
            name, value = head[1].upper(), unfolded(raw)[head.end() :].strip() if raw[:1] else ""
            if name == "BEGIN":
                self._begin(number, raw, value.upper())
            elif name == "END":
                self._end(raw, value.upper())
            elif self.part is not None:
                self._property(raw, name, head[2], value)
            elif self.stack:
                self._of_calendar(raw, name, value)
        if self.part is not None:
            self.found.remark(self.part.line, FileRemarkKind.ENDLESS, self.part.title)
        return self.wholes

    def _begin(self, number: int, raw: str, name: str) -> None:
        if self.part is not None and name in (*COMPONENTS, "VCALENDAR") and self.part.name in COMPONENTS:
            self._close("VCALENDAR")  # its end is missing: these are never inside one another
        if name == "VCALENDAR" and self.part is None:
            self.wholes.append(_Whole())
            self.stack = [name]
            return
        if not self.stack and name in (*COMPONENTS, "VTIMEZONE"):  # some programs write events without a calendar around them
            self.wholes.append(_Whole())
            self.stack = ["VCALENDAR"]
        if not self.stack:
            return
        if self.part is None:
            self.part = _Part(name, number)
        self.part.raws.append(raw)
        if len(self.stack) < _DEEPEST:  # deeper, it is read by nobody
            self.stack.append(name)

    def _end(self, raw: str, name: str) -> None:
        if name not in self.stack:
            return
        self._close(name)
        self.stack.pop()
        if self.part is not None:
            self.part.raws.append(raw)
            if len(self.stack) == 1:
                self._done(self.part)
                self.part = None

    def _close(self, name: str) -> None:
        """End what is open inside of a component."""
        while self.stack[-1] != name:
            inner = self.stack.pop()
            assert self.part is not None
            self.part.raws.append(f"END:{inner}\r\n")
            if len(self.stack) == 1:
                self._done(self.part)
                self.part = None

    def _done(self, part: _Part) -> None:
        whole = self.wholes[-1]
        if part.name == "VTIMEZONE":
            for zone in part.zones:
                whole.zones.setdefault(zone, part.text)
        elif part.name in COMPONENTS:
            whole.parts.append(part)
            self.found.repairs[FileRepair.CHARACTERS.value] += part.cleaned
        else:
            self.found.remark(part.line, FileRemarkKind.OTHER_PART, part.name)

    def _property(self, raw: str, name: str, params: str, value: str) -> None:
        part = self.part
        assert part is not None
        part.raws.append(raw)
        if part.name == "VTIMEZONE":
            if name == "TZID" and len(self.stack) == 2:
                part.zones.add(value)
            return
        if "TZID" in params.upper() and (zone := _TZID.search(params)):
            part.zones.add(zone[1] or zone[2])
        if len(self.stack) != 2:
            return
        if name == "UID" and not part.uid:
            part.uid = value
        elif name == "SUMMARY" and not part.title:
            part.title = plain(value)[:200]
        elif name == "DTSTART":
            part.start = value
        elif name == "RECURRENCE-ID":
            part.override = value
        elif name == "SEQUENCE" and value.isascii() and value.isdigit():
            part.sequence = int(value[:9])

    def _of_calendar(self, raw: str, name: str, value: str) -> None:
        whole = self.wholes[-1]
        if name in _HEADER:
            whole.header.setdefault(name, raw)
        elif name == "METHOD":
            whole.method = value.upper()
        elif name in ("X-WR-CALNAME", "NAME") and not self.found.name:
            self.found.name = plain(value)[:100]
        elif name in ("X-APPLE-CALENDAR-COLOR", "COLOR") and not self.found.colour:
            self.found.colour = value[:40]
        elif name in ("REFRESH-INTERVAL", "X-PUBLISHED-TTL"):
            self.found.refresh = _duration(value)

    def _stray(self, number: int, raw: str) -> None:
        """A line without a name: the rest of the one before, whose program did not escape its line ends."""
        if self.part is None or len(self.part.raws) < 2 or not raw.strip():
            return
        self.found.remark(number, FileRemarkKind.MENDED, raw.strip())
        if not re.match(r"UID[;:]", self.part.raws[-1], re.IGNORECASE):  # by which the event is known already
            rest = "\\n" + re.sub(r"(?<!\\)([,;])", r"\\\1", unfolded(raw).rstrip("\r\n"))
            self.part.raws.append(f" {folded(rest)}\r\n")


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their folds and CRLF at their ends, and the number of the first."""
    held, began = list[str](), 0
    for number, line in enumerate(re.split("\r\n|\n|\r", text), 1):
        if not line:  # also between a line and its rest: old Mozilla wrote that
            continue
        if held and line[0] in " \t":
            held.append(line)
            continue
        if held:
            yield began, "\r\n".join([*held, ""])
        held, began = [line], number
    if held:
        yield began, "\r\n".join([*held, ""])


def unfolded(raw: str) -> str:
    return raw.replace("\r\n ", "").replace("\r\n\t", "")


def _duration(value: str) -> int:
    """Seconds of a duration such as PT12H; 0 where it is none."""
    match = re.fullmatch(r"P(?:(\d{1,3})W)?(?:(\d{1,3})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?", value.upper())
    if match is None:
        return 0
    return sum(int(one or 0) * unit for one, unit in zip(match.groups(), (604_800, 86_400, 3_600, 60, 1), strict=True))


_Together = dict[tuple[str, str], tuple[_Whole, dict[str, _Part]]]  # by kind and identifier; the parts by RECURRENCE-ID

# --- objects ---------------------------------------------------------------------------------------------------------


def _gather(found: CalendarFile, wholes: Iterable[_Whole], zones: dict[str, str]) -> None:
    """Put what has one identifier together."""
    together: _Together = {}
    for whole in wholes:
        for part in whole.parts:
            if not part.uid or len(part.uid) > _LONGEST_UID:
                found.repairs[FileRepair.UID.value] += 1
                _name(part)
            key = (part.name, part.uid)
            if key not in together and len(together) >= MOST_OBJECTS:
                found.remark(part.line, FileRemarkKind.TOO_MANY)
                _finish(found, together, zones)
                return
            _file_part(found, together, key, whole, part)
    _finish(found, together, zones)


def _file_part(found: CalendarFile, together: _Together, key: tuple[str, str], whole: _Whole, part: _Part) -> None:
    _whole, parts = together.setdefault(key, (whole, {}))
    same = parts.get(part.override)
    if same is None:
        parts[part.override] = part
    elif same.text == part.text:
        found.doubled += 1
    elif same.start == part.start or part.override:  # two versions of one event
        found.doubled += 1
        if part.sequence >= same.sequence:
            parts[part.override] = part
    else:
        found.remark(part.line, FileRemarkKind.TWICE, part.title)
        _name(part)
        together.setdefault((part.name, part.uid), (whole, {part.override: part}))


def _finish(found: CalendarFile, together: _Together, zones: dict[str, str]) -> None:
    kinds, size = dict[str, str](), 0
    for (kind, uid), (whole, of_uid) in together.items():
        parts = sorted(of_uid.values(), key=lambda one: (one.override != "", one.line))
        if kinds.setdefault(uid, kind) != kind:  # a task and an event: a calendar has one object of a UID
            for part in parts:
                _name(part, parts[0].uid if part is not parts[0] else "")
        title, text = next((one.title for one in parts if one.title), ""), _object_text(whole, parts, zones)
        if (size := size + len(text)) > MOST_CHARACTERS:
            found.remark(parts[0].line, FileRemarkKind.TOO_MANY)
            return
        found.objects.append(FileObject(parts[0].uid, text, parts[0].line, title))


def _name(part: _Part, uid: str = "") -> None:
    """Give a component an identifier, this or one made from what it says: the same file has the same ones each time."""
    part.uid = uid or f"{hashlib.sha256(part.text.encode()).hexdigest()[:40]}@imported"
    depth, kept = 0, []
    for raw in part.raws:
        depth += raw[:6].upper() == "BEGIN:"
        if not (depth == 1 and re.match(r"UID[;:]", raw, re.IGNORECASE)):
            kept.append(raw)
        depth -= raw[:4].upper() == "END:"
    part.raws = [kept[0], f"UID:{part.uid}\r\n", *kept[1:]]


def _object_text(whole: _Whole, parts: list[_Part], zones: dict[str, str]) -> str:
    header = whole.header
    lines = [header.get("VERSION", "VERSION:2.0\r\n"), header.get("PRODID", f"PRODID:{OURS}\r\n")]
    lines += [header[name] for name in ("CALSCALE", "X-WR-TIMEZONE") if name in header]
    named = sorted({zone for part in parts for zone in part.zones})
    defined = [whole.zones.get(zone) or zones[zone] for zone in named if zone in whole.zones or zone in zones]
    return "".join(["BEGIN:VCALENDAR\r\n", *lines, *defined, *(part.text for part in parts), "END:VCALENDAR\r\n"])
