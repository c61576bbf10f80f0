"""Threads: groups a mailbox into conversations by the server's THREAD (RFC 5256), cached in the process.

Only UIDs are cached, as compact arrays: senders and flags are fetched for the rows that are shown.
"""

from __future__ import annotations

import imaplib
import re
import threading
import time
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain, pairwise

from webmail.errors import Refused, ServerAway
from webmail.imap.connection import Command, Connection, fetched
from webmail.imap.responses import numbers_of

_MOST_UIDS = 2_000_000  # cached UIDs of everybody together; 4 bytes each (8 where messages were moved in), and 4 a conversation
_HIGHEST: Command = (b"UID FETCH", b"*", b"(UID FLAGS)")
_BY_DATE: Command = (b"UID SORT", b"(ARRIVAL)", b"UTF-8", b"ALL")


@dataclass(frozen=True, slots=True)
class Threads:
    """The conversations of a mailbox, sorted by their newest message, newest first; in each the messages by date of arrival."""

    uids: array[int]
    starts: array[int]  # index in `uids` where each conversation starts, and the end of the last
    arrived: array[int] = field(default_factory=lambda: array("I"))  # all UIDs by date; empty where they ascend with it

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, place: int) -> tuple[int, ...]:
        if not 0 <= place < len(self):
            raise IndexError(place)
        return tuple(self.uids[self.starts[place] : self.starts[place + 1]])

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


def algorithm(connection: Connection) -> bytes:
    """The server's threading algorithm: REFS (by References only), REFERENCES (also joins equal subjects), b"" for none."""
    return next((name.encode() for name in ("REFS", "REFERENCES") if connection.has(f"THREAD={name}")), b"")


def load(connection: Connection, mailbox: str) -> Threads | None:
    """The conversations of a mailbox; None if the server can't thread it.

    1 round trip (including the SELECT), one more if the cached result is stale, that is, if the highest UID or the number of
    messages changed: without a higher UID nothing arrived, and if also the number is the same, nothing was removed. Flags do
    not matter. If messages were only removed, the server is asked for the remaining UIDs, which is much cheaper than THREAD.
    Messages that were moved in, or back by an undo, have new UIDs but their old dates: SORT, sent along, tells their order.
    Raises NoSuchMailbox, and ServerAway on a timeout: then there is no retry for ten minutes, nor if the server drops the
    connection over it (returns None, and the connection is reopened).
    """
    how = algorithm(connection)
    answers = connection.select(mailbox, None, *([_HIGHEST] if how else []))
    if not how:
        return None
    state = (max(fetched(answers), default=0), connection.exists)
    account = connection.account
    key = (account.imap, account.address, mailbox, connection.uidvalidity)
    with _lock:
        if _too_slow.get(key, 0.0) > time.monotonic():
            return None
        before, found = _remembered.get(key, ((0, 0), None))
        if found is not None and before == state:
            _remembered.move_to_end(key)
            return found
    try:
        only_went = found is not None and state[0] <= before[0] and state[1] < before[1] and connection.has("ESEARCH")
        fresh = _left(connection, found, state[1]) if found is not None and only_went else None
        if fresh is None:
            told = connection.run((b"UID THREAD", how, b"UTF-8", b"ALL"), *([_BY_DATE] if connection.has("SORT") else []))
            lines = b"".join(line for line in told.get("THREAD", []) if isinstance(line, bytes))
            fresh = parsed(lines, numbers_of(told.get("SORT", [])))
    except (Refused, ValueError, OverflowError):
        return None
    except ServerAway as error:
        _give_up(key)
        if not isinstance(error.__cause__, imaplib.IMAP4.abort | ConnectionError):
            raise
        connection.reopen()  # a message with endless References exhausts the memory of the server process
        return None
    _remember(key, state, fresh)
    return fresh


_ALL = re.compile(rb" ALL ([\d:,]+)")


