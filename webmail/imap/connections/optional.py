"""Optional questions to the mail server: what a page shows if the answer comes soon, and does without otherwise."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from webmail.account import Account
from webmail.errors import MailError, SearchNotReadyError, ServerAwayError
from webmail.imap.connections.connection import Connection
from webmail.imap.connections.pool import connect

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

PATIENCE_SECONDS = 2.0  # for each response
_PAUSE_SECONDS = 30.0  # nothing optional is asked for an account after a response that did not come

_unanswered: dict[Account, float] = {}  # until when
_lock = threading.Lock()


def optional(account: Account, mailbox: str, ask: Callable[[Connection], Answer], without: Answer) -> Answer:
    """What `ask` finds in a loan of its own, or `without` if the server refuses or is slow, at once if it was slow a moment
    ago. Round trips: those of `ask`, whose first command follows a SELECT or NOOP. Never raises MailError.

    Apart from the loan that fetched what the page needs: a question that hangs ends its connection.
    """
    if _unanswered.get(account, 0.0) > time.monotonic():
        return without
    try:
        with connect(account, mailbox, patience=PATIENCE_SECONDS) as connection:
            return ask(connection)
    except MailError as error:
        log.info("%s is shown without what was asked besides: %s", mailbox, error)
        if isinstance(error, ServerAwayError) and not isinstance(error, SearchNotReadyError):
            _pause(account)
        return without


def _pause(account: Account) -> None:
    """Leave the account alone for a while, and forget the pauses that are over."""
    at = time.monotonic()
    with _lock:
        for other in [one for one, until in _unanswered.items() if until < at]:
            del _unanswered[other]
        _unanswered[account] = at + _PAUSE_SECONDS
