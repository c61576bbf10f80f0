"""Export marker: what says in an archive of mail that it is an export of ours, and what the names in it can't say.

It is a file, or the archive's comment where each message has a file. Each file or folder of the archive has the levels of its
folder's name and its use; each keyword of a tag has the tag's name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MARKER = "traboule-export.json"
NOT_A_FOLDER = ("README.txt",)
_VERSION = 1
_MOST_LEVELS, _LONGEST = 50, 1000


@dataclass(frozen=True, slots=True)
class MarkedFolder:
    """The levels of a folder's name, and its use (a `Role`), "" for none."""

    path: tuple[str, ...]
    role: str = ""


@dataclass(frozen=True, slots=True)
class ExportMarker:
    """`folders` by the name of its file, or of its folder with "/" at the end, in the archive; `tags`: names by keyword."""

    folders: dict[str, MarkedFolder] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


def marker_bytes(folders: Mapping[str, MarkedFolder], tags: Mapping[str, str]) -> bytes:
    told = {name: {"path": list(folder.path), "role": folder.role} for name, folder in folders.items()}
    return json.dumps({"traboule": _VERSION, "folders": told, "tags": dict(tags)}, ensure_ascii=False, indent=1).encode()


def read_marker(told: Any) -> ExportMarker | None:
    """From what its JSON holds; None if that is no marker. What is not as we write it is left out."""
    if not isinstance(told, dict) or not isinstance(told.get("traboule"), int):
        return None
    folders, tags = told.get("folders"), told.get("tags")
    marker = ExportMarker()
    for name, folder in folders.items() if isinstance(folders, dict) else ():
        path = folder.get("path") if isinstance(folder, dict) else None
        if isinstance(path, list) and 0 < len(path) <= _MOST_LEVELS and all(_is_name(level) for level in path):
            role = folder.get("role")
            marker.folders[str(name)] = MarkedFolder(tuple(path), role if isinstance(role, str) else "")
    for keyword, name in tags.items() if isinstance(tags, dict) else ():
        if _is_name(name) and name.strip():
            marker.tags[str(keyword)] = name
    return marker


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST
