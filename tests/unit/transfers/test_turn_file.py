"""The order of uploads in its file: of all processes, whatever became of one of them or of the file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from webmail.config import Settings
from webmail.transfers import turn_file, turns
from webmail.transfers.turn_order import Claim, Sender, TurnKind

OTHERS = 1  # a process that is there, and is not ours


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(Settings(), jobs_file=str(tmp_path / "jobs.sqlite"))


def claim(number: int) -> Claim:
    return Claim(f"upload {number}", Sender(f"person {number}"), TurnKind.BODY, 0.0)


def enter_as(pid: int, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process takes all of its turns."""
    with monkeypatch.context() as other:
        other.setattr(turn_file.os, "getpid", lambda: pid)
        with turn_file.order(settings) as order:
            assert all(order.enter(claim(pid * 100 + number), time.monotonic()) for number in range(order.most))
    turn_file._held.clear()


@pytest.fixture(autouse=True)
def nothing_held(monkeypatch):
    monkeypatch.setattr(turn_file, "_held", set())
    monkeypatch.setattr(turn_file, "_own", {})


def test_each_process_knows_the_turns_of_the_others(settings, monkeypatch):
    enter_as(OTHERS, settings, monkeypatch)
    with turn_file.order(settings) as order:
        assert len(order.turns) == order.most and {one.pid for one in order.turns} == {OTHERS}
        assert order.is_busy(f"upload {OTHERS * 100}", 0.0)
        mine = order.enter(claim(1), time.monotonic())  # one of our own
        assert mine is not None
    assert turn_file.running() == 1
    with pytest.raises(turns.UploadBusy), turns.turn(Sender("person 1"), settings, f"upload {OTHERS * 100}"):
        pass


def test_a_process_that_is_gone_has_no_turns(settings, monkeypatch):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    enter_as(ended.pid, settings, monkeypatch)
    with turn_file.order(settings) as order:
        assert not order.turns
    enter_as(os.getpid(), settings, monkeypatch)  # another before us had our number
    with turn_file.order(settings) as order:
        assert not order.turns


def test_a_process_that_was_killed_has_no_turns_even_before_it_is_buried(settings, monkeypatch):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    enter_as(child.pid, settings, monkeypatch)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is still there
    with turn_file.order(settings) as order:
        assert order.turns == []
    child.communicate()


@pytest.mark.parametrize("text", ["[", "\0\0", "{}", '[[{"pid": 1}], [], {}]'])
def test_a_file_that_is_not_readable_is_begun_anew(settings, text):
    path = Path(settings.jobs_file).with_name("uploads.order")
    path.write_text(text)
    with turns.turn(Sender("alice"), settings, "film"), turn_file.order(settings) as order:
        assert [one.upload for one in order.turns] == ["film"]


def test_without_its_file_a_process_keeps_the_order_for_itself(settings, tmp_path):
    away = replace(settings, jobs_file=str(tmp_path / "away" / "jobs.sqlite"))
    with turns.turn(Sender("alice"), away, "film"), turn_file.order(away) as order:
        assert [one.upload for one in order.turns] == ["film"]
    with turn_file.order(away) as order:
        assert not order.turns
