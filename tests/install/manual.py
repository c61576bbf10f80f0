"""The commands of docs/administrator/install.md, as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "administrator" / "install.md"
_BLOCK = re.compile(r"^```sh(?: (\w+) (\d))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_STEP = re.compile(r"^## (?:(\d)\. )?(.*)$", re.MULTILINE)


def steps(database: str) -> list[tuple[str, str]]:
    """The heading and the commands of each step, in order; with `database` "postgresql" also those that it adds to a step."""
    chapter = MANUAL.read_text(encoding="utf-8")
    headings = list(_STEP.finditer(chapter))
    found: dict[int, tuple[str, str]] = {}
    more: dict[int, str] = {}
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        text = chapter[heading.end() : following.start() if following else None]
        for kind, step, commands in _BLOCK.findall(text):
            if not kind:
                number = int(heading[1])
                found[number] = (heading[2], found.get(number, ("", ""))[1] + commands)
            elif kind == database:
                more[int(step)] = commands
    return [(name, commands + more.get(number, "")) for number, (name, commands) in sorted(found.items())]


def packages(database: str) -> list[str]:
    """What they install of Debian's."""
    lines = "\n".join(commands for _name, commands in steps(database))
    return [word for line in re.findall(r"^apt install (.*)$", lines, re.MULTILINE) for word in line.split()]
