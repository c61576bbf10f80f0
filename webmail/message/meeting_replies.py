"""Meeting replies: what guests answer by mail is noted in their organiser's events: when the mail is opened, or when it arrives.

For the second the worker looks into the inboxes of those who sent invitations to what is not over, at what is new since it looked
last. With our tokens alone: no password is kept for it.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial

from webmail import imap, preferences
from webmail.account import Account
from webmail.calendar import answering, editing, invitations, meeting_mail
from webmail.calendar.guests import reply_searches
from webmail.calendar.invitations import IncomingEvents
from webmail.calendar.objects import UidTakenError
from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY
from webmail.errors import LimitReachedError, MailError, NoSuchMessageError
from webmail.imap.bulk import bulk_fetch
from webmail.itip.permission import MailSender
from webmail.mail import Message, Role, Structure
from webmail.message import sender_check
from webmail.message.trust import SenderPlace, Trust
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.part_kinds import PartKind, kind_of_part
from webmail.models import User

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=5)
_INBOX = "INBOX"
_MOST_AT_ONCE = 500  # new messages of one person in a round: the rest comes in the next; at first, the newest
_MOST_READ = 50  # of them that have a calendar part: whoever sends thousands delays one person's
_NOT_NOTED = (
    editing.EventChangedElsewhereError, editing.NotWritableError, UidTakenError, LimitReachedError, UnusableCalendarError,
)  # fmt: skip


def sender_of(message: Message, trust: Trust | None) -> MailSender:
    """Who wrote a message, and whether that is proven: by one address alone, and nothing speaks against it."""
    senders = message.envelope.sender
    address = senders[0].email if senders else ""
    if trust is None or len(senders) != 1:
        return MailSender(address, False)
    own = trust.place is SenderPlace.OWN
    return MailSender(address, own or (trust.genuine and not trust.is_dangerous))


def replies_in(message: Message, trust: Trust, user: User, settings: Settings) -> list[IncomingEvents]:
    """The replies of a message that change something, proven to be their guests'. No query for a message without any."""
    parts = [part for part in message.structure.attachments if kind_of_part(part) is PartKind.CALENDAR]
    texts = [message.bodies.get(part.section, "") for part in parts]
    replies = [text for text in texts if "METHOD:REPLY" in text[:2_000].upper()]
    if not replies:
        return []
    calendars, me = editing.calendars(user), meeting_mail.addresses_of(user, settings)
    found = (invitations.read(text, calendars, me, sender_of(message, trust)) for text in replies)
    return [one for one in found if one.method == "reply" and one.writes]


def note(replies: list[IncomingEvents], user: User, settings: Settings) -> int:
    """Write what guests said into the events; returns how many replies were noted."""
    count = 0
    for found in replies:
        try:
            count += answering.noted(user, found, settings)
        except _NOT_NOTED as error:
            log.warning("a reply to %s was not noted: %s", user.address, error)
    return count


# --- when they arrive ------------------------------------------------------------------------------------------------


def sweep(settings: Settings) -> int:
    """Note what arrived for everybody who waits for answers, one connection at a time; returns how many replies."""
    count = 0
    for user in reply_searches.awaiting():
        try:
            count += take_in(user, preferences.with_roles(settings.account(user.address), user), settings)
        except MailError as error:
            log.warning("replies to invitations of %s wait: %s", user.address, error)
    return count


def take_in(user: User, account: Account, settings: Settings) -> int:
    """Note what came into the inbox since the last time. 2 round trips for nothing; else 3, and those of each message that has a
    calendar part."""
    with imap.connect(account, _INBOX) as connection:
        connection.select(_INBOX)
        validity = connection.uidvalidity
        seen = reply_searches.searched(user, validity)
        new = bulk_fetch.uids_from(connection, seen) if seen else bulk_fetch.newest_uids(connection, _MOST_AT_ONCE)
        uids = new[:_MOST_AT_ONCE]
        shapes = bulk_fetch.structures(connection, _INBOX, uids, validity) if uids else {}
    with_calendar = [uid for uid in uids if _has_calendar(shapes.get(uid))]
    read = with_calendar[:_MOST_READ]
    count = sum(_note_message(uid, validity, user, account, settings) for uid in read)
    last = read[-1] if len(read) < len(with_calendar) else uids[-1] if uids else 0
    if last >= seen:
        reply_searches.note(user, validity, last + 1)
    return count


def _has_calendar(shape: Structure | None) -> bool:
    return shape is not None and any(kind_of_part(part) is PartKind.CALENDAR for part in shape.attachments)


def _note_message(uid: int, validity: int, user: User, account: Account, settings: Settings) -> int:
    look_up = sender_check.SenderLookUp(user, settings)
    whole = partial(sender_check.needs_whole, user=user, settings=settings)
    try:
        with imap.connect(account, _INBOX) as connection:
            message, _overview = imap.messages.read(
                connection, _INBOX, uid, validity, prefer_html=False, mark=False, stranger=look_up.stranger, whole=whole
            )
    except NoSuchMessageError:  # filed or deleted meanwhile: noted when it is opened
        return 0
    try:
        trust = sender_check.judge(message, user, settings, Role.INBOX, look_up=look_up)
        return note(replies_in(message, trust, user, settings), user, settings)
    except DATABASE_AWAY:
        raise
    except Exception:  # whatever somebody sent, other replies are noted; this one is when it is opened
        log.exception("message %d of %s was not searched for replies", uid, user.address)
        return 0
