"""What the attacks report, and how they compare times."""

from __future__ import annotations

import random

import pytest

from tests.attacks.ground import networks
from tests.attacks.report import Finding, Report
from tests.attacks.timing import ranks_alike
from webmail.auth.sessions.sessions import network_of


def test_findings_are_numbered_through_and_failures_named():
    report = Report()
    report.add("One", Finding("a", 5000, "well", True))
    report.add("Two", Finding("b", 1, "badly", False))
    report.notes.append("a note")
    assert report.failed == ["b"]
    lines = report.markdown().splitlines()
    assert "| 1 | a | 5,000 | well | yes |" in lines and "| 2 | b | 1 | badly | **NO** |" in lines and "- a note" in lines


def test_reports_that_were_kept_become_one(tmp_path):
    files = []
    for name in ("one", "two"):
        report = Report(notes=["the same machine"])
        report.add(name, Finding(name, 5, "well", True))
        files.append(tmp_path / "kept" / f"{name}.json")
        report.keep(files[-1])
    whole = Report.kept(files)
    assert list(whole.sections) == ["one", "two"] and whole.notes == ["the same machine"]
    assert whole.sections["two"] == [Finding("two", 5, "well", True)]


def test_ranks_of_the_same_source_are_alike_and_others_not():
    chance = random.Random(3)
    one, other = ([chance.gauss(50, 5) for _ in range(200)] for _ in range(2))
    assert ranks_alike(one, other) > 0.05
    assert ranks_alike(one, [value + 3 for value in other]) < 0.001


def test_the_chance_of_ranks_is_as_published():
    """Two groups without any overlap: z = -2.31 for five and four (Mann and Whitney, 1947, without correction)."""
    assert ranks_alike([1, 2, 3, 4, 5], [6, 7, 8, 9]) == pytest.approx(0.0143, abs=0.001)


def test_networks_are_as_many_as_asked_for():
    found = networks(500)
    assert len({network_of(one) for one in found}) == 500
    assert found == networks(500)
