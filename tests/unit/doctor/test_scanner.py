"""Doctor's check of the malware scanner: in a sentence what is wrong with it and what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support import clamd
from webmail.config import settings as config
from webmail.doctor import scanner
from webmail.transfers.uploads import scan


def results(tmp_path: Path, where: str, configuration: str = "", **values: object) -> list[tuple[str, str]]:
    file = tmp_path / "clamd.conf"
    if configuration:
        file.write_text(configuration)
    settings = config.load(tmp_path / "instance", transfers={"clamd": where, **values})
    return [(one.state, one.words) for one in scanner.examine(settings, file)]


def test_nothing_is_said_where_none_is_set(tmp_path):
    assert results(tmp_path, "") == results(tmp_path, "/nowhere/clamd.ctl", on=False) == []


def test_one_that_is_away(tmp_path):
    [(state, words)] = results(tmp_path, "/nowhere/clamd.ctl")
    assert state == scanner.PROBLEM and "/nowhere/clamd.ctl" in words


@pytest.mark.skipif(not clamd.INSTALLED, reason="clamav-daemon is not installed")
def test_the_real_one_is_asked_for_the_harmless_test_file(tmp_path):
    with clamd.real() as where:
        [(state, words)] = results(tmp_path, where)
        assert state == scanner.OK and words.startswith("ClamAV ")


def test_one_that_finds_nothing_and_one_whose_base_is_old(tmp_path, monkeypatch):
    monkeypatch.setattr(scan, "ask", lambda where, word: "ClamAV 1.4.3")
    monkeypatch.setattr(scan, "scan", lambda *given: scan.Scan(scan.ScanVerdict.CLEAN))
    [(state, words)] = results(tmp_path, "/run/clamd")
    assert state == scanner.PROBLEM and "freshclam" in words
    monkeypatch.setattr(scan, "scan", lambda *given: scan.Scan(scan.ScanVerdict.INFECTED, "Eicar"))
    for days, expected in ((1, scanner.OK), (20, scanner.WARNING)):
        made = datetime.now(UTC) - timedelta(days=days)
        monkeypatch.setattr(scan, "ask", lambda where, word, made=made: f"ClamAV 1.4.3/27800/{made:%a %b %e %H:%M:%S %Y}")
        [(state, words)] = results(tmp_path, "/run/clamd")
        assert state == expected, words


def test_its_own_limits_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(scan, "ask", lambda where, word: "ClamAV 1.4.3")
    monkeypatch.setattr(scan, "scan", lambda *given: scan.Scan(scan.ScanVerdict.INFECTED, "Eicar"))
    given = "# StreamMaxLength 4000M\nStreamMaxLength 1024M\nMaxFileSize 0\nMaxScanSize 1048576K\nAlertExceedsMax yes\n"
    assert [state for state, _words in results(tmp_path, "/run/clamd", given)] == [scanner.OK]
    _ok, limits, silent = results(tmp_path, "/run/clamd", "StreamMaxLength 25M\n")
    assert limits[0] == silent[0] == scanner.WARNING
    assert "StreamMaxLength, MaxScanSize, MaxFileSize" in limits[1] and "AlertExceedsMax" in silent[1]
