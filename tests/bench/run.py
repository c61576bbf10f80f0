"""One run of the benchmark: its parts, and its rows, each printed and stored as it is measured, so that nothing takes them away."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bench.table import OURS, Figure, Row, Table, as_json, shown

_CHECKOUT = Path(__file__).resolve().parents[2]
BROKEN_OFF = "Parts that broke off"
_KNOWN = {
    "webmail",
    "section",
    "name",
    "unit",
    "most",
    "value",
    "detail",
    "failed",
}  # of a row in the file; the rest is `Figure.raw`


class NothingToGoOnWith(Exception):
    """No run can be gone on with; the message says why."""


class Run:
    """Its file has a line of JSON for what the figures depend on, then one for each figure, and for each part that is through."""

    def __init__(self, file: Path, table: Table, through: set[str] | None = None) -> None:
        self.file, self.table = file, table
        self.through = through or set()  # parts in which nothing failed
        table.told = self._told

    @classmethod
    def begin(cls, folder: Path, machine: Mapping[str, str]) -> Run:
        when = datetime.now().astimezone()
        folder.mkdir(parents=True, exist_ok=True)
        run = cls(folder / f"rows-{when:%Y%m%d-%H%M%S}.jsonl", Table(when, dict(machine)))
        run._store({"when": when.isoformat(), "machine": dict(machine), "commit": _commit()})
        return run

    @classmethod
    def go_on(cls, folder: Path) -> Run:
        """The last run, with what it has measured; what failed in it is measured again. Raises NothingToGoOnWith."""
        files = sorted(folder.glob("rows-*.jsonl"))
        if not files:
            raise NothingToGoOnWith(f"no run was begun: {folder} has no rows")
        first, *lines = map(json.loads, files[-1].read_text().splitlines())
        if first["commit"] != (commit := _commit()):
            raise NothingToGoOnWith(f"{files[-1].name} is of {first['commit']}, this is {commit}: begin anew")
        table = Table(datetime.fromisoformat(first["when"]), first["machine"])
        for one in lines:
            if "through" not in one and not one.get("failed"):
                raw = {key: value for key, value in one.items() if key not in _KNOWN}
                figure = Figure(math.nan if one["value"] is None else one["value"], one["detail"], raw)
                table.add(one["webmail"], one["section"], one["name"], figure, one["unit"], one["most"])
        return cls(files[-1], table, {one["through"] for one in lines if "through" in one})

    def part(self, name: str, measure: Callable[[], object], webmail: str = OURS) -> None:
        """Measure a part of what there is, unless that was done. What goes wrong costs its row, or what the part still had to do."""
        words = name if webmail == OURS else f"{name}, {webmail}"
        if words in self.through:
            return
        failed = len(self.table.failed)
        with self.table.row(webmail, BROKEN_OFF, name):
            measure()
        if len(self.table.failed) == failed:
            self.through.add(words)
            self._store({"through": words})

    def _told(self, webmail: str, row: Row) -> None:
        figure = row.figures[webmail]
        told = f"FAILED: {figure.failed}" if figure.failed else f"{shown(figure.value, row.unit)}  ({figure.detail})"
        print(f"{webmail}: {row.section}: {row.name}: {told}", flush=True)
        words = {"webmail": webmail, "section": row.section, "name": row.name, "unit": row.unit, "most": row.most}
        self._store({**words, **as_json(figure)})

    def _store(self, line: Mapping[str, Any]) -> None:
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _commit() -> str:
    """Of this checkout; "-dirty" where it is changed."""
    told = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=_CHECKOUT, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"
