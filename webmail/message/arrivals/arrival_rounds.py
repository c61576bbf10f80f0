"""Arrival rounds: the worker reads what is new in mailboxes that something came into, for those whom it concerns.

With our tokens alone: no password is kept for it. One connection at a time, and so much and so long of each mailbox in a round:
who is sent thousands of invitations, or such as take long, delays themselves.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from webmail import imap, preferences
from webmail.account import Account
from webmail.compose.awaited import awaited_marks, awaited_replies, incoming_answers
from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY
from webmail.errors import (
    MailboxChangedError,
    MailError,
    NoSuchMailboxError,
    NoSuchMessageError,
    ServerAwayError,
    SignInRefusedError,
)
from webmail.imap.bulk import bulk_fetch
from webmail.imap.connections.connection import Connection
from webmail.mail import Message, Role, Structure
from webmail.message import sender_check
from webmail.message.arrivals import meeting_replies, new_invitations, searched_mailboxes
from webmail.message.trust import Trust
from webmail.mime.part_kinds import PartKind, kind_of_part
from webmail.models import SearchedMailbox, User

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=10)
INBOX = "INBOX"
_MOST_AT_ONCE = 500  # new messages of one mailbox in a round: the rest comes in the next
_FIRST = {INBOX: _MOST_AT_ONCE}  # of a mailbox that was never read, the newest
_FIRST_ELSEWHERE = 50
_MOST_READ = 50  # of them that have a calendar part
_MOST_MAILBOXES = 200  # in a round
_LONGEST_TURN = 5.0  # seconds of one mailbox in a round, and those of the message over which they pass
_NOT_OF_THE_MESSAGE = (ServerAwayError, SignInRefusedError, MailboxChangedError, NoSuchMailboxError)
_MOST_ATTEMPTS = 3  # to note a reply in an event that others change at the same moment


class _News(NamedTuple):
    """What is new in a mailbox: the messages to be read, and below which UID all is known once they are. `answered`: how many
    messages of the person's own were answered by what is new."""

    validity: int
    uids: list[int]
    following: int
    more: bool
    answered: int


def sweep(settings: Settings, person: User | None = None) -> int:
    """Read what arrived, or arrived for one person; returns how many replies were noted. Each mailbox is read by one worker,
    again where that one died."""
    count, rows = 0, searched_mailboxes.to_read()
    rows = rows if person is None else rows.where(SearchedMailbox.user == person)
    for row in list(rows.order_by(SearchedMailbox.due, SearchedMailbox.id).limit(_MOST_MAILBOXES)):
        if not searched_mailboxes.lease(row):
            continue
        user: User = row.user
        if not searched_mailboxes.is_concerned(user):
            searched_mailboxes.release(row, more=False)
            continue
        try:
            count += read_mailbox(row, user, preferences.with_roles(settings.account(user.address), user), settings)
        except NoSuchMailboxError:  # deleted or renamed meanwhile
            searched_mailboxes.release(row, more=False)
        except MailError as error:  # again when the lease is over
            log.warning("what arrived for %s in %s waits: %s", user.address, row.mailbox, error)
        except DATABASE_AWAY:
            raise
        except Exception:  # whatever is in one mailbox, others are read; this one again when the lease is over
            log.exception("what arrived for %s in %s was not read", user.address, row.mailbox)
    return count


def read_mailbox(row: SearchedMailbox, user: User, account: Account, settings: Settings) -> int:
    """Read what came into a mailbox since the last time. 3 round trips for nothing; else 4, or 5 where an answer is awaited, and
    those of each message that has a calendar part. A message is read again where the worker dies over it."""
    news = _news(row, user, account, settings)
    count, end = news.answered, time.monotonic() + _LONGEST_TURN
    if news.answered:
        awaited_marks.settle(user, account)
    for uid in news.uids:
        count += _read_message(uid, news.validity, row.mailbox, user, account, settings)
        searched_mailboxes.progress(row, news.validity, uid + 1)
        if time.monotonic() > end:  # others first
            searched_mailboxes.release(row, more=True)
            return count
    searched_mailboxes.progress(row, news.validity, news.following)
    searched_mailboxes.release(row, more=news.more)
    return count


def _news(row: SearchedMailbox, user: User, account: Account, settings: Settings) -> _News:
    with imap.connect(account, row.mailbox) as connection:
        connection.select(row.mailbox)
        state = imap.new_mail.state_of(connection, row.mailbox)
        validity = connection.uidvalidity
        seen = row.uidnext if row.uidvalidity == validity else 0
        first = _FIRST.get(row.mailbox, _FIRST_ELSEWHERE)
        new = bulk_fetch.uids_from(connection, seen) if seen else bulk_fetch.newest_uids(connection, first)
        uids = new[:_MOST_AT_ONCE]
        shapes = bulk_fetch.structures(connection, row.mailbox, uids, validity) if uids else {}
        answered = _answers(connection, row.mailbox, uids, user, settings) if uids else 0
    with_calendar = [uid for uid in uids if _has_calendar(shapes.get(uid))]
    read = with_calendar[:_MOST_READ]
    if len(read) < len(with_calendar):
        return _News(validity, read, read[-1] + 1, True, answered)
    known = max(seen, state.uidnext, uids[-1] + 1 if uids else 0)
    return _News(validity, read, uids[-1] + 1 if len(uids) < len(new) else known, len(uids) < len(new), answered)


def _answers(connection: Connection, mailbox: str, uids: list[int], user: User, settings: Settings) -> int:
    """Note which of these answer what the person sent; how many answers are not awaited any more. 1 query where none is."""
    if not awaited_replies.is_awaiting(user):
        return 0
    validity = connection.uidvalidity
    heads = bulk_fetch.answer_headers(connection, mailbox, uids, validity)
    fetch = partial(bulk_fetch.beginnings, connection, mailbox, uidvalidity=validity)
    return incoming_answers.take(user, heads, mailbox, validity, fetch, settings)


def _has_calendar(shape: Structure | None) -> bool:
    return shape is not None and any(kind_of_part(part) is PartKind.CALENDAR for part in shape.attachments)


def _read_message(uid: int, validity: int, mailbox: str, user: User, account: Account, settings: Settings) -> int:
    look_up = sender_check.SenderLookUp(user, settings)
    whole = partial(sender_check.needs_whole, user=user, settings=settings)
    try:
        with imap.connect(account, mailbox) as connection:
            message, _overview = imap.messages.read(
                connection, mailbox, uid, validity, prefer_html=False, mark=False, stranger=look_up.stranger, whole=whole
            )
        trust = sender_check.judge(message, user, settings, Role.INBOX, look_up=look_up)
        return _take_in(message, trust, user, settings)
    except NoSuchMessageError:  # filed or deleted meanwhile: noted when it is opened
        return 0
    except (*DATABASE_AWAY, *_NOT_OF_THE_MESSAGE):
        raise
    except Exception:  # whatever somebody sent, others are read; this one is when it is opened
        log.exception("message %d in %s of %s was not taken in", uid, mailbox, user.address)
        return 0


def _take_in(message: Message, trust: Trust, user: User, settings: Settings) -> int:
    count = 0
    for _attempt in range(_MOST_ATTEMPTS):
        replies = meeting_replies.replies_in(message, trust, user, settings)
        noted = meeting_replies.note(replies, user, settings)
        count += noted
        if noted == len(replies):
            break
    for method in new_invitations.METHODS if settings.token_key_file and new_invitations.is_wanting(user) else ():
        for found in meeting_replies.events_in(message, trust, user, settings, method):
            new_invitations.take(user, found, message, trust, settings)
    return count
