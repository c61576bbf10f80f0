"""What moves large files gives way to pages, but never for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from webmail import pages_first
from webmail.pages_first import LONGEST, Lane


@pytest.fixture(autouse=True)
def no_page(monkeypatch):
    monkeypatch.setattr(pages_first, "_pages", {})
    monkeypatch.setattr(pages_first, "_last_begun", -100.0)


@contextmanager
def a_page() -> Iterator[threading.Event]:
    """A page that is being made in another thread, until the event is set."""
    begun, over = threading.Event(), threading.Event()

    def make() -> None:
        pages_first.begun()
        begun.set()
        over.wait(10)
        pages_first.ended()

    thread = threading.Thread(target=make)
    thread.start()
    begun.wait(10)
    try:
        yield over
    finally:
        over.set()
        thread.join()


def test_nothing_waits_where_nobody_asks_for_a_page(monkeypatch):
    monkeypatch.setattr(pages_first, "_change", None)  # not even asked
    assert pages_first.give_way() == LONGEST


def test_files_wait_for_a_page_and_for_a_bounded_time():
    with a_page():
        began = time.monotonic()
        assert pages_first.give_way() <= 0
        assert time.monotonic() - began >= LONGEST
        assert pages_first.give_way(0.0) == 0.0


def test_files_go_on_as_soon_as_the_page_is_made():
    with a_page() as over:
        threading.Timer(0.05, over.set).start()
        assert pages_first.give_way(20.0) > 0


def test_a_page_that_itself_waits_for_its_form_holds_up_nothing(monkeypatch):
    with a_page():
        clock = time.monotonic() + 1.5
        monkeypatch.setattr(pages_first, "time", SimpleNamespace(monotonic=lambda: clock))
        assert pages_first.give_way(30.0) == 30.0


def test_a_lane_has_one_at_a_time_and_others_are_patient_only_if_they_want():
    lane, order = Lane(), []

    def work(name: str, patience: float) -> None:
        with lane.turn(patience):
            order.append(name)

    with lane.turn():
        waits = threading.Thread(target=work, args=("waits", -1))
        waits.start()
        work("beside", 0.01)
        order.append("first")
    waits.join()
    assert order == ["beside", "first", "waits"]


@pytest.mark.parametrize("asked_lately", [True, False])
def test_a_lane_rests_as_long_as_it_worked_while_pages_are_asked_for(monkeypatch, asked_lately):
    clock, rests = [1000.0], []
    monkeypatch.setattr(pages_first, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=rests.append))
    if asked_lately:
        pages_first.begun()
        pages_first.ended()
    with Lane().turn():
        clock[0] += 0.03
    assert [round(one, 3) for one in rests] == ([0.03] if asked_lately else [])


def test_a_lane_is_free_again_after_what_went_wrong():
    lane = Lane()
    with pytest.raises(ValueError, match="broken"), lane.turn():
        raise ValueError("broken")
    with lane.turn(0.0):
        assert lane._free.locked()
