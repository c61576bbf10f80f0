"""Streams of open pages: what other areas have to tell goes along, on pages without a folder too; all of it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import pytest

from webmail.mailbox import push_streams
from webmail.mailbox.push_streams import PushStream, Silence

STILL = b": still here\n\n"


def streams_open() -> int:
    return sum(map(len, push_streams._open.values()))


class Folder:
    """A folder in which this happens, turn by turn."""

    def __init__(self, *turns: bool) -> None:
        self.turns, self.closed = list(turns), False

    def changed(self, seconds: float, bell: int = -1) -> bool:
        return self.turns.pop(0)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[push_streams.StreamSlot]:
    monkeypatch.setattr(push_streams, "_PAUSE", 0.0)
    taken = push_streams.take(-1, 1)
    assert taken is not None
    yield taken
    taken.give_back()


def looks(*answers: Sequence[tuple[str, str]] | None):
    left = list(answers)
    return lambda: left.pop(0)


def test_what_came_before_it_opened_is_told_at_once(place) -> None:
    folder = Folder(False, True)
    said = PushStream(place, folder, looks([("reminders", "/due")], [], [], None)).events()
    assert list(islice(said, 4)) == [
        b"retry: 15000\n\n",
        b"event: reminders\ndata: /due\n\n",
        STILL,
        b"event: news\ndata: changed\n\n",
    ]


def test_it_is_told_in_the_silence_and_beside_news(place) -> None:
    said = PushStream(place, Folder(False, True), looks([], [("reminders", "/due")], [("reminders", "/due")], None)).events()
    reminder = b"event: reminders\ndata: /due\n\n"
    assert list(islice(said, 4)) == [b"retry: 15000\n\n", reminder, reminder, b"event: news\ndata: changed\n\n"]


def test_whoever_signed_out_is_told_nothing_more(place) -> None:
    folder = Folder(True)
    assert list(PushStream(place, folder, looks([], None)).events()) == [b"retry: 15000\n\n"]
    assert folder.closed and streams_open() == 0
    assert list(PushStream(place, Folder(), looks(None)).events()) == [b"retry: 15000\n\n"]


def test_a_page_without_a_folder_is_told_that_it_lost_its_place(place) -> None:
    said = PushStream(place, Silence(), looks([])).events()
    assert next(said) == b"retry: 15000\n\n"
    other = push_streams.take(-1, 1)
    assert other is not None
    assert list(said) == [b"event: full\ndata: full\n\n"]  # at once, not after the silence
    other.give_back()
    assert streams_open() == 0
