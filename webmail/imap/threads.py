"""Conversations: the server threads a mailbox (RFC 5256), the process remembers which UIDs belong together.

Only UIDs are remembered, as compact arrays: who wrote, what is read, what is flagged is asked for the rows that are shown.
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
from dataclasses import dataclass
from itertools import accumulate, chain

from webmail.errors import Refused, ServerAway
from webmail.imap.connection import Command, Connection, fetched

_MOST_UIDS = 2_000_000  # remembered, all people together; 4 bytes each, and 4 for each conversation
_HIGHEST: Command = (b"UID FETCH", b"*", b"(UID FLAGS)")


@dataclass(frozen=True, slots=True)
class Threads:
    """The conversations of a mailbox, the one with the newest message first; in each the UIDs ascend (order of arrival)."""

    uids: array[int]
    starts: array[int]  # where in `uids` each conversation begins, and the end of the last

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
        """The conversation that a message belongs to: itself alone where it is unknown."""
        try:
            return self[bisect_right(self.starts, self.uids.index(uid)) - 1]
        except (ValueError, OverflowError):
            return (uid,)

    def newer_than(self, newer: set[int]) -> int:
        """How many conversations have their newest message among `newer`."""
        return sum(self.uids[end - 1] in newer for end in self.starts[1:])


def algorithm(connection: Connection) -> bytes:
    """How this server threads: REFS (by References alone), REFERENCES (joins equal subjects too), b"" where it can't."""
    return next((name.encode() for name in ("REFS", "REFERENCES") if connection.has(f"THREAD={name}")), b"")


def load(connection: Connection, mailbox: str) -> Threads | None:
    """The conversations of a mailbox; None where the server does not thread it.

    1 round trip (together with the SELECT), one more when messages came or went since it was last asked. That is so exactly
    when the highest UID or the number of messages differ: with no higher UID nothing came, and what is left of the same
    messages in the same number is the same. Flags do not matter. When messages only went, the server is asked for those
    left, which is much cheaper than to thread anew. Raises NoSuchMailbox, and ServerAway where this takes too long: then it is
    not tried again for ten minutes, nor where the server broke off over it (None, and the connection is opened anew).
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
            lines = connection.run((b"UID THREAD", how, b"UTF-8", b"ALL")).get("THREAD", [])
            fresh = parsed(b"".join(line for line in lines if isinstance(line, bytes)))
    except (Refused, ValueError, OverflowError):
        return None
    except ServerAway as error:
        _give_up(key)
        if not isinstance(error.__cause__, imaplib.IMAP4.abort | ConnectionError):
            raise
        connection.reopen()  # one message with endless References takes all memory of the process that serves us
        return None
    _remember(key, state, fresh)
    return fresh


_ALL = re.compile(rb" ALL ([\d:,]+)")


def _left(connection: Connection, before: Threads, exists: int) -> Threads | None:
    """`before` without the messages that are gone (RFC 4731 tells those left as ranges); None where that does not add up."""
    answer = b" ".join(line for line in connection.run((b"UID SEARCH", b"RETURN (ALL)", b"ALL")).get("ESEARCH", []) if line)
    found = _ALL.search(answer)
    ranges = sorted(_range(item) for item in found[1].split(b",")) if found else []
    lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
    gone = {uid for uid in before.uids if not (place := bisect_right(lows, uid)) or highs[place - 1] < uid}
    if len(before.uids) - len(gone) != exists:
        return None
    groups = (before[place] for place in range(len(before)))
    left = ([uid for uid in group if uid not in gone] if not gone.isdisjoint(group) else group for group in groups)
    return _ordered(group for group in left if group)


def _range(item: bytes) -> tuple[int, int]:
    first, _, last = item.partition(b":")
    low, high = int(first), int(last or first)
    return (low, high) if low <= high else (high, low)


def conversation_of(connection: Connection, mailbox: str, uid: int) -> tuple[int, ...]:
    """The UIDs of the conversation that `uid` belongs to, in the order of arrival; itself alone where the server does not
    thread. Round trips as for `of`."""
    found = load(connection, mailbox)
    return found.with_uid(uid) if found is not None else (uid,)


_PARENTHESES = bytes.maketrans(b"()", b"  ")


def parsed(answer: bytes) -> Threads:
    """`(1)(2 3 (4)(5 6))` as conversations. Who answers whom within one is not kept, so depth costs nothing.

    Raises ValueError for what is no such list, OverflowError for what is no UID.
    """
    groups: list[list[int]] = []
    open_group: list[int] | None = None
    depth = 0  # a thread that forks is split as well: its pieces belong together until all it opened is closed
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
    return _ordered(group for group in groups if group)


def _ordered(groups: Iterable[Sequence[int]]) -> Threads:
    ascending = (group if len(group) == 1 else sorted(group) for group in groups)
    ordered = sorted(ascending, key=lambda group: group[-1], reverse=True)
    return Threads(array("I", chain.from_iterable(ordered)), array("I", accumulate(map(len, ordered), initial=0)))


_remembered: OrderedDict[tuple[object, ...], tuple[tuple[int, int], Threads]] = OrderedDict()
_lock = threading.Lock()


def _remember(key: tuple[object, ...], state: tuple[int, int], found: Threads) -> None:
    """Those unvisited for longest are forgotten when the memory is full."""
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


_PATIENCE = 600  # seconds for which a mailbox that took too long is listed by message
_too_slow: dict[tuple[object, ...], float] = {}


def _give_up(key: tuple[object, ...]) -> None:
    """The server did not answer in time: what it prepares for a large mailbox may take it minutes, the first time."""
    with _lock:
        for old in [other for other, until in _too_slow.items() if until < time.monotonic()]:
            del _too_slow[old]
        _too_slow[key] = time.monotonic() + _PATIENCE
