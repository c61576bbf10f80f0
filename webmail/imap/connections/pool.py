"""Connection pool: IMAP connections kept per account, lent to one thread at a time, limited in number, closed when idle.

The key is the whole Account (address, servers, credential), so that a connection never reaches another person. One that is
out of step with its server after an error is closed, never reused.
"""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from webmail.account import Account
from webmail.errors import SearchNotReadyError, ServerAwayError
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list.mailboxes import forget_all


@dataclass
class _Pool:
    most: int = 200
    most_per_person: int = 3
    idle_seconds: float = 300
    patience: float = 8.0  # seconds to wait for a free connection, and to open one
    most_waiting: int = 4  # threads of one person that may wait that long
    idle: dict[Account, list[Connection]] = field(default_factory=lambda: defaultdict(list))
    lent: dict[Account, int] = field(default_factory=lambda: defaultdict(int))
    waiting: dict[Account, list[object]] = field(default_factory=lambda: defaultdict(list))  # FIFO
    moved: dict[Account, float] = field(default_factory=dict)  # when a connection was last lent or returned
    silent: dict[Account, tuple[float, float]] = field(default_factory=dict)  # see `connect`: until when, for whose patience
    change: threading.Condition = field(default_factory=threading.Condition)
    reaper: threading.Thread | None = None

    @property
    def open(self) -> int:
        return sum(map(len, self.idle.values())) + sum(self.lent.values())


_pool = _Pool()


def configure(*, most: int, most_per_person: int, idle_seconds: float, patience: float) -> None:
    """Set the limits for all connections of this process."""
    _pool.most, _pool.most_per_person = most, most_per_person
    _pool.idle_seconds, _pool.patience = idle_seconds, patience


@contextmanager
def connect(account: Account, mailbox: str = "", *, patience: float | None = None) -> Iterator[Connection]:
    """Borrow a connection of `account`, preferably one that has `mailbox` selected.

    No round trip for a pooled connection; a new one costs the sign-in (about 20 ms of server time). Waiting and connecting
    together time out after `patience` seconds, plus up to 2 if little is left for connecting. Raises SignInRefusedError, and
    ServerAwayError, also if all of the person's connections stay busy, at once if several threads wait for them and nothing moves
    (see `_turn`).

    `patience`: seconds to wait for a connection, and for each response, where the page can do without. Such a loan raises
    ServerAwayError at once for some seconds after the server left a loan of this account unanswered that was no less patient, so
    that a page waits once.
    """
    until, waited = _pool.silent.get(account, (0.0, 0.0))
    if patience is not None and patience <= waited and until > time.monotonic():
        raise ServerAwayError(f"{account.imap.host} port {account.imap.port} did not answer a moment ago")
    connection = _take(account, mailbox, patience)
    try:
        connection.lend(patience)
        yield connection
    except ServerAwayError as error:
        if not isinstance(error, SearchNotReadyError):  # that is an answer
            _fell_silent(account, patience)
        raise
    else:
        _pool.silent.pop(account, None)
    finally:
        _give_back(account, connection)


def close_all(account: Account | None = None) -> None:
    """Close the idle connections of one account, or of all accounts."""
    with _pool.change:
        accounts = [account] if account else list(_pool.idle)
        closing = [connection for a in accounts for connection in _pool.idle.pop(a, [])]
    for connection in closing:
        connection.close()


_LONGEST_LIFE = 600.0  # seconds: Dovecot detects newly shared folders only at the start of a connection
_LEAST_DIAL = 2.0  # minimum seconds for connecting after a long wait
_SILENCE = 5.0  # seconds for which those in a hurry do not ask a server again that left them without an answer
_STILL = 1.0  # seconds without a loan or a return after which the person's connections count as stuck


def close_all_of(address: str) -> None:
    """Close the idle connections of a person, whatever the credential, and invalidate the cached folder overview."""
    with _pool.change:
        accounts = [account for account in _pool.idle if account.address == address]
    for account in accounts:
        forget_all(account)
        close_all(account)


def _fell_silent(account: Account, patience: float | None) -> None:
    """Note it, and forget what is over."""
    at = time.monotonic()
    with _pool.change:
        for other in [one for one, (until, _waited) in _pool.silent.items() if until < at]:
            del _pool.silent[other]
        longest = max(patience or math.inf, _pool.silent.get(account, (0.0, 0.0))[1])
        _pool.silent[account] = (at + _SILENCE, longest)


