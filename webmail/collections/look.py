"""Look of collections: what they are called, their colours and descriptions, as programs store them among the props.

A colour of `PALETTE` is one that pages offer, under a name that static/css/base.css has as `.tag-NAME` too, for light and dark.
Programs set any other; `near` finds the one of ours that is most like it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

NAME = "D:displayname"
COLOUR = {"calendar": "ICAL:calendar-color", "addressbook": "{http://inf-it.com/ns/ab/}addressbook-color"}
DESCRIPTION = {"calendar": "C:calendar-description", "addressbook": "CR:addressbook-description"}
# each can be told from white and from the dark surface: 3:1 at least (WCAG 1.4.11)
PALETTE = {
    "blue": "#3c7fd6", "green": "#3f9150", "orange": "#c96f12", "purple": "#9263d1", "teal": "#1f8f95", "pink": "#cc4f9b",
    "red": "#d6404b", "grey": "#7d776e",
}  # fmt: skip
TRANSPARENCY = "C:schedule-calendar-transp"  # RFC 6638, 9.1: "opaque" or "transparent"
LONGEST_NAME = 100  # characters
LONGEST_DESCRIPTION = 500
_HEX = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})")


def title_of(props: Mapping[str, Any]) -> str:
    """What it is called, on one line; "" if it has no name."""
    return one_line(str(props.get(NAME) or ""))[:LONGEST_NAME]


def one_line(text: str) -> str:
    """Without line ends, control characters, and marks that turn the direction of what follows."""
    text = text[: 10 * LONGEST_DESCRIPTION]
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text if c not in "\u202a\u202b\u202c\u202d\u202e")
    return " ".join(text.split())


def description_of(kind: str, props: Mapping[str, Any]) -> str:
    return str(props.get(DESCRIPTION[kind]) or "")[:LONGEST_DESCRIPTION]


def takes_time(props: Mapping[str, Any]) -> bool:
    """Whether the events of a calendar count as busy times of its owner."""
    return str(props.get(TRANSPARENCY) or "").lower() != "transparent"


def colour_of(kind: str, props: Mapping[str, Any], number: int) -> str:
    """Its colour as "#rrggbb". What has none gets one of ours, always the same for the same `number` (its `id`)."""
    return read(props.get(COLOUR[kind])) or list(PALETTE.values())[number % len(PALETTE)]


def read(value: Any) -> str:
    """A colour that a program stored ("#f00", "#FF0000", "#ff0000ff"), as "#rrggbb"; "" if it is none."""
    text = str(value or "").strip().lower()
    if not _HEX.fullmatch(text):
        return ""
    digits = text[1:]
    if len(digits) < 6:
        digits = "".join(2 * one for one in digits)
    return f"#{digits[:6]}"


def near(colour: str) -> str:
    """The name in PALETTE that is most like a colour ("#rrggbb")."""
    wanted = _parts(colour)
    return min(PALETTE, key=lambda slug: _distance(_parts(PALETTE[slug]), wanted))


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _distance(item: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """Weighted as the eye sees it ("redmean")."""
    red = (item[0] + other[0]) / 2
    parts = [(a - b) ** 2 for a, b in zip(item, other, strict=True)]
    return (2 + red / 256) * parts[0] + 4 * parts[1] + (2 + (255 - red) / 256) * parts[2]
