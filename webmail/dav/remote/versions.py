"""Versions of one item: whether two say the same, and the copy that is made of one when both sides changed it."""

from __future__ import annotations

import re
from collections import Counter

_IGNORED = {"PRODID", "DTSTAMP", "LAST-MODIFIED", "CREATED", "REV"}  # that servers write anew
_HEAD = re.compile(r"([A-Za-z0-9.-]{1,100})((?:;[^:\"\n]*(?:\"[^\"\n]*\"[^:\"\n]*)*)?):")
_TITLES = {"SUMMARY", "FN"}
_MEETING = {"ORGANIZER", "ATTENDEE"}
_KEPT = "X-TRABOULE-"  # before the names of what a copy must not say


def same(one: str, other: str) -> bool:
    """Whether two texts of an item have the same lines, whatever their order, folding and stamps."""
    return one == other or _lines(one) == _lines(other)


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
