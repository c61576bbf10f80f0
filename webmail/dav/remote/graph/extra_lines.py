"""Extra lines: what a calendar text says and Graph has no property for, stored beside the event in an extended property of ours.

For each component and name: the lines as they were, and a digest of those that Graph's own properties gave then. As long as these
give the same, the lines are what the text said; once somebody changes them there, that counts. Lines that are too long to be
stored there (a photograph) are only named: as long as the same holds for them, they are what the item here has.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component, TextLine, made, parsed

PROPERTY = "String {6f6f5c0f-7c1c-4d9e-9a53-2d1f3f0b7a41} Name Traboule"
LARGEST = 28_000  # characters
_MOST_NAMED = 20  # names of a component that are too long
_NEVER = {"DTSTAMP", "LAST-MODIFIED", "CREATED", "UID", "RECURRENCE-ID"}
_ALARM = "VALARM"
Lines = dict[str, list[str]]  # of a component: by their names


@dataclass(slots=True)
class ExtraLines:
    """`parts`: by the time of a component ("" for the whole series), then by name: a digest, and the lines. `whole`: a text that
    is being written there in several steps, `begun` what its first step gave. `left_out`: by component and name the digests
    of those that were too long."""

    uid: str = ""
    parts: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    whole: str = ""
    begun: str = ""
    left_out: dict[str, dict[str, str]] = field(default_factory=dict)

    def written(self) -> str:
        """As it is stored; the largest are only named where it would be too much."""
        found: dict[str, Any] = {"uid": self.uid, "parts": self.parts}
        if self.left_out:
            found["left_out"] = self.left_out
        if self.whole and len(self.whole) < LARGEST // 2:
            found |= {"whole": self.whole, "begun": self.begun}
        text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        if len(text) <= LARGEST:
            return text
        sizes = [(len(str(entry)), key, name) for key, part in self.parts.items() for name, entry in part.items()]
        left = len(text) - LARGEST
        smaller = {key: dict(part) for key, part in self.parts.items()}
        named = {key: dict(part) for key, part in self.left_out.items()}
        for size, key, name in sorted(sizes, reverse=True):
            if left <= 0:
                break
            before, _lines = smaller[key].pop(name)
            if len(named.get(key, {})) < _MOST_NAMED:
                named.setdefault(key, {})[name] = before
            left -= size
        parts = {key: part for key, part in smaller.items() if part}
        if not parts and len(json.dumps(named)) > LARGEST // 2:
            named = {}
        return ExtraLines(self.uid, parts, self.whole, self.begun, named).written()


def read(text: str) -> ExtraLines:
    """What is stored; nothing where it can't be read: somebody else may have written it."""
    try:
        found = json.loads(text)
        parts = {
            str(key): {str(name): [str(one[0]), [str(line) for line in one[1]]] for name, one in part.items()}
            for key, part in found["parts"].items()
        }
        left_out = {
            str(key): {str(name): str(before) for name, before in part.items()} for key, part in found.get("left_out", {}).items()
        }
        uid = value_without_breaks(str(found["uid"]))[:255]
        return ExtraLines(uid, parts, str(found.get("whole", "")), str(found.get("begun", "")), left_out)
    except (ValueError, TypeError, LookupError, AttributeError):
        return ExtraLines()


def of_event(event: dict[str, Any]) -> ExtraLines:
    for one in event.get("singleValueExtendedProperties") or []:
        if str(one.get("id", "")).lower() == PROPERTY.lower():
            return read(str(one.get("value", "")))
    return ExtraLines()


def as_property(extra: ExtraLines) -> list[dict[str, str]]:
    return [{"id": PROPERTY, "value": extra.written()}]


def between(text: Component, given: Component, uid: str, zone: tzinfo) -> ExtraLines:
    """What `text` says beside what Graph's properties give."""
    found = ExtraLines(uid)
    there = {key: _lines(part) for key, part in _components(given, zone)}
    for key, part in _components(text, zone):
        if key not in there:
            continue
        here, given_lines = _lines(part), there[key]
        entries: dict[str, list[Any]] = {}
        for name in sorted({*here, *given_lines}):
            before, after = given_lines.get(name, []), here.get(name, [])
            derived = name == "COLOR" and "CATEGORIES" in here  # by what categories look like there
            if name not in _NEVER and not derived and sorted(before) != sorted(after):
                entries[name] = [digest(before), after]
        if entries:
            found.parts[key] = entries
    return found


def restored(given: Component, extra: ExtraLines) -> Component:
    """The calendar with the lines put back that still hold."""
    for key, part in _components(given, UTC):
        for name, (before, lines) in extra.parts.get(key, {}).items():
            if digest(_lines(part).get(name, [])) == before:
                _put(part, name, lines)
    return given


def value_without_breaks(value: str) -> str:
    return "".join(letter for letter in value if letter.isprintable()).strip()


def time_key(at: date | datetime) -> str:
    """How a time of a series is called."""
    if not isinstance(at, datetime):
        return f"{at:%Y%m%d}"
    return f"{at.astimezone(UTC) if at.tzinfo else at:%Y%m%dT%H%M%SZ}"


def digest_of(tree: Component) -> str:
    """Of a whole calendar."""
    return digest(
        sorted(line for key, part in _components(tree, UTC) for lines in _lines(part).values() for line in [key, *lines])
    )


def _components(root: Component, zone: tzinfo) -> list[tuple[str, Component]]:
    from webmail.mime.formats.calendars.event_edit import stamp_of

    found = []
    for part in root.parts("VEVENT"):
        stamp = stamp_of(part.first("RECURRENCE-ID"), root)
        if stamp is None:
            found.append(("", part))
            continue
        at = stamp.at
        if isinstance(at, datetime):
            at = at.replace(tzinfo=stamp.tz or zone)
        found.append((time_key(at), part))
    return found


def _lines(part: Component) -> Lines:
    found: Lines = {}
    for item in part.items:
        if isinstance(item, TextLine):
            if item.name:
                found.setdefault(item.name, []).append(f"{item.name}{item.params}:{item.value}")
        elif item.name == _ALARM:
            found.setdefault(_ALARM, []).append(str(item))
    return found


def digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "replace")).hexdigest()[:16] if lines else ""


def _put(part: Component, name: str, lines: list[str]) -> None:
    if name == _ALARM:
        part.drop(lambda one: isinstance(one, Component) and one.name == _ALARM)
        for block in lines:
            try:
                alarm = parsed(block)
            except BrokenTextError:
                continue
            if alarm.name == _ALARM:
                part.add(alarm)
        return
    part.remove(name)
    for line in lines:
        head, params, value = _taken_apart(line)
        if head == name:
            part.add(made(name, value, params))


def _taken_apart(line: str) -> tuple[str, str, str]:
    from webmail.mime.formats.calendars.component_tree import line_of

    found = line_of(value_without_breaks(line))
    return found.name, found.params, found.value
