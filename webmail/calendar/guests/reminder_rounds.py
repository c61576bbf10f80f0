"""Reminder rounds: the worker reminds guests who have not replied two days before, once, where their organiser chose so."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

import peewee as pw

from webmail.calendar import editing
from webmail.calendar.guests import answers, guest_reminders, organising, sent_invitations
from webmail.calendar.guests.organising import Posting
from webmail.compose import identities
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.errors import BadAddressError, MailError, UnsafeValueError
from webmail.models import CalendarObject, GuestReminder, User
from webmail.rate_limits import TooManyRequestsError

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=5)
_PIECE = 200  # at a time: the rest comes in the next round
_NEVER = (identities.NotYoursError, BadAddressError, UnsafeValueError, editing.NoSuchEventError, ValueError)


def sweep(posting_of: Callable[[User], Posting], at: int | None = None) -> int:
    """Remind of all that is due `at` (now); returns how many messages wait in the outbox now. One transaction for each event."""
    moment = int(time.time()) if at is None else at
    count = 0
    numbers = guest_reminders.to_look_at(moment).order_by(GuestReminder.due).limit(_PIECE)
    for row in list(GuestReminder.select().where(GuestReminder.id.in_([one.id for one in numbers]))):
        try:
            count += _look(row, posting_of, moment)
        except (TooManyRequestsError, MailError, pw.DoesNotExist) as error:  # no room, too many people today, just deleted
            log.warning("a reminder to guests waits: %s", error)
        except _NEVER as error:
            guest_reminders.claimed(row)
            log.warning("a reminder to guests was not sent: %s", error)
    return count


def _look(row: GuestReminder, posting_of: Callable[[User], Posting], at: int) -> int:
    item: CalendarObject | None = CalendarObject.get_or_none(CalendarObject.id == row.object_id)
    if item is None:  # deleted since the row was read, which went too
        return 0
    user: User = row.user
    due = guest_reminders.due_of(item, at)
    if due > at:
        guest_reminders.put_off(row, due, item.seq)
        return 0
    if due != row.due or not user.active:  # over, or moved so near that everybody was told just now
        guest_reminders.claimed(row)
        return 0
    return _remind(row, item, user, posting_of(user))


@begun_again
def _remind(row: GuestReminder, item: CalendarObject, user: User, posting: Posting) -> int:
    """1 transaction."""
    access, seen = editing.load(user, item.collection_id, item.href)
    organiser = organising.organiser_of(user, access, posting.settings) if access.writes else None
    with db.atomic():
        in_turn(user)
        if not guest_reminders.claimed(row) or organiser is None:
            return 0
        number = sent_invitations.reminders(organiser.user.id, item.uid) + 1
        return len(answers.remind(user, seen, organiser, number, posting))
