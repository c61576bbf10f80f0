"""The pool: connections kept per account, lent to one thread at a time, bounded in number, closed when idle.

A connection is keyed by the whole Account (address, servers, credential), so it never reaches another person. One that
is out of step with its server after an error is closed, never lent again.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from webmail.account import Account
from webmail.imap.connection import Connection
from webmail.mail import ServerAway


@dataclass
class _Pool:
    most: int = 200
    most_per_person: int = 3
    idle_seconds: float = 300
    patience: float = 8.0  # seconds to wait for a connection to come free
    idle: dict[Account, list[Connection]] = field(default_factory=lambda: defaultdict(list))
    lent: dict[Account, int] = field(default_factory=lambda: defaultdict(int))
    change: threading.Condition = field(default_factory=threading.Condition)
    reaper: threading.Thread | None = None

    @property
    def open(self) -> int:
        return sum(map(len, self.idle.values())) + sum(self.lent.values())


_pool = _Pool()


def configure(*, most: int, most_per_person: int, idle_seconds: float, patience: float) -> None:
    """Set the bounds, for all connections of this process."""
    _pool.most, _pool.most_per_person = most, most_per_person
    _pool.idle_seconds, _pool.patience = idle_seconds, patience


@contextmanager
def connect(account: Account, mailbox: str = "") -> Iterator[Connection]:
    """Borrow a connection of `account`, preferably one that has `mailbox` selected.

    No round trip for a kept connection; a new one costs the sign-in (about 20 ms of the server's time). Raises
    ServerAway (also when all of the person's connections stay busy) and SignInRefused.
    """
    connection = _take(account, mailbox)
    connection.lend()
    try:
        yield connection
    finally:
        _give_back(account, connection)


def close_all(account: Account | None = None) -> None:
    """Close the idle connections of one account, or of everybody."""
    with _pool.change:
        accounts = [account] if account else list(_pool.idle)
        closing = [connection for a in accounts for connection in _pool.idle.pop(a, [])]
    for connection in closing:
        connection.close()


def _take(account: Account, mailbox: str) -> Connection:
    deadline = time.monotonic() + _pool.patience
    closing: list[Connection] = []
    connection: Connection | None = None
    with _pool.change:
        while True:
            kept = _pool.idle.get(account)
            if kept:
                candidate = next((c for c in kept if c.mailbox == mailbox), kept[-1])
                kept.remove(candidate)
                if candidate.dead:
                    closing.append(candidate)
                    continue
                connection = candidate
                break
            if _pool.lent[account] < _pool.most_per_person:
                if _pool.open >= _pool.most and (oldest := _oldest_idle()):
                    closing.append(oldest)
                if _pool.open < _pool.most:
                    break
            if not _pool.change.wait(max(deadline - time.monotonic(), 0)):
                raise ServerAway("all connections to the IMAP server are busy")
        _pool.lent[account] += 1
        _start_reaper()
    for old in closing:
        old.close()
    if connection:
        return connection
    try:
        return Connection(account)
    except BaseException:
        _returned(account, None)
        raise


def _give_back(account: Account, connection: Connection) -> None:
    connection.last_used = time.monotonic()
    keep = connection.in_step
    _returned(account, connection if keep else None)
    if not keep:
        connection.close()


def _returned(account: Account, connection: Connection | None) -> None:
    with _pool.change:
        _pool.lent[account] -= 1
        if not _pool.lent[account]:
            del _pool.lent[account]
        if connection:
            _pool.idle[account].append(connection)
        _pool.change.notify_all()


def _oldest_idle() -> Connection | None:
    """Take the connection that was unused for longest out of the pool. The lock is held."""
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
    """Close what was idle for too long; end when nothing is left to watch."""
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
