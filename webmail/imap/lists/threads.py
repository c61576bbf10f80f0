"""Threads: groups a mailbox into conversations by the server's THREAD (RFC 5256), cached in the process.

Only UIDs are cached, as compact arrays: senders and flags are fetched for the rows that are shown.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from webmail.errors import RefusedError, ServerAwayError
from webmail.imap.connections.connection import Command, Connection
from webmail.imap.connections.responses import fetched
from webmail.imap.lists.thread_answer import Threads, numbers, parsed
from webmail.imap.searching.search_keys import knows_parts

log = logging.getLogger(__name__)

_MOST_UIDS = 2_000_000  # cached UIDs of everybody together; 4 bytes each (8 where messages were moved in), and 4 a conversation
_HIGHEST: Command = (b"UID FETCH", b"*", b"(UID FLAGS)")
_BY_DATE: Command = (b"UID SORT", b"(ARRIVAL)", b"UTF-8", b"ALL")


def algorithm(connection: Connection) -> bytes:
    """The server's threading algorithm: REFS (by References only), REFERENCES (also joins equal subjects), b"" for none."""
    return next((name.encode() for name in ("REFS", "REFERENCES") if connection.has(f"THREAD={name}")), b"")


def load(connection: Connection, mailbox: str) -> Threads | None:
    """The conversations of a mailbox; None if the server can't thread it.

    1 round trip (including the SELECT), one more if the cached result is stale, that is, if the highest UID or the number of
    messages changed: without a higher UID nothing arrived, and if also the number is the same, nothing was removed. Flags do
    not matter. If messages were only removed, the server is asked for the remaining UIDs, which is much cheaper than THREAD;
    if they only arrived, for the conversations that have one of them, where it can find these (one more round trip if that
    is not enough).
    Messages that were moved in, or back by an undo, have new UIDs but their old dates: SORT, sent along, tells their order.
    If that takes the server too long, or it drops the connection over it: None, the connection is reopened, and it is not tried
    again for ten minutes (`gave_up`). Raises NoSuchMailboxError.
    """
    asked = _ask_state(connection, mailbox)
    if asked is None or asked.hopeless:
        return None
    if asked.found is not None and asked.before == asked.state:
        return asked.found
    try:
        fresh = _changed(connection, asked) or _threaded(connection, asked.how)
    except (RefusedError, ValueError, OverflowError):
        return None
    except ServerAwayError as error:
        _give_up(connection, asked.key, error)
        return None
    _remember(asked.key, asked.state, fresh)
    return fresh


def conversation_of(connection: Connection, mailbox: str, uid: int) -> tuple[int, ...]:
    """The UIDs of the conversation of `uid`, in order of arrival; `uid` alone if the server does not thread.

    1 round trip (including the SELECT), one more if the cached conversations of the mailbox are stale: then the server is asked
    for this one alone, where it can find it, else round trips as for `load`. `uid` alone too if that takes the server too long
    (`gave_up`). Raises NoSuchMailboxError.
    """
    asked = _ask_state(connection, mailbox)
    if asked is None or asked.hopeless:
        return (uid,)
    if asked.found is not None and asked.before == asked.state:
        return asked.found.with_uid(uid)
    if not _finds_conversations(connection):
        found = load(connection, mailbox)
        return found.with_uid(uid) if found is not None else (uid,)
    try:
        with connection.waiting(0.5):
            told = connection.run((b"UID SORT", b"(ARRIVAL)", b"UTF-8", b"INTHREAD", asked.how, b"UID", b"%d" % uid))
    except RefusedError:
        return (uid,)
    except ServerAwayError as error:
        _give_up(connection, asked.key, error)
        return (uid,)
    return tuple(numbers(told.get("SORT", []))) or (uid,)


@dataclass(frozen=True, slots=True)
class _ThreadState:
    """A mailbox and what is remembered of it: `state` is the highest UID and the number of messages, `before` when it was
    threaded."""

    key: tuple[object, ...]
    how: bytes
    state: tuple[int, int]
    before: tuple[int, int]
    found: Threads | None
    hopeless: bool  # the server took too long a short while ago


def _ask_state(connection: Connection, mailbox: str) -> _ThreadState | None:
    """Select it: 1 round trip. None if the server does not thread."""
    how = algorithm(connection)
    answers = connection.select(mailbox, None, *([_HIGHEST] if how else []))
    if not how:
        return None
    state = (max(fetched(answers), default=0), connection.exists)
    key = _key(connection)
    hopeless = gave_up(connection)
    with _lock:
        before, found = _remembered.get(key, ((0, 0), None))
        if found is not None:
            _remembered.move_to_end(key)
    return _ThreadState(key, how, state, before, found, hopeless)


