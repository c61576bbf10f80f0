"""Mail replies: what guests, and people who are not invited, say by mail of what somebody organises, and where it is noted.

An answer of a guest stands in the event; their note, another time that they propose and answers of the uninvited wait on the
organiser's page. All of it only if it is proven who wrote.
"""

from __future__ import annotations

from collections.abc import Iterator

from webmail.calendar import editing
from webmail.calendar.guests import guest_replies
from webmail.calendar.guests.guest_replies import ReplyKind
from webmail.calendar.invitations import IncomingEvent, IncomingEvents
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.itip import people
from webmail.itip.outcome import Effect
from webmail.itip.people import Invitee
from webmail.mime.formats.calendars.component_tree import parsed
from webmail.models import User

METHODS = ("reply", "counter")
Saying = tuple[ReplyKind, Invitee, str, str]  # what is noted beside the event: of whom, their note, the event as they send it


def is_news(found: IncomingEvents, user: User) -> bool:
    """Whether anything of a message is not noted yet. 1 query for each event that is there."""
    if found.method not in METHODS:
        return False
    if found.method == "reply" and found.writes:
        return True
    return any(not guest_replies.is_noted(user.id, event.incoming.uid, *about) for event, about in _sayings(found))


def note(found: IncomingEvents, user: User, settings: Settings) -> bool:
    """Note it; whether it changed an event. 1 transaction. Raises as `editing.write`."""
    writes = found.writes if found.method == "reply" else []
    with db.atomic():
        if writes:
            editing.write(user, writes, settings, as_kept=True, rooms_optional=True)
        for event, (kind, guest, comment, text) in _sayings(found):
            if kind is ReplyKind.NOTE:
                guest_replies.note_comment(user.id, event.incoming.uid, guest, comment)
            elif not guest_replies.is_noted(user.id, event.incoming.uid, kind, guest, comment, text):
                guest_replies.note(user.id, event.incoming.uid, kind, guest, comment, text)
    return bool(writes)


def _sayings(found: IncomingEvents) -> Iterator[tuple[IncomingEvent, Saying]]:
    for event in found.events:
        guest, effect = event.outcome.guest, event.outcome.effect
        if guest is None or not event.is_granted or not _is_organised(event.there, found.me):
            continue
        comment = event.outcome.comment
        if effect in (Effect.ANSWERED, Effect.SAME):
            yield event, (ReplyKind.NOTE, guest, comment, "")
        elif effect is Effect.PROPOSED:
            yield event, (ReplyKind.PROPOSAL, guest, comment, event.incoming.text)
        elif effect is Effect.UNINVITED and event.incoming.method == "reply":
            yield event, (ReplyKind.UNINVITED, guest, comment, event.incoming.text)


def _is_organised(there: str, me: people.Addresses) -> bool:
    return bool(there) and any(people.organizer(event) in me for event in parsed(there).parts("VEVENT"))
