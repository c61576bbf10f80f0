"""What moves large files gives way to pages, but never for long."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from webmail import pages_first
from webmail.pages_first import LONGEST, Lane, Share


@pytest.fixture(autouse=True)
def no_page(monkeypatch):
    monkeypatch.setattr(pages_first, "_pages", {})
    monkeypatch.setattr(pages_first, "_last_begun", -100.0)
    monkeypatch.setattr(pages_first, "_file", [])
    monkeypatch.setattr(pages_first, "_shared", None)


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


# --- downloads, of all processes


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch) -> Clock:
    monkeypatch.setattr(pages_first, "time", made := Clock())
    return made


def test_a_share_rests_many_times_as_long_while_pages_are_asked_for_and_all_threads_together(clock):
    share = Share(10.0)
    share.worked(0.05)
    assert clock.now == 1000.0  # nobody asks for a page
    pages_first.begun()
    pages_first.ended()
    share.worked(0.01)
    assert clock.now == pytest.approx(1000.1)
    clock.now -= 0.1  # another thread, which worked at the same time: it waits behind the first
    share.worked(0.01)
    assert clock.now == pytest.approx(1000.2)


def test_a_share_rests_no_longer_than_pages_are_asked_for(clock):
    pages_first.begun()
    pages_first.ended()
    share = Share(10.0)
    share.worked(60.0)
    assert 1001.0 <= clock.now < 1001.1
    pages_first.begun()
    pages_first.ended()
    before = clock.now
    share.worked(0.01)  # nothing is left of what was owed before
    assert clock.now == pytest.approx(before + 0.1)


_OTHER = """
import sys
from pathlib import Path
from webmail import pages_first
pages_first.share(Path(sys.argv[1]))
pages_first.begun()
"""


def test_a_page_of_another_process_counts(tmp_path, monkeypatch):
    pages_first.share(path := tmp_path / "pages.begun")
    assert not pages_first.are_asked_for() and path.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(pages_first, "_LATELY", 60.0)
    subprocess.run([sys.executable, "-c", _OTHER, str(path)], check=True, cwd=Path(__file__).parents[2])
    assert pages_first.are_asked_for()


def test_a_time_from_before_the_machine_began_anew_counts_for_nothing(tmp_path, clock):
    path = tmp_path / "pages.begun"
    path.write_bytes(pages_first._TIME.pack(10**9))
    pages_first.share(path)
    assert not pages_first.are_asked_for()
    pages_first.begun()
    assert pages_first.are_asked_for()


@pytest.mark.parametrize("kind", ["folder", "link", "nowhere"])
def test_a_file_that_cannot_be_used_leaves_what_this_process_knows(tmp_path, kind, caplog):
    path = tmp_path / "pages.begun"
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(tmp_path / "else")
    else:
        path = tmp_path / "gone" / "pages.begun"
    pages_first.share(path)
    assert not pages_first.are_asked_for()
    pages_first.begun()
    assert pages_first.are_asked_for() and "not told of pages" in caplog.text


def test_a_full_disk_ends_no_process(caplog):
    pages_first.share(Path("/dev/full"))
    pages_first.begun()
    assert pages_first.are_asked_for()
    pages_first.begun()
    [record] = caplog.records
    assert "No space left" in record.getMessage()
