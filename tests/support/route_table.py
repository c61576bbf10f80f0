"""The table of routes, routes.txt: who may call each, what it changes, and whose the thing is that its address names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("routes.txt")
_COLUMNS = 5
_EXAMPLES = {
    "view": "month",
    "day": "2026-12-08",
    "filename": "css/base.css",
    "mailbox": "INBOX",
    "slug": "reading",
    "section": "1",
    "kind": "iphone",
}


@dataclass(frozen=True, slots=True)
class Route:
    """A line of the table. `first`: the first steps it belongs to, by their names; `owned`: what its address names, or ""."""

    method: str
    rule: str
    who: str
    first: frozenset[str]
    asks_again: bool
    changes: str
    owned: str

    @property
    def name(self) -> str:
        return f"{self.method} {self.rule}"

    def url(self, thing: str = "") -> str:
        """An address that the rule takes. `thing`: the identifier of what it names, where that belongs to one person."""
        owned = iter([thing] if self.owned and thing else [])  # it is the first that an address names

        def fill(found: re.Match[str]) -> str:
            kind, _colon, name = found[1].rpartition(":")
            return next(owned, None) or _EXAMPLES.get(name) or ("1" if kind == "int" else "0" * 32)

        return re.sub(r"<([^>]*)>", fill, self.rule)


def routes() -> list[Route]:
    """All lines, in their order. Raises ValueError for one that can't be read, or stands there twice."""
    found = [_route(line) for line in _FILE.read_text().splitlines() if line and not line.startswith("#")]
    twice = {route.name for route in found if sum(route.name == other.name for other in found) > 1}
    if twice:
        raise ValueError(f"twice in {_FILE.name}: {twice}")
    return found


def _route(line: str) -> Route:
    cells = [cell.strip() for cell in line.split("  ") if cell.strip()]
    if not 4 <= len(cells) <= _COLUMNS:
        raise ValueError(f"{_FILE.name}: two spaces at least stand between the columns of {line!r}")
    method, rule, who, changes, *owned = cells
    caller, *marks = who.split(", ")
    steps = [step for mark in marks for step in mark.removeprefix("first ").split() if mark.startswith("first ")]
    first = frozenset(step.replace("-", "_").upper() for step in steps)
    return Route(method, rule, caller, first, "asked again" in marks, changes, owned[0] if owned else "")
