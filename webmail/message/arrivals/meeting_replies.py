"""Meeting replies: what guests answer by mail is noted in their organiser's events, when it arrives or when it is opened."""

from __future__ import annotations

import logging

from webmail.calendar import editing, invitations, meeting_mail
from webmail.calendar.guests import mail_replies
from webmail.calendar.invitations import IncomingEvents
from webmail.calendar.objects import UidTakenError
from webmail.config.settings import Settings
from webmail.errors import LimitReachedError
from webmail.itip.permission import MailSender
from webmail.mail import Message
from webmail.message.trust import SenderPlace, Trust
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.part_kinds import PartKind, kind_of_part
from webmail.models import User

log = logging.getLogger(__name__)

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


def events_in(message: Message, trust: Trust, user: User, settings: Settings, method: str) -> list[IncomingEvents]:
    """What the parts of this method in a message come to beside the person's calendars. No query for a message without any."""
    parts = [part for part in message.structure.attachments if kind_of_part(part) is PartKind.CALENDAR]
    texts = [(message.bodies.get(part.section, ""), part.method) for part in parts]
    wanted = [(text, said) for text, said in texts if said == method.lower() or f"METHOD:{method}" in text[:2_000].upper()]
    if not wanted:
        return []
    calendars, me = editing.calendars(user), meeting_mail.addresses_of(user, settings)
    found = (invitations.read(text, calendars, me, sender_of(message, trust), said) for text, said in wanted)
    return [one for one in found if one.method == method.lower()]


def replies_in(message: Message, trust: Trust, user: User, settings: Settings) -> list[IncomingEvents]:
    """The replies of a message that say something new, proven to be of whom they name. No query for a message without any."""
    found = (one for method in ("REPLY", "COUNTER") for one in events_in(message, trust, user, settings, method))
    return [one for one in found if mail_replies.is_news(one, user)]


def note(replies: list[IncomingEvents], user: User, settings: Settings) -> int:
    """Write what people said into the events, and beside them; returns how many events changed."""
    count = 0
    for found in replies:
        try:
            count += mail_replies.note(found, user, settings)
        except _NOT_NOTED as error:
            log.warning("a reply to %s was not noted: %s", user.address, error)
    return count
