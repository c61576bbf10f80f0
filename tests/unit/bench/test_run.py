"""What becomes of a run of the benchmark when something goes wrong in it: a row is lost at most."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench import run as runs
from tests.bench.machine import Metered, processor_ms
from tests.bench.run import NothingToGoOnWith, Run
from tests.bench.table import OURS, Figure, Table

ROOT = Path(__file__).resolve().parents[3]


def _measure(table: Table, *names: str, broken: str = "") -> None:
    for name in names:
        with table.row(OURS, "Pages", name):
            if name == broken:
                raise ValueError("a busy | moment")
            table.add(OURS, "Pages", name, Figure(1.5, "of three", {"busy": 0.1, "ms": [1.0, 1.5, 2.0]}), "ms", 2)


def _lines(run: Run) -> list[dict[str, object]]:
    return [json.loads(line) for line in run.file.read_text().splitlines()]


def test_each_row_is_printed_and_stored_as_it_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.begin(tmp_path, {"processor": "2"})
    _measure(run.table, "list")
    assert "Traboule: Pages: list: 1.50 ms  (of three)" in capsys.readouterr().out
    head, row = _lines(run)
    assert head["machine"] == {"processor": "2"}
    assert row == {
        "webmail": OURS, "section": "Pages", "name": "list", "unit": "ms", "most": 2, "value": 1.5, "detail": "of three",
        "busy": 0.1, "ms": [1.0, 1.5, 2.0],
    }  # fmt: skip


def test_a_failure_costs_its_row_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.begin(tmp_path, {})
    _measure(run.table, "list", "message", "search", broken="message")
    assert [row.name for row in run.table.rows] == ["list", "message", "search"]
    [told] = run.table.failed
    assert told.startswith("Traboule, Pages, message: ValueError: a busy / moment (test_run.py:")
    assert "Pages: message: FAILED: ValueError: a busy / moment" in capsys.readouterr().out
    assert "| message | failed |  |  |  | ValueError: a busy / moment" in run.table.markdown()
    assert [line.get("failed") is not None for line in _lines(run)[1:]] == [False, True, False]
    assert run.table.missed == []


def test_a_part_that_breaks_off_leaves_the_others(tmp_path: Path) -> None:
    run = Run.begin(tmp_path, {})
    run.part("list", lambda: 1 / 0)
    run.part("message", lambda: _measure(run.table, "plain"))
    assert run.table.failed[0].startswith("Traboule, Parts that broke off, list: ZeroDivisionError")
    assert run.table.rows[-1].figures[OURS].value == 1.5


def test_a_run_goes_on_where_it_stopped_and_measures_again_what_failed(tmp_path: Path) -> None:
    first = Run.begin(tmp_path, {"processor": "2"})
    first.part("list", lambda: _measure(first.table, "inbox"))
    first.part("message", lambda: _measure(first.table, "plain", "long", broken="long"))
    again = Run.go_on(tmp_path)
    assert (again.file, again.table.when, again.table.machine) == (first.file, first.table.when, first.table.machine)
    assert [row.name for row in again.table.rows] == ["inbox", "plain"]
    measured: list[str] = []
    again.part("list", lambda: measured.append("list"))
    again.part("message", lambda: measured.append("message"))
    assert measured == ["message"]
    again.part("list", lambda: measured.append("list of Roundcube"), "Roundcube")
    assert measured == ["message", "list of Roundcube"]
    figure = Run.go_on(tmp_path).table.rows[0].figures[OURS]
    assert figure == Figure(1.5, "of three", {"busy": 0.1, "ms": [1.0, 1.5, 2.0]})


def test_a_run_of_another_commit_is_not_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NothingToGoOnWith, match="no run was begun"):
        Run.go_on(tmp_path)
    Run.begin(tmp_path, {})
    monkeypatch.setattr(runs, "_commit", lambda: "0123456")
    with pytest.raises(NothingToGoOnWith, match="this is 0123456"):
        Run.go_on(tmp_path)


def test_parts_are_chosen_by_name(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(bench, "FOLDER", tmp_path)
    monkeypatch.setattr(bench, "_measured", lambda _run, wanted: asked.append(tuple(wanted)) or 0)
    assert bench.main(["--only", "list,message"]) == 0
    assert bench.main([]) == 0
    assert asked == [("list", "message"), bench.PARTS]
    with pytest.raises(SystemExit):
        bench.main(["--only", "lists"])
    assert "no part is called lists; there are people, view, list, message" in capsys.readouterr().err


def test_make_hands_them_on() -> None:
    told = subprocess.run(
        ["make", "-n", "bench", "ONLY=list,message", "RESUME=1"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "tests.bench --only list,message --resume" in told.stdout


def test_processor_time_is_that_of_the_processes_alone() -> None:
    code = "import time\nwhile time.process_time() < 0.1: pass\nprint(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        waiting = Metered(lambda: 7.0, [child.pid])
        assert waiting() == 7.0
        assert 100 <= processor_ms([child.pid]) < 1000
        child.communicate(b"\n")
    assert waiting.spent[0] < 50
    assert processor_ms([child.pid]) == 0
