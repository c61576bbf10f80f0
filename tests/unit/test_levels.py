"""How `make test` runs its levels: what passed only at its second run, which tests are quick, and which days are tried."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import peewee as pw
import pytest

from tests.support import again, clock, quick, statements

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(again, "KEPT", tmp_path)
    monkeypatch.setenv("AGAIN", "yes")
    return tmp_path


@pytest.fixture
def fails(kept: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What fails in each run of pytest, one after the other."""
    runs: list[list[str]] = []

    def pytest_run(level: str, _words: list[str]) -> int:
        names = runs.pop(0)
        file = kept / level / "v" / "cache" / "lastfailed"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(dict.fromkeys(names, True)))
        return 1 if names else 0

    monkeypatch.setattr(again, "_pytest", pytest_run)
    return runs


def test_what_passes_only_then_stands_in_one_table(fails: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    fails[:] = [["a::one", "a::two"], ["a::two"], []]
    assert again.run("unit", []) == 1 and again.run("browser", []) == 0
    assert again.main([]) == 0
    head, row = capsys.readouterr().out.splitlines()[-2:]
    assert (head, row) == ("Passed only at the second run: 1 in 1 files (at most 3 may)", "  unit  a::one")


def test_what_breaks_for_a_whole_file_is_one_fault(fails: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    """Forty tests fell with one thread that answered all of them; the table names each."""
    fails[:] = [[f"milter.py::{number}" for number in range(40)] + ["postfix.py::one"], []]
    assert again.run("integration", []) == again.main([]) == 0
    head, *rows = capsys.readouterr().out.splitlines()[1:]
    assert head == "Passed only at the second run: 41 in 2 files (at most 3 may)" and len(rows) == 41


def test_more_than_three_of_all_levels_are_too_many(fails: list[list[str]]) -> None:
    fails[:] = [["a::1", "b::1", "b::2"], [], ["a::1", "b::1"], []]  # the file of another level is another
    assert again.run("unit", []) == again.run("browser", []) == 0
    assert again.main([]) == 1
    assert again.main(["forget"]) == 0 == again.main([])


FAILS_ONCE = """
import pytest
from pathlib import Path
MARK = Path(__file__).with_name("ran")
ran, _ = MARK.exists(), MARK.touch()

def test_passes_then():
    assert ran

def test_is_skipped_then():
    pytest.skip("no server") if ran else pytest.fail()
"""


def test_what_is_skipped_then_has_not_passed(kept: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (kept / "test_once.py").write_text(FAILS_ONCE)
    assert again.run("unit", [str(kept / "test_once.py"), f"--rootdir={kept}"]) == 1
    assert "skipped, though it failed before" in capfd.readouterr().out
    told, files = again.table()
    assert (told.splitlines()[1:], files) == (["  unit  test_once.py::test_passes_then"], 1)


def test_what_does_not_run_then_has_not_passed(fails: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """A test whose name is another each time is not found by its name."""
    fails[:] = [["a[at 9:00]", "b"], ["a[at 9:00]"]]
    run = again._pytest
    monkeypatch.setattr(again, "_pytest", lambda level, words: run(level, words) * ("--last-failed" not in words))
    assert again.run("unit", []) == 1
    assert [line.split() for line in again.table()[0].splitlines()[1:]] == [["unit", "b"]]


def test_nothing_runs_again_where_that_is_not_wanted(fails: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGAIN", "")
    fails[:] = [["a"]]
    assert again.run("unit", []) == 1 and fails == []


def test_the_quickest_files_are_taken() -> None:
    assert quick.slow_files(Counter({"a": 5.0, "b": 1.0, "c": 2.0}), 3.5) == ["a"]
    assert [name for name in quick.LIST.read_text().split() if not (ROOT / name).is_file()] == []


def test_the_days_are_those_on_which_programs_err() -> None:
    days = {name: datetime.fromisoformat(day).replace(tzinfo=clock.ZONE) for name, day in clock.DAYS.items()}
    assert (days["leap-day"].month, days["leap-day"].day) == (2, 29)
    assert (days["new-years-eve"].month, days["new-years-eve"].day) == (12, 31)
    assert (days["last-of-month"] + timedelta(days=1)).day == 1
    assert days["holiday-monday"].weekday() == 0
    soon = datetime.fromtimestamp(days["clocks-forward"].timestamp() + 3600, clock.ZONE)
    assert soon.utcoffset() != days["clocks-forward"].utcoffset()
    assert days["clocks-back"].utcoffset() != days["clocks-back"].replace(fold=1).utcoffset()


def test_postgresql_hears_every_statement_once() -> None:
    asked = {
        "long": (9.0, {"a", "b"}),
        "quick": (0.1, {"a"}),
        "other": (0.2, {"a", "b"}),
        "new": (60.0, {"c"}),
        "silent": (0.1, set()),
    }
    assert statements.chosen(asked) == {"other", "new"}
    assert statements.chosen({"a": (1, {"1", "2", "3"}), "b": (1, {"1", "2", "4"}), "c": (2, {"3", "4"})}) == {"a", "b"}
    assert all((ROOT / "tests/integration" / file).is_file() for file in statements.ALWAYS)


def test_a_statement_is_its_words_and_the_kinds_of_its_values() -> None:
    like = statements.statement("SELECT a FROM t WHERE b IN (?, ?) LIMIT 5", [1, 2])
    assert like == statements.statement("SELECT a FROM t WHERE b IN (?, ?, ?) LIMIT 7", [1, 2, 30_000])
    assert like == statements.statement("SELECT a FROM t WHERE b IN (?) LIMIT 7", [1])
    for values in ([1, 2**31], [1, 2**70], [1, None], [1, "x"], [1, "\0"], [1, "x" * 300]):
        assert statements.statement("SELECT a FROM t WHERE b IN (?, ?) LIMIT 5", values) != like


def test_savepoints_are_alike(tmp_path: Path) -> None:
    """Each has a name of its own, by which every test would be the only one that says so."""
    database, heard = pw.SqliteDatabase(tmp_path / "x.sqlite"), []
    database.execute_sql = lambda sql, *_more: heard.append(sql)
    for _time in range(2):
        with database.savepoint():
            pass
    assert len(heard) == len(set(heard)) == 4
    assert len({statements.statement(sql) for sql in heard}) == 2
