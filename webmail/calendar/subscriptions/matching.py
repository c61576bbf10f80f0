"""Subscribed matching: which events that are there those of a feed stand for that gives them other UIDs at each fetch."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from webmail.mime.formats.calendars.calendar_files import FileObject
from webmail.mime.formats.calendars.calendar_object import COMPONENTS
from webmail.mime.formats.cards.vcard_lines import folded, unfolded

_UID = r"UID[;:]"
_STAMPS = r"(?:DTSTAMP|LAST-MODIFIED|CREATED)[;:]"
_REST = r"[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*"
_STAMP = re.compile(rf"^{_STAMPS}{_REST}", re.MULTILINE | re.IGNORECASE)
_STAMP_OR_UID = re.compile(rf"^(?:{_STAMPS}|{_UID}){_REST}", re.MULTILINE | re.IGNORECASE)
_LINE = re.compile(_REST)
_TELLING = ("DTSTART", "DUE", "SUMMARY", "RRULE", "RDATE", "RECURRENCE-ID")

Likeness = tuple[str, ...]


def without_stamps(text: str) -> str:
    """What an object says, but for when it was written out: some programs say a new time each time."""
    return _STAMP.sub("", text)


class Standing:
    """Objects that are there, of which a file knows the UIDs no more: by what they say, and by when they begin, title and rule.

    Each is found once: of equal ones there are as many as there were.
    """

    def __init__(self, objects: Iterable[tuple[str, str]]) -> None:
        """`objects`: UID and text."""
        self._free: dict[str, None] = {}
        self._saying: dict[bytes, list[str]] = defaultdict(list)
        self._like: dict[Likeness, list[str]] = defaultdict(list)
        for uid, text in objects:
            self._free[uid] = None
            self._saying[_digest(text)].append(uid)
            self._like[likeness(text)].append(uid)
        for found in (*self._saying.values(), *self._like.values()):
            found.reverse()  # the first is taken first

    def matched(self, items: Sequence[FileObject]) -> tuple[dict[str, str], dict[str, str]]:
        """By the UIDs of the file: the UIDs of what says the same already, and of what it is a newer version of."""
        same = {item.uid: uid for item in items if (uid := self._taken(self._saying.get(_digest(item.text))))}
        rest = [item for item in items if item.uid not in same]
        return same, {item.uid: uid for item in rest if (uid := self._taken(self._like.get(likeness(item.text))))}

    def _taken(self, uids: list[str] | None) -> str:
        while uids:
            if (uid := uids.pop()) in self._free:
                del self._free[uid]
                return uid
        return ""


def _digest(text: str) -> bytes:
    return hashlib.sha256(_STAMP_OR_UID.sub("", text).encode()).digest()


def likeness(text: str) -> Likeness:
    """What tells an event from the others of a calendar: of its first component alone, not of zones and alarms in it."""
    found: dict[str, str] = {}
    depth, kind = 0, ""
    for line in unfolded(text).split("\n"):
        name = re.split("[;:]", line, maxsplit=1)[0].upper()
        depth += name == "BEGIN"
        if depth == 2 and name == "BEGIN":
            kind = line[6:].strip().upper()
        elif depth == 2 and kind in COMPONENTS and name in _TELLING:
            found[name] = found.get(name, "") + line
        elif depth == 2 and kind in COMPONENTS and name == "END":
            break
        depth -= name == "END"
    return kind, *(found.get(name, "") for name in _TELLING)


def replace_uid(text: str, uid: str) -> str:
    """The same object under this UID: devices know an item by it as long as it is there."""
    lines, depth = [], 0
    for line in _LINE.findall(text):
        depth += line[:6].upper() == "BEGIN:"
        ours = depth == 2 and re.match(_UID, line, re.IGNORECASE)
        lines.append(f"{folded(f'UID:{uid}')}\r\n" if ours else line)
        depth -= line[:4].upper() == "END:"
    return "".join(lines)