def _left(connection: Connection, before: Threads, exists: int) -> Threads | None:
    """`before` without the removed messages (RFC 4731 returns the remaining UIDs as ranges); None if the number is wrong."""
    answer = b" ".join(line for line in connection.run((b"UID SEARCH", b"RETURN (ALL)", b"ALL")).get("ESEARCH", []) if line)
    found = _ALL.search(answer)
    ranges = sorted(_range(item) for item in found[1].split(b",")) if found else []
    lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
    gone = {uid for uid in before.uids if not (place := bisect_right(lows, uid)) or highs[place - 1] < uid}
    if len(before.uids) - len(gone) != exists:
        return None
    groups = (before[place] for place in range(len(before)))
    left = ([uid for uid in group if uid not in gone] if not gone.isdisjoint(group) else group for group in groups)
    return _ordered((group for group in left if group), before.arrived)


def _range(item: bytes) -> tuple[int, int]:
    first, _, last = item.partition(b":")
    low, high = int(first), int(last or first)
    return (low, high) if low <= high else (high, low)


def conversation_of(connection: Connection, mailbox: str, uid: int) -> tuple[int, ...]:
    """The UIDs of the conversation of `uid`, in order of arrival; `uid` alone if the server does not thread. Round trips as
    for `load`."""
    found = load(connection, mailbox)
    return found.with_uid(uid) if found is not None else (uid,)


_PARENTHESES = bytes.maketrans(b"()", b"  ")


def parsed(answer: bytes, by_date: Sequence[int] = ()) -> Threads:
    """Parse `(1)(2 3 (4)(5 6))` to conversations. The tree within each is not kept, so that depth costs nothing.
    `by_date` are all UIDs by date of arrival; without them the UIDs give the order.

    Raises ValueError for malformed lists, OverflowError for invalid UIDs.
    """
    groups: list[list[int]] = []
    open_group: list[int] | None = None
    depth = 0  # splitting also cuts threads that fork: their pieces belong together until all parentheses are closed
    text = answer.strip()
    if text and not (text.startswith(b"(") and text.endswith(b")")):
        raise ValueError("not a THREAD answer")
    for piece in text[1:-1].split(b")(") if text else ():
        if open_group is None and b"(" not in piece and b")" not in piece:
            groups.append([int(word) for word in piece.split()])
            continue
        if open_group is None:
            groups.append(open_group := [])
        open_group.extend(int(word) for word in piece.translate(_PARENTHESES).split())
        depth += piece.count(b"(") - piece.count(b")")
        if depth <= 0:
            depth, open_group = 0, None
    ascend = all(before < after for before, after in pairwise(by_date))
    return _ordered((group for group in groups if group), array("I", () if ascend else by_date))


def _ordered(groups: Iterable[Sequence[int]], arrived: array[int]) -> Threads:
    places = {uid: place for place, uid in enumerate(arrived)}

    def place(uid: int) -> int:
        return places.get(uid, uid + len(arrived))  # what came since is the newest

    by_date = place if arrived else None
    oldest_first = (group if len(group) == 1 else sorted(group, key=by_date) for group in groups)
    ordered = sorted(oldest_first, key=lambda group: by_date(group[-1]) if by_date else group[-1], reverse=True)
    return Threads(array("I", chain.from_iterable(ordered)), array("I", accumulate(map(len, ordered), initial=0)), arrived)


_remembered: OrderedDict[tuple[object, ...], tuple[tuple[int, int], Threads]] = OrderedDict()
_lock = threading.Lock()


def _remember(key: tuple[object, ...], state: tuple[int, int], found: Threads) -> None:
    """Cache the conversations of a mailbox; evicts the least recently used."""
    with _lock:
        _remembered[key] = (state, found)
        _remembered.move_to_end(key)
        total = sum(len(threads.uids) for _, threads in _remembered.values())
        while total > _MOST_UIDS and len(_remembered) > 1:
            _, (_, oldest) = _remembered.popitem(last=False)
            total -= len(oldest.uids)


def forget_all() -> None:
    with _lock:
        _remembered.clear()
        _too_slow.clear()


_PATIENCE = 600  # seconds without threading after a timeout; the mailbox is listed by message
_too_slow: dict[tuple[object, ...], float] = {}


def _give_up(key: tuple[object, ...]) -> None:
    """Remember a timeout: the first THREAD of a large mailbox may take the server minutes."""
    with _lock:
        for old in [other for other, until in _too_slow.items() if until < time.monotonic()]:
            del _too_slow[old]
        _too_slow[key] = time.monotonic() + _PATIENCE
