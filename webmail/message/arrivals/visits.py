"""Visits: where no token opens mailboxes to the worker, replies to invitations are looked for when their organiser looks at the
calendar, with the password of that session, once the answer has gone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from webmail.account import Account
from webmail.auth.address_owners import account_of
from webmail.calendar.guests import reply_searches
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import MailError
from webmail.imap.connections.account_queue import AccountQueue
from webmail.message.arrivals import arrival_rounds, searched_mailboxes
from webmail.models import SearchedMailbox, User

PAUSE = 60.0  # seconds between two looks into one inbox, in each process
_MOST = 5_000  # people whose last look is remembered

_looked: dict[int, float] = {}


class _Visit(NamedTuple):
    """`context`: of the application."""

    settings: Settings
    context: Callable[[], AbstractContextManager[Any]]


def look_soon(user: User, account: Account, settings: Settings, context: Callable[[], AbstractContextManager[Any]]) -> None:
    """Have a thread look into the inbox, unless that was done a moment ago. Returns at once."""
    at = time.monotonic()
    if _looked.get(user.id, -PAUSE) > at - PAUSE:
        return
    if len(_looked) >= _MOST:
        _looked.clear()
    _looked[user.id] = at
    _inboxes.put(account, _Visit(settings, context))


def _look(account: Account, visit: _Visit) -> None:
    with visit.context(), db.connection_context():
        user = account_of(account.address)
        if user is None or not reply_searches.is_awaiting(user):
            return
        searched_mailboxes.note_arrival(user, arrival_rounds.INBOX)
        row = SearchedMailbox.get_or_none(SearchedMailbox.user == user, SearchedMailbox.mailbox == arrival_rounds.INBOX)
        if row is not None and row.due <= time.time() and searched_mailboxes.lease(row):
            try:
                arrival_rounds.read_mailbox(row, user, account, visit.settings)
            except MailError:
                searched_mailboxes.release(row, more=True)
                raise


_inboxes = AccountQueue[_Visit]("replies to invitations", _look)
