"""Templates of files that other programs read, in `files/`: `$name` is replaced by a value, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

_FILES = Path(__file__).parent / "files"


def filled(name: str, **values: str) -> str:
    """The text of a template. Raises KeyError for a name that has no value."""
    return re.sub(r"\$([a-z_]+)", lambda found: values[found[1]], (_FILES / name).read_text(encoding="utf-8"))


def names(folder: str) -> list[str]:
    return sorted(file.name for file in (_FILES / folder).iterdir())
