"""Recount: counts all mailboxes of an account and reads its quota beside the pages, so that none waits for a large mailbox."""

from __future__ import annotations

import logging
import threading
import time

from webmail.account import Account
from webmail.errors import MailError
from webmail.imap import mailboxes
from webmail.imap.connection import Connection
from webmail.imap.overviews import is_count_due

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 2.0  # between two counts of an account, however much changes
_AWAY_SECONDS = 60.0  # for which a server that did not answer is not asked
_PATIENCE_SECONDS = 10.0  # to connect, and for each answer
_MOST_WAITING = 50  # accounts; who finds no place is counted at a later page

_waiting: dict[Account, None] = {}  # in this order
_next: dict[Account, float] = {}  # when each may be counted again
_lock = threading.Lock()
_worker: threading.Thread | None = None


def recount_soon(account: Account) -> None:
    """Have a thread count everything over a connection of its own, unless that was done a moment ago. Returns at once."""
    global _worker
    if not is_count_due(account):
        return
    with _lock:
        full = account not in _waiting and len(_waiting) >= _MOST_WAITING
        if full or _next.get(account, 0.0) > time.monotonic():
            return
        _waiting[account] = None
        if _worker is None or not _worker.is_alive():
            _worker = threading.Thread(target=_work, name="folder-counts", daemon=True)
            _worker.start()


def _work() -> None:
    """Count for one account after the other, and end when none is waiting."""
    global _worker
    while True:
        with _lock:
            if not _waiting:
                _worker = None
                return
            account = next(iter(_waiting))
            del _waiting[account]
            at = time.monotonic()
            for old in [one for one, until in _next.items() if until < at]:
                del _next[old]
            _next[account] = at + _PAUSE_SECONDS
        if not _counted(account):
            with _lock:
                _next[account] = time.monotonic() + _AWAY_SECONDS


def _counted(account: Account) -> bool:
    """Count over a connection that no page waits for. Returns whether the server answered."""
    try:
        connection = Connection(account, _PATIENCE_SECONDS)
    except MailError as error:
        log.info("folders are not counted: %s", error)
        return False
    try:
        connection.lend(_PATIENCE_SECONDS)
        mailboxes.count_all(connection)
    except MailError as error:
        log.info("folders are not counted: %s", error)
        return False
    finally:
        connection.close()
    return True
