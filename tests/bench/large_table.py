"""The table of `large.py`: how long each thing takes in mailboxes of several sizes, and the ratios between them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.bench.numbers import p50
from tests.bench.table import OURS, line, shown

SMALLEST, MIDDLE, LARGEST = 1_000, 100_000, 1_000_000
_FEWEST = 2_000  # messages of the largest


def sizes(wanted: str = "") -> tuple[int, int, int]:
    """The three sizes; `wanted` is another number of messages for the largest. Raises ValueError."""
    largest = int(wanted.replace(",", "").replace("_", "")) if wanted else LARGEST
    if largest < _FEWEST:
        raise ValueError(f"MESSAGES: {_FEWEST:,} or more")
    return SMALLEST, min(MIDDLE, max(largest // 10, SMALLEST + 1)), largest  # each has an account of its own


@dataclass(slots=True)
class Timing:
    """Milliseconds of each run; `trouble` instead where the webmail gave no answer; `grown`: MiB of memory at most."""

    ms: list[float] = field(default_factory=list)
    trouble: str = ""
    grown: float | None = None

    @property
    def median(self) -> float:
        return float("nan") if self.trouble else p50(self.ms)


@dataclass
class LargeTable:
    """Rows in the order in which they are first named."""

    when: datetime
    machine: dict[str, str]
    sizes: Sequence[int]
    notes: list[str] = field(default_factory=list)
    rows: dict[str, dict[tuple[str, int], Timing]] = field(default_factory=dict)

    def add(self, row: str, webmail: str, size: int, timing: Timing) -> None:
        self.rows.setdefault(row, {})[webmail, size] = timing

    def markdown(self, rival: str = "Roundcube") -> str:
        """All in milliseconds; the ratios: the largest against the smallest, and Traboule against the rival at each size."""
        head = ["ms", *(f"{OURS} {size:,}" for size in self.sizes), f"{self.sizes[-1]:,} / {self.sizes[0]:,}"]
        head += [*(f"{rival} {size:,}" for size in self.sizes), *(f"{OURS} / {rival}, {size:,}" for size in self.sizes)]
        lines = [f"{self.when:%Y-%m-%d %H:%M}; " + "; ".join(f"{name} {value}" for name, value in self.machine.items()), ""]
        lines += [line([*head, "memory, MiB"]), line(["---", *["--:"] * len(head)])]
        lines += [self._line(name, found, rival) for name, found in self.rows.items()]
        return "\n".join([*lines, "", *(f"- {note}" for note in self.notes)]) + "\n"

    def _line(self, name: str, found: dict[tuple[str, int], Timing], rival: str) -> str:
        ours, theirs = ([found.get((webmail, size)) for size in self.sizes] for webmail in (OURS, rival))
        grown = ours[-1].grown if ours[-1] else None
        ratios = [_ratio(one, other) for one, other in zip(ours, theirs, strict=True)]
        cells = [*map(_cell, ours), _ratio(ours[-1], ours[0]), *map(_cell, theirs), *ratios]
        return line([name, *cells, "" if grown is None else shown(grown)])

    def write(self, folder: Path) -> list[Path]:
        """`large.md` and `large.json` in this folder."""
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / "large.md", folder / "large.json"]
        files[0].write_text(self.markdown())
        files[1].write_text(json.dumps(self._plain(), ensure_ascii=False, indent=1))
        return files

    def _plain(self) -> dict[str, object]:
        rows = {
            name: [
                {"webmail": webmail, "messages": size, "ms": one.ms, "trouble": one.trouble, "memory_mib": one.grown}
                for (webmail, size), one in found.items()
            ]
            for name, found in self.rows.items()
        }
        return {"when": self.when.isoformat(), "machine": self.machine, "sizes": [*self.sizes], "notes": self.notes, "rows": rows}


def _cell(timing: Timing | None) -> str:
    if timing is None:
        return ""
    return timing.trouble or shown(timing.median)


def _ratio(one: Timing | None, other: Timing | None) -> str:
    """How many times as long the first takes; nothing where either is unknown."""
    if one is None or other is None or one.trouble or other.trouble or not other.median:
        return ""
    return shown(one.median / other.median)
