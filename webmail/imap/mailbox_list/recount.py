"""Recount: counts all mailboxes of an account and reads its quota beside the pages, so that none waits for a large mailbox."""

from __future__ import annotations

import time

from webmail.account import Account, Server
from webmail.imap.connections.account_queue import AccountQueue, ask_apart
from webmail.imap.mailbox_list import mailboxes
from webmail.imap.mailbox_list.overviews import cached, is_count_due

_PAUSE_SECONDS = 2.0  # between two counts of an account, however much changes
_AWAY_SECONDS = 60.0  # for which a server that did not answer is not asked
_PATIENCE_SECONDS = 10.0  # to connect, and for each answer

_next: dict[tuple[Server, str], float] = {}  # mail server and address -> when it may be counted again
_away: dict[tuple[Server, str], float] = {}  # the same -> until when the server is not asked, since it did not answer


def recount_soon(account: Account) -> None:
    """Have a thread count everything over a connection of its own, unless that was done a moment ago. Returns at once."""
    if (is_count_due(account) or cached(account) is None) and _next.get((account.imap, account.address), 0.0) <= time.monotonic():
        _accounts.put(account, None)


def is_away(account: Account) -> bool:
    """Whether the server left this account without an answer a moment ago, and nobody has heard of it since."""
    until, kept = _away.get((account.imap, account.address), 0.0), cached(account)
    return until > time.monotonic() and (kept is None or kept.listed < until - _AWAY_SECONDS)


def _count(account: Account, _work: None) -> None:
    at = time.monotonic()
    for times in (_next, _away):
        for old in [one for one, until in list(times.items()) if until < at]:
            times.pop(old, None)
    _next[account.imap, account.address] = at + _PAUSE_SECONDS
    if not _counted(account):
        _next[account.imap, account.address] = _away[account.imap, account.address] = time.monotonic() + _AWAY_SECONDS


def _counted(account: Account) -> bool:
    """Count over a connection that no page waits for. Returns whether the server answered."""
    return ask_apart(account, _PATIENCE_SECONDS, mailboxes.count_all) is not None


_accounts = AccountQueue[None]("folder-counts", _count)
