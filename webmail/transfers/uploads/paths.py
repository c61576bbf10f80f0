"""Paths of files in a transfer: folders and a name, as a browser or another program sent them, made harmless.

They are shown and written into archives, and never name anything on our own disk.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

LONGEST = 400  # characters
_DEEPEST = 30
_LONGEST_PART = 150
# what Windows takes for a device, whatever its ending, with spaces before that and raised digits too
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[\d¹²³]) *(?:\.|\Z)", re.I)
_ABSOLUTE = re.compile(r"[/\\]|[a-z]:[/\\]", re.I)
_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f\x7f]')


def clean(path: str, fallback: str = "file") -> str:
    """A relative path that every system can unpack: no "..", no drive, no controls or marks of direction, no device's name."""
    kept = [_part(one) for one in path[: 4 * LONGEST].replace("\\", "/").split("/")]
    parts = [one for one in kept if one][-_DEEPEST:]
    while len(parts) > 1 and len("/".join(parts)) > LONGEST:
        parts.pop(0)
    return "/".join(parts) or fallback


def of_form(name: str) -> str:
    """The name that a form gives a file: some programs send the whole path on somebody's own disk, which is nobody's business."""
    return name.replace("\\", "/").rpartition("/")[2] if _ABSOLUTE.match(name) else name


def free(path: str, taken: Container[str]) -> str:
    """The path, or the next of its kind: "report (2).pdf"."""
    return next_free(path, taken)[0] if path in taken else path


def next_free(path: str, taken: Container[str], number: int = 2) -> tuple[str, int]:
    """The path with the first number that is not taken, from `number` on; and the number after that."""
    folder, slash, name = path.rpartition("/")
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    while (numbered := f"{folder}{slash}{stem} ({number}){dot}{ending}") in taken:
        number += 1
    return numbered, number + 1


def _part(text: str) -> str:
    text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())
    text = " ".join(text.split())
    text = _FORBIDDEN.sub("_", "".join(one for one in text if unicodedata.category(one) not in ("Cf", "Cs", "Co", "Zl", "Zp")))
    text = text.lstrip(" ").rstrip(". ")  # Windows can't unpack what ends so
    if _DEVICE.match(text):
        text = f"_{text}"
    if len(text) <= _LONGEST_PART:
        return text
    stem, dot, ending = text.rpartition(".")
    return f"{stem[: _LONGEST_PART - 1 - len(ending)]}.{ending}" if dot and len(ending) <= 20 else text[:_LONGEST_PART]
