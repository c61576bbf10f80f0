"""Room used: how full mailboxes are, asked of the mail server by the worker, a few at a time, each once a day."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from webmail import imap
from webmail.auth import account_management
from webmail.config.settings import Settings
from webmail.errors import MailError
from webmail.models import User, now

log = logging.getLogger(__name__)

EVERY = timedelta(hours=20)
_MOST = 400  # in one round of five minutes: 10,000 mailboxes take two hours
_SECONDS = 60.0


def look(settings: Settings) -> int:
    """Ask about those not asked for the longest time; returns how many. One connection each, closed at once."""
    due = [User.active == 1, User.used_at.is_null() | (User.used_at < now() - EVERY)]
    found = account_management.listed(due, (User.used_at.is_null(False), User.used_at), _MOST)
    began = time.monotonic()
    for number, user in enumerate(found):
        if time.monotonic() > began + _SECONDS:
            return number
        account_management.note_used(user, used_by(user, settings))
    return len(found)


def used_by(user: User, settings: Settings) -> int | None:
    """Bytes; None where the mail server did not say."""
    try:
        with imap.connect(settings.account(user.address)) as connection:
            quota = imap.mailboxes.quota(connection)
    except MailError as error:
        log.info("the room used by %s can't be asked: %s", user.address, error)
        return None
    finally:
        imap.close_all_of(user.address)
    return None if quota is None else quota.used
