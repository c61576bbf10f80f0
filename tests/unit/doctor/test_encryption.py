"""Doctor's check of encryption: a message there and back by each program, and what is said where one is absent or broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.openpgp_people import needs_sqop
from tests.support.smime_people import needs_openssl
from webmail.doctor import encryption


def results() -> list[tuple[str, str]]:
    return [(each.state, each.words) for each in encryption.examine()]


@needs_sqop
@needs_openssl
def test_both_work_here() -> None:
    assert results() == [(encryption.OK, "OpenPGP by sqop works."), (encryption.OK, "S/MIME by openssl works.")]


def test_absent_programs_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    (first, words), (second, others) = results()
    assert first == second == encryption.WARNING
    assert "apt install sqop" in words and "OpenPGP" in words and "apt install openssl" in others


@pytest.mark.parametrize("lines", ["exit 1", "exit 0", "kill -9 $$"])
def test_programs_that_do_not_work(lines: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sqop", "openssl"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{lines}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [state for state, _words in results()] == [encryption.PROBLEM] * 2
