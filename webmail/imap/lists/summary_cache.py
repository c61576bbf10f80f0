"""Summary cache: immutable message summaries by (account, mailbox, UIDVALIDITY, UID), bounded, with the last known flags.

So most list requests fetch only flags. In memory only: a restart starts empty.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from webmail.account import Account
from webmail.imap.connections.connection import Connection
from webmail.mail import Summary

_MOST_ROWS = 20_000  # of everybody together; about 600 bytes each


@dataclass(slots=True)
class CachedSummaries:
    """The cache of one mailbox: rows by UID, and sequence number -> UID at the last visit (may be stale)."""

    rows: dict[int, Summary] = field(default_factory=dict)
    uid_at: dict[int, int] = field(default_factory=dict)


_mailboxes: OrderedDict[tuple[object, ...], CachedSummaries] = OrderedDict()
_lock = threading.Lock()


def for_mailbox(connection: Connection) -> CachedSummaries:
    """The cache of the selected mailbox."""
    return known_of(connection.account, connection.mailbox, connection.uidvalidity)


def known_of(account: Account, mailbox: str, uidvalidity: int) -> CachedSummaries:
    """The cache of a mailbox, created if missing."""
    key = (account.imap, account.address, mailbox, uidvalidity)
    with _lock:
        entry = _mailboxes.setdefault(key, CachedSummaries())
        _mailboxes.move_to_end(key)
        return entry


def remember(entry: CachedSummaries, rows: dict[int, Summary]) -> None:
    """Add rows; evicts the least recently used mailboxes if the cache is full."""
    with _lock:
        entry.rows.update(rows)
        total = sum(len(other.rows) for other in _mailboxes.values())
        while total > _MOST_ROWS and len(_mailboxes) > 1:
            _, oldest = _mailboxes.popitem(last=False)
            total -= len(oldest.rows)
        if len(entry.rows) > _MOST_ROWS:
            entry.rows.clear()
            entry.rows.update(rows)


def forget_all() -> None:
    with _lock:
        _mailboxes.clear()
