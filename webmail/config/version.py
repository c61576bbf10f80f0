"""Version: which release this is, and what is new in it; both in one place, `pyproject.toml` and the top of `CHANGELOG.md`.

The tag of a release is `v` and this number. Code that is no release is told by its commit, which `deploy/install` writes down.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHORT, UPDATING = "In short", "When you update"  # headings of CHANGELOG.md


@dataclass(frozen=True, slots=True)
class ReleaseNews:
    """What CHANGELOG.md says of its newest release, in English. Items are single paragraphs, in which `` `words` `` are code."""

    number: str
    short: list[str]
    updating: list[str]


@cache
def number() -> str:
    """Such as "1.0.0"; "" where the file of the project is not there."""
    try:
        return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])
    except (OSError, tomllib.TOMLDecodeError, KeyError):
        return ""


@cache
def installed() -> str:
    """The tag or commit that was installed; "" where nobody wrote it down, as in a checkout."""
    try:
        return (ROOT / "VERSION").read_text().strip()[:80]
    except OSError:
        return ""


def told() -> str:
    """The number, with the tag or commit where that says more."""
    more = installed()
    return number() if more.lstrip("v") in ("", number()) else f"{number()} ({more})"


def news(changelog: Path = ROOT / "CHANGELOG.md") -> ReleaseNews:
    """Nothing but the number where there is no such file."""
    try:
        text = changelog.read_text()
    except OSError:
        return ReleaseNews(number(), [], [])
    _before, _mark, after = text.partition("\n## ")
    top = after.partition("\n## ")[0]
    return ReleaseNews(top.partition("\n")[0].strip(), _items(top, SHORT), _items(top, UPDATING))


def _items(text: str, heading: str) -> list[str]:
    part = text.partition(f"\n### {heading}\n")[2].partition("\n### ")[0]
    found = re.split(r"(?m)^- ", part)[1:]
    return [" ".join(re.sub(r"\n\*\*.*", "", one, flags=re.DOTALL).split()) for one in found]
