"""The table of results: rows of figures, one for each webmail, told as they are measured, then written as Markdown and as JSON."""

from __future__ import annotations

import json
import math
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

OURS = "Traboule"
BUSY = 0.25  # a figure taken while the processors had so much else to do is marked


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` in the row's unit; `detail` are the raw numbers behind it, for people; `raw` for programs. `failed`: why there is none."""

    value: float
    detail: str = ""
    raw: dict[str, float | list[float] | str] = field(default_factory=dict)
    failed: str = ""


@dataclass
class Row:
    """One line. `most`: what Traboule may reach at most; None where the row only informs."""

    section: str
    name: str
    unit: str = ""
    most: float | None = None
    figures: dict[str, Figure] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        ours = self.figures.get(OURS)
        if self.most is None or ours is None or ours.failed:
            return ""
        return "yes" if ours.value <= self.most else "NO"


@dataclass
class Table:
    """All rows, in the order in which they are first named, and what the figures depend on.

    `told` hears of each figure as soon as it is measured: whatever happens next, it is not lost.
    """

    when: datetime
    machine: dict[str, str]
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    told: Callable[[str, Row], None] = lambda _webmail, _row: None

    def add(self, webmail: str, section: str, name: str, figure: Figure, unit: str = "", most: float | None = None) -> None:
        for row in self.rows:
            if (row.section, row.name) == (section, name):
                break
        else:
            row = Row(section, name, unit, most)
            self.rows.append(row)
        row.figures[webmail] = figure
        self.told(webmail, row)

    @contextmanager
    def row(self, webmail: str, section: str, name: str) -> Iterator[None]:
        """What goes wrong inside costs this row alone, which says why."""
        try:
            yield
        except Exception as error:  # whatever it is: all other rows are worth having
            self.add(webmail, section, name, Figure(math.nan, failed=_reason(error)))

    @property
    def failed(self) -> list[str]:
        """The rows that could not be measured, with their reasons."""
        return [
            f"{webmail}, {row.section}, {row.name}: {figure.failed}"
            for row in self.grouped
            for webmail, figure in row.figures.items()
            if figure.failed
        ]

    @property
    def grouped(self) -> list[Row]:
        """Rows of a section together, sections in the order of their first row."""
        sections = list(dict.fromkeys(row.section for row in self.rows))
        return sorted(self.rows, key=lambda row: sections.index(row.section))

    @property
    def missed(self) -> list[str]:
        return [row.name for row in self.rows if row.verdict == "NO"]

    def markdown(self, others: tuple[str, ...] = ("Roundcube",)) -> str:
        lines = [f"{self.when:%Y-%m-%d %H:%M}; " + "; ".join(f"{name} {value}" for name, value in self.machine.items()), ""]
        head = ["", OURS, "at most", "met", *others, "raw numbers (Traboule)"]
        lines += [line(head), line(["---", "--:", "--:", "---", *["--:"] * len(others), "---"])]
        section = ""
        for row in self.grouped:
            if row.section != section:
                section = row.section
                lines.append(line([f"**{section}**", *[""] * (len(head) - 1)]))
            ours = row.figures.get(OURS)
            most = "" if row.most is None else shown(row.most, row.unit)
            values = [_cell(row.figures.get(name), row.unit) for name in (OURS, *others)]
            lines.append(
                line([row.name, values[0], most, row.verdict, *values[1:], (ours.failed or ours.detail) if ours else ""])
            )
        return "\n".join([*lines, "", *(f"- {note}" for note in self.notes)]) + "\n"

    def write(self, folder: Path) -> list[Path]:
        """`bench.md` and `bench.json` in this folder."""
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / "bench.md", folder / "bench.json"]
        files[0].write_text(self.markdown())
        files[1].write_text(json.dumps(self._plain(), ensure_ascii=False, indent=1))
        return files

    def _plain(self) -> dict[str, object]:
        rows = [
            {
                "section": row.section, "name": row.name, "unit": row.unit, "most": row.most, "met": row.verdict or None,
                "figures": {name: as_json(figure) for name, figure in row.figures.items()},
            }
            for row in self.grouped
        ]  # fmt: skip
        return {"when": self.when.isoformat(), "machine": self.machine, "notes": self.notes, "rows": rows}


def as_json(figure: Figure) -> dict[str, object]:
    """JSON knows no nan."""
    value = None if math.isnan(figure.value) else figure.value
    return {"value": value, "detail": figure.detail, **({"failed": figure.failed} if figure.failed else {}), **figure.raw}


def _reason(error: Exception) -> str:
    """One line: what went wrong, and where in the benchmark."""
    words = " ".join(f"{type(error).__name__}: {error}".split())[:300].replace("|", "/")  # which ends a cell
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "/tests/" in frame.filename]
    return f"{words} ({Path(ours[-1].filename).name}:{ours[-1].lineno})" if ours else words


def put_into(document: Path, table: str, name: str = "table") -> None:
    """Put a table between the two marks of this name in a document. Raises ValueError where it has not exactly these."""
    first, last = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, begin, rest = document.read_text().partition(f"{first}\n")
    _former, end, after = rest.partition(last)
    if not begin or not end or first in after:
        raise ValueError(f"{document} has no place for the table")
    document.write_text(f"{before}{begin}\n{table.strip()}\n\n{end}{after}")


def shown(value: float, unit: str = "") -> str:
    """Three digits are as many as these measurements are worth: 1234.5 -> "1,235", 12.34 -> "12.3", 1.234 -> "1.23"."""
    if math.isnan(value):
        return "-"
    digits = 0 if value == int(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}" + (f" {unit}" if unit else "")


def _cell(figure: Figure | None, unit: str) -> str:
    if figure is None:
        return ""
    if figure.failed:
        return "failed"
    busy = figure.raw.get("busy", 0.0)
    return shown(figure.value, unit) + (" \\*" if isinstance(busy, float) and busy > BUSY else "")


def line(cells: list[str]) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(cells) + " |"