def _threaded(connection: Connection, how: bytes) -> Threads:
    """All conversations: 1 round trip."""
    told = connection.run((b"UID THREAD", how, b"UTF-8", b"ALL"), *([_BY_DATE] if connection.has("SORT") else []))
    return _parsed(told, numbers(told.pop("SORT", [])))


def _parsed(told: dict[str, list[Any]], by_date: Sequence[int] = ()) -> Threads:
    return parsed(b"".join(line for line in told.pop("THREAD", []) if isinstance(line, bytes)), by_date)


def _changed(connection: Connection, requested: _ThreadState) -> Threads | None:
    """What is remembered, brought up to date: 1 round trip; None if that is impossible."""
    if requested.found is None:
        return None
    if requested.state[0] <= requested.before[0] and requested.state[1] < requested.before[1] and connection.has("ESEARCH"):
        return _left(connection, requested.found, requested.state[1])
    if requested.state[0] > requested.before[0] and requested.found and _finds_conversations(connection):
        return _grown(connection, requested, requested.found)
    return None


def _finds_conversations(connection: Connection) -> bool:
    """Whether it is Dovecot: since 2.0 it knows the SEARCH key INTHREAD (draft-ietf-morg-inthread) without advertising it."""
    return knows_parts(connection.capabilities) and connection.has("SORT")


_MOST_NEW = 2000  # messages: if there are more, nearly everything is asked for anew


def _grown(connection: Connection, requested: _ThreadState, before: Threads) -> Threads | None:
    """`before` with what arrived since; None if something was removed too, or if not all that arrived is later than the rest
    (it was moved in)."""
    if not 0 < requested.state[1] - len(before.uids) <= _MOST_NEW:
        return None
    latest = before.latest()
    newer = (b"INTHREAD", requested.how, b"UID", b"%d:*" % (requested.before[0] + 1))
    told = connection.run(
        (b"UID THREAD", requested.how, b"UTF-8", *newer),
        (b"UID SORT", b"(ARRIVAL)", b"UTF-8", b"OR", b"UID", b"%d" % latest, *newer),
    )
    order = numbers(told.pop("SORT", []))
    came = [uid for uid in order if uid > requested.before[0]]
    if [*order[-len(came) - 1 :]] != [latest, *came] or len(before.uids) + len(came) != requested.state[1]:
        return None
    return before.renewed(_parsed(told, order), came)


_ALL = re.compile(rb" ALL ([\d:,]+)")


def _left(connection: Connection, before: Threads, exists: int) -> Threads | None:
    """`before` without the removed messages (RFC 4731 returns the remaining UIDs as ranges); None if the number is wrong."""
    answer = b" ".join(line for line in connection.run((b"UID SEARCH", b"RETURN (ALL)", b"ALL")).get("ESEARCH", []) if line)
    found = _ALL.search(answer)
    ranges = sorted(_range(item) for item in found[1].split(b",")) if found else []
    lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
    gone = {uid for uid in before.uids if not (place := bisect_right(lows, uid)) or highs[place - 1] < uid}
    return before.without(gone) if len(before.uids) - len(gone) == exists else None


def _range(item: bytes) -> tuple[int, int]:
    first, _, last = item.partition(b":")
    low, high = int(first), int(last or first)
    return (low, high) if low <= high else (high, low)


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


def gave_up(connection: Connection) -> bool:
    """Whether the server took too long over the conversations of the selected mailbox a short while ago."""
    with _lock:
        return _too_slow.get(_key(connection), 0.0) > time.monotonic()


def _key(connection: Connection) -> tuple[object, ...]:
    account = connection.account
    return (account.imap, account.address, connection.mailbox, connection.uidvalidity)


def _give_up(connection: Connection, key: tuple[object, ...], error: ServerAwayError) -> None:
    """Remember it and connect anew: the first THREAD of a large mailbox may take the server minutes, and a message with endless
    References exhausts the memory of its process. Raises ServerAwayError if the server is away altogether."""
    log.info("%s: no conversations for a while: %s", connection.mailbox, error)
    connection.reopen()
    with _lock:
        for old in [other for other, until in _too_slow.items() if until < time.monotonic()]:
            del _too_slow[old]
        _too_slow[key] = time.monotonic() + _PATIENCE
