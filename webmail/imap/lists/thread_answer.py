"""Thread answer: the conversations in the server's answer to THREAD (RFC 5256), as arrays: a million messages are 4 MB, not 90.

What is made on the way is small too: the answer is read a piece at a time, and sorted as numbers that hold both what is sorted by
and what is sorted.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

_PIECE = 65_536  # bytes of an answer that are read at once
_PARENTHESES = bytes.maketrans(b"()", b"  ")


@dataclass(frozen=True, slots=True)
class Threads:
    """The conversations of a mailbox, sorted by their newest message, newest first; in each the messages by date of arrival."""

    uids: array[int]
    starts: array[int]  # index in `uids` where each conversation starts, and the end of the last
    arrived: array[int] = field(default_factory=lambda: array("I"))  # all UIDs by date; empty where they ascend with it

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, position: int) -> tuple[int, ...]:
        if not 0 <= position < len(self):
            raise IndexError(position)
        return tuple(self.uids[self.starts[position] : self.starts[position + 1]])

    def page(self, page: int, size: int) -> list[tuple[int, ...]]:
        """The conversations of one page; pages start at 1."""
        return [self[place] for place in range((page - 1) * size, min(page * size, len(self)))]

    def with_uid(self, uid: int) -> tuple[int, ...]:
        """The conversation of a message; the message alone if it is unknown."""
        try:
            return self[bisect_right(self.starts, self.uids.index(uid)) - 1]
        except (ValueError, OverflowError):
            return (uid,)

    def newer_than(self, newer: set[int]) -> int:
        """The number of conversations whose newest message is in `newer`."""
        return sum(self.uids[end - 1] in newer for end in self.starts[1:])

    def latest(self) -> int:
        """The message that arrived last; 0 if there is none."""
        return self.arrived[-1] if self.arrived else max(self.uids, default=0)

    def renewed(self, newer: Threads, came: Sequence[int]) -> Threads:
        """With the conversations in `newer` on top, instead of those that have one of their messages. `came` are the messages
        that were not there before, by date, all later than any other."""
        touched = set(newer.uids)
        places = {bisect_right(self.starts, at) - 1 for at, uid in enumerate(self.uids) if uid in touched}
        uids, starts = newer.uids[:], newer.starts[:]
        left = 0
        for place in (*sorted(places), len(self)):
            moved = len(uids) - self.starts[left]
            uids += self.uids[self.starts[left] : self.starts[place]]
            starts.extend(start + moved for start in self.starts[left + 1 : place + 1])
            left = place + 1
        if not self.arrived and _ascend(came):
            return Threads(uids, starts)
        return Threads(uids, starts, (self.arrived or array("I", sorted(self.uids))) + array("I", came))

    def without(self, gone: set[int]) -> Threads:
        """Without these messages."""
        groups = (self[place] for place in range(len(self)))
        left = ([uid for uid in group if uid not in gone] if not gone.isdisjoint(group) else group for group in groups)
        return _ordered((group for group in left if group), self.arrived)


def parsed(answer: bytes, by_date: Sequence[int] = ()) -> Threads:
    """Parse `(1)(2 3 (4)(5 6))` to conversations. The tree within each is not kept, so that depth costs nothing.
    `by_date` are all UIDs by date of arrival; without them the UIDs give the order.

    Raises ValueError for malformed lists, OverflowError for invalid UIDs.
    """
    text = answer.strip()
    if text and not (text.startswith(b"(") and text.endswith(b")")):
        raise ValueError("not a THREAD answer")
    return _ordered(_groups(text), array("I", () if _ascend(by_date) else by_date))


def numbers(lines: Iterable[Any]) -> array[int]:
    """The UIDs in SEARCH or SORT responses. Raises ValueError, OverflowError."""
    found = array("I")
    for line in lines:
        for piece in _cut(line or b"", b" ", 0, len(line or b"")):
            found.extend(map(int, piece.split()))
    return found


def _ascend(uids: Sequence[int]) -> bool:
    return all(before < after for before, after in pairwise(uids))


def _groups(text: bytes) -> Iterator[list[int]]:
    """The UIDs of each conversation, in the order of the answer."""
    open_group: list[int] | None = None
    depth = 0  # splitting also cuts threads that fork: their pieces belong together until all parentheses are closed
    for piece in (one for cut in _cut(text, b")(", 1, len(text) - 1) for one in cut.split(b")(")):
        if open_group is None and b"(" not in piece and b")" not in piece:
            if group := [int(word) for word in piece.split()]:
                yield group
            continue
        if open_group is None:
            open_group = []
        open_group.extend(int(word) for word in piece.translate(_PARENTHESES).split())
        depth += piece.count(b"(") - piece.count(b")")
        if depth <= 0:
            if open_group:
                yield open_group
            depth, open_group = 0, None
    if open_group:
        yield open_group


def _cut(text: bytes, mark: bytes, at: int, end: int) -> Iterator[bytes]:
    """`text[at:end]` in pieces, cut where a mark stands."""
    while at < end:
        stop = text.find(mark, min(at + _PIECE, end), end)
        stop = end if stop < 0 else stop
        yield text[at:stop]
        at = stop + len(mark)


def _ordered(groups: Iterable[Sequence[int]], arrived: array[int]) -> Threads:
    place = _places(arrived) if arrived else None
    flat, ends = array("I"), array("I", [0])
    order = array("Q")  # of each conversation: when its newest message came, and its own number
    for number, group in enumerate(groups):
        flat.extend(group if len(group) == 1 else sorted(group, key=place))
        ends.append(len(flat))
        order.append((place(flat[-1]) if place else flat[-1]) << 32 | number)
    uids, starts = array("I"), array("I", [0])
    for packed in sorted(order, reverse=True):
        number = packed & 0xFFFFFFFF
        uids += flat[ends[number] : ends[number + 1]]
        starts.append(len(uids))
    return Threads(uids, starts, arrived)


def _places(arrived: array[int]) -> Callable[[int], int]:
    """Where a message stands by date; what is not in `arrived` came since, and is newer."""
    uids, places = array("I"), array("I")
    for packed in sorted(array("Q", (uid << 32 | place for place, uid in enumerate(arrived)))):
        uids.append(packed >> 32)
        places.append(packed & 0xFFFFFFFF)

    def place(uid: int) -> int:
        at = bisect_left(uids, uid)
        return places[at] if at < len(uids) and uids[at] == uid else min(uid + len(arrived), 0xFFFFFFFF)

    return place