def _take(account: Account, mailbox: str, patience: float | None = None) -> Connection:
    deadline = time.monotonic() + min(patience or _pool.patience, _pool.patience)
    closing: list[Connection] = []
    try:
        with _pool.change:
            connection = _wait_for_connection(account, mailbox, deadline, closing)
            _pool.lent[account] += 1
            _pool.moved[account] = time.monotonic()
            _start_reaper()
    finally:
        for old in closing:
            old.close()
    if connection:
        return connection
    try:
        return Connection(account, max(deadline - time.monotonic(), min(patience or _LEAST_DIAL, _LEAST_DIAL)))
    except BaseException as error:
        _returned(account, None)
        if isinstance(error, ServerAwayError):
            _fell_silent(account, patience)
        raise


def _wait_for_connection(account: Account, mailbox: str, deadline: float, closing: list[Connection]) -> Connection | None:
    """Wait for an idle connection, or for room to open one (None). The lock is held; connections to close go to `closing`.

    A page with many images requests them all at once: they take turns. If nothing moves for a second, all but the first few
    waiting threads fail at once, so that one person whose connections are stuck can't block all threads.
    """
    me = object()
    try:
        while True:
            if connection := _take_idle(account, mailbox, closing):
                return connection
            if _pool.lent.get(account, 0) < _pool.most_per_person:
                if _pool.open >= _pool.most and (oldest := _oldest_idle()):
                    closing.append(oldest)
                if _pool.open < _pool.most:
                    return None
            queue = _pool.waiting[account]
            if me not in queue:
                queue.append(me)
            until = deadline
            if queue.index(me) >= _pool.most_waiting:
                until = min(deadline, _pool.moved.get(account, 0.0) + _STILL)
            if (left := until - time.monotonic()) <= 0:
                raise ServerAwayError("all connections to the IMAP server are busy")
            _pool.change.wait(left)
    finally:
        if me in (queue := _pool.waiting.get(account, [])):
            queue.remove(me)
        if not queue:
            _pool.waiting.pop(account, None)


def _take_idle(account: Account, mailbox: str, closing: list[Connection]) -> Connection | None:
    """Take a live idle connection out of the pool, preferably one that has `mailbox` selected. The lock is held."""
    kept = _pool.idle.get(account, [])
    while kept:
        candidate = next((c for c in kept if c.mailbox == mailbox), kept[-1])
        kept.remove(candidate)
        if not candidate.dead:
            return candidate
        closing.append(candidate)
    return None


def _give_back(account: Account, connection: Connection) -> None:
    connection.last_used = time.monotonic()
    keep = connection.in_step and connection.opened > time.monotonic() - _LONGEST_LIFE
    _returned(account, connection if keep else None)
    if not keep:
        connection.close()


def _returned(account: Account, connection: Connection | None) -> None:
    with _pool.change:
        _pool.lent[account] -= 1
        _pool.moved[account] = time.monotonic()
        if not _pool.lent[account]:
            del _pool.lent[account], _pool.moved[account]
        if connection:
            _pool.idle[account].append(connection)
        _pool.change.notify_all()


def _oldest_idle() -> Connection | None:
    """Take the least recently used connection out of the pool. The lock is held."""
    kept = [(connection.last_used, account, connection) for account, all_ in _pool.idle.items() for connection in all_]
    if not kept:
        return None
    _, account, connection = min(kept, key=lambda entry: entry[0])
    _pool.idle[account].remove(connection)
    return connection


def _start_reaper() -> None:
    if _pool.reaper is None or not _pool.reaper.is_alive():
        _pool.reaper = threading.Thread(target=_reap, name="imap-reaper", daemon=True)
        _pool.reaper.start()


def _reap() -> None:
    """Close connections that were idle for too long; end when none are open."""
    while True:
        time.sleep(min(_pool.idle_seconds / 4, 15))
        limit = time.monotonic() - _pool.idle_seconds
        with _pool.change:
            closing = [c for kept in _pool.idle.values() for c in kept if c.last_used < limit]
            for account in list(_pool.idle):
                _pool.idle[account] = [c for c in _pool.idle[account] if c.last_used >= limit]
                if not _pool.idle[account]:
                    del _pool.idle[account]
            done = not _pool.open
            if done:
                _pool.reaper = None
        for connection in closing:
            connection.close()
        if done:
            return
