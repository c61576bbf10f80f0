"""Busy times alone: how an event looks to somebody who may know when it is, and nothing else of it."""

from __future__ import annotations

import hashlib

from webmail.mime.formats import calendar_object

_KEPT = {
    "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "DTSTAMP", "STATUS", "TRANSP", "SEQUENCE",
}  # fmt: skip
_OF_ZONE = {"TZID", "TZOFFSETFROM", "TZOFFSETTO", "DTSTART", "RRULE", "RDATE"}
_WORDS = {"": "Busy", "fr": "Occupé"}  # by language: no page says it here


def name_of(text: str) -> str:
    """What a UID is for them."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def href_of(href: str) -> str:
    """What its name in the calendar is for them: most programs name an event by its UID."""
    return f"{name_of(href)}.ics"


def masked(text: str, uid: str, language: str) -> str:
    """The event without words, people, places and alarms. Its UID is another one, since some tell where they come from."""
    kept, skipped = [], 0
    stack: list[str] = []
    word = _WORDS.get(language, _WORDS[""])
    hidden = name_of(uid)
    for line in calendar_object.lines_of(text):
        if line.name == "BEGIN":
            name = line.value.strip().upper()
            skipped += bool(skipped) or name not in ("VCALENDAR", "VEVENT", "VTIMEZONE", "STANDARD", "DAYLIGHT")
            stack.append(name)
            if not skipped:
                kept.append(f"BEGIN:{name}")
                kept += {"VCALENDAR": ["VERSION:2.0", "PRODID:-//Traboule//busy//EN"]}.get(name, [])
                kept += [f"UID:{hidden}", f"SUMMARY:{word}"] if name == "VEVENT" else []
        elif line.name == "END":
            if not skipped:
                kept.append(f"END:{line.value.strip().upper()}")
            skipped = max(skipped - 1, 0)
            stack.pop()
        elif not skipped and line.name in (_KEPT if stack[-1] == "VEVENT" else _OF_ZONE if len(stack) > 1 else ()):
            kept.append(line.raw)
    return "\r\n".join([*map(_folded, kept), ""])


def _folded(line: str) -> str:
    """Lines of 75 octets at most (RFC 5545, 3.1); only ASCII is ever that long here."""
    return "\r\n ".join(line[at : at + 70] for at in range(0, len(line), 70)) or line
