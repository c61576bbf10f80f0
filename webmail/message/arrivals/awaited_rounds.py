"""Awaited rounds: the worker reminds people of messages that nobody has answered by the day that they chose, each once.

Before that it looks into their mailboxes once more, with one connection: what is said is true at that moment. Where the mail
server is away, it waits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import groupby

from webmail import preferences
from webmail.compose.awaited import awaited_marks, awaited_replies
from webmail.config.settings import Settings
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.errors import MailError
from webmail.message.arrivals import arrival_rounds, missed_mail, searched_mailboxes
from webmail.models import AwaitedReply, SystemMessage, User

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=1)
AGAIN = timedelta(minutes=5)  # after which is tried again what cannot be looked at now

Write = Callable[[User, Sequence[AwaitedReply]], SystemMessage | None]


def sweep(settings: Settings, write: Write) -> list[int]:
    """Remind of what is due; returns the messages to deliver (by `id`). `write` queues a message to somebody in the transaction
    of its caller; None if none can be sent now."""
    messages: list[int] = []
    for _user, several in groupby(awaited_replies.due_rows(), key=lambda row: row.user_id):
        user = next(several).user
        if _is_looked_at(user, settings):
            messages += _remind(user, write)
        else:
            awaited_replies.put_off(user, AGAIN)
    return messages


def _is_looked_at(user: User, settings: Settings) -> bool:
    """Whether all that has arrived for somebody is read, as far as can be."""
    try:
        missed_mail.look(user, settings, whole=True)
    except MailError as error:
        log.warning("%s is not reminded yet: their mail can't be looked at: %s", user.address, error)
        return False
    arrival_rounds.sweep(settings, user)
    return searched_mailboxes.is_read(user)


@begun_again
def _remind(user: User, write: Write) -> list[int]:
    """In one transaction: a worker that dies has told nothing, or all."""
    with db.atomic():
        told = awaited_replies.take_due(awaited_replies.due_rows(user))
        if not told or preferences.for_user(user).reminders != "both":
            return []
        message = write(user, told)
        return [message.id] if message else []


def settle(settings: Settings) -> None:
    """Take the keyword off messages where that went wrong before."""
    if not settings.token_key_file:
        return
    for user in awaited_marks.unsettled():
        awaited_marks.settle(user, preferences.with_roles(settings.account(user.address), user))
