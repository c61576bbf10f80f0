"""New invitations: what is done by itself with an invitation when it arrives, as the person who is invited chose."""

from __future__ import annotations

from webmail.calendar.guests import automatic_answers
from webmail.calendar.guests.automatic_rows import KnownAs
from webmail.calendar.invitations import IncomingEvents
from webmail.config.settings import Settings
from webmail.errors import MailError
from webmail.mail import Message
from webmail.message.arrivals import meeting_replies
from webmail.message.trust import SenderPlace, Trust
from webmail.models import User

METHODS = ("REQUEST", "CANCEL")


def wanting() -> list[User]:
    """Those who chose that something is done: their mail is read when it arrives."""
    return automatic_answers.wanting()


def is_wanting(user: User) -> bool:
    return automatic_answers.is_wanting(user)


def take(user: User, found: IncomingEvents, message: Message, trust: Trust, settings: Settings) -> None:
    """An invitation (REQUEST), or a cancellation, arrived, and nobody has opened it here. At least once for each: it bears being
    done twice. Nothing of what came by a list, in bulk or from a program (RFC 3834).
    With the database, in the application's context, in no transaction."""
    by_list = message.envelope.list_id or message.list.contacts or message.list.can_be_left
    if message.trace.bulk or by_list:
        return
    try:
        automatic_answers.take(user, found, meeting_replies.sender_of(message, trust), known_as(trust), settings)
    except MailError:  # no room in the outbox, an address that is no longer theirs: they answer themselves
        return


def known_as(trust: Trust) -> KnownAs | None:
    """Why the person knows who sent it."""
    if trust.place is SenderPlace.INSIDE:
        return KnownAs.COLLEAGUE
    return KnownAs.CONTACT if trust.contact else None
