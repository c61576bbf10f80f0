"""Versions of one item: whether two say or mean the same, and the copy that is made of one when both sides changed it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter

_IGNORED = {"PRODID", "DTSTAMP", "LAST-MODIFIED", "CREATED", "REV"}  # that servers write anew
_DEFAULTS = {
    "CALSCALE:GREGORIAN", "CLASS:PUBLIC", "PRIORITY:0", "SEQUENCE:0", "STATUS:CONFIRMED", "TRANSP:OPAQUE", "VERSION:2.0",
}  # fmt: skip
_SAID_ANYWAY = {"VALUE=DATE-TIME", "VALUE=TEXT", "VALUE=URI", "CHARSET=UTF-8", "TYPE=PREF"}  # of parameters
_HEAD = re.compile(r"([A-Za-z0-9.-]{1,100})((?:;[^:\"\n]*(?:\"[^\"\n]*\"[^:\"\n]*)*)?):")
_TITLES = {"SUMMARY", "FN"}
_MEETING = {"ORGANIZER", "ATTENDEE"}
_KEPT = "X-TRABOULE-"  # before the names of what a copy must not say


def same(value: str, other: str) -> bool:
    """Whether two texts of an item have the same lines, whatever their order, folding and stamps."""
    return value == other or _lines(value) == _lines(other)


def _lines(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for line in _unfolded(text):
        match = _HEAD.match(line)
        if match is None:
            found[line.strip()] += bool(line.strip())
        elif match[1].upper() not in _IGNORED:
            params = ";".join(sorted(match[2].upper().strip(";").split(";")))
            found[f"{match[1].upper()};{params}:{line[match.end() :].rstrip()}"] += 1
    return +found


def meaning(text: str) -> str:
    """A digest of what an item means, equal for what servers make of it that write everything anew.

    Stamps, definitions of zones, values that hold anyway, what programs add for themselves, and order are no part of it.
    """
    found, zone = [], False
    for line in _unfolded(text):
        match = _HEAD.match(line)
        if match is None:
            found += [line.strip()] if line.strip() and not zone else []
            continue
        name, value = match[1].upper().rpartition(".")[2], line[match.end() :].strip()
        if value.upper() == "VTIMEZONE":
            zone = name == "BEGIN"
        elif not zone and not name.startswith("X-") and name not in _IGNORED and f"{name}:{value.upper()}" not in _DEFAULTS:
            params = sorted({one for one in match[2].upper().replace('"', "").split(";") if one} - _SAID_ANYWAY)
            found.append(f"{name};{';'.join(params)}:{_plain(name, value)}")
    return hashlib.sha256("\n".join(sorted(found)).encode("utf-8", "replace")).hexdigest()[:40]


def _plain(name: str, value: str) -> str:
    """A value as all write it: some escape more than they need to, or give a rule its parts in an order of their own."""
    if name == "RRULE":
        return ";".join(sorted(value.upper().split(";")))
    return re.sub(r"\\([,;:\"])", r"\1", value.replace("\\N", "\\n")).rstrip("; ")


def copy_of(text: str, uid: str, suffix: str) -> str:
    """The same item under another UID, its title followed by `suffix`.

    Of a meeting, those invited are kept as `X-TRABOULE-ATTENDEE`: a server would send them the copy as a new invitation.
    """
    lines, depth = [], 0
    for line in _unfolded(text):
        match = _HEAD.match(line)
        name = match[1].upper().rpartition(".")[2] if match else ""
        depth += (name == "BEGIN") - (name == "END")
        if match is not None and name == "UID" and depth <= 2:
            lines.append(_folded(f"{match[0]}{uid}"))
        elif name in _TITLES and depth <= 2 and suffix not in line:
            lines.append(_folded(f"{line.rstrip()} {suffix}"))
        elif name in _MEETING:
            lines.append(_folded(_KEPT + line))
        elif name != "METHOD":
            lines.append(_folded(line))
    return "\r\n".join(lines) + "\r\n"


def titles_in(text: str) -> str:
    """What an item is called."""
    for line in _unfolded(text[:200_000].replace("\0", "")):
        match = _HEAD.match(line)
        if match is not None and match[1].upper().rpartition(".")[2] in _TITLES:
            return re.sub(r"\\(.)", lambda found: " " if found[1] in "nN" else found[1], line[match.end() :])[:190].strip()
    return ""


def uid_in(text: str) -> str:
    """Its UID, as far as it can be read."""
    for line in _unfolded(text):
        match = _HEAD.match(line)
        if match is not None and match[1].upper().rpartition(".")[2] == "UID":
            return line[match.end() :].strip()
    return ""


def _unfolded(text: str) -> list[str]:
    return re.sub("\n[ \t]", "", text.replace("\r\n", "\n").replace("\r", "\n")).strip("\n").split("\n")


def _folded(line: str) -> str:
    """Lines of 75 octets at most (RFC 5545, 3.1), no character cut in two."""
    pieces, piece, size = [], "", 0
    for letter in line:
        width = len(letter.encode("utf-8", "replace"))
        if size + width > 75:
            pieces.append(piece)
            piece, size = "", 1
        piece, size = piece + letter, size + width
    return "\r\n ".join([*pieces, piece])
