"""Answering invitations: the event in the calendar and the message that leaves are written together, or neither."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

from webmail.calendar import editing, meeting_mail
from webmail.calendar.editing import Done, Write
from webmail.calendar.guests import automatic_rows, local_answers
from webmail.calendar.invitations import IncomingEvent, IncomingEvents
from webmail.collections import store as collections
from webmail.config.settings import Settings
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.itip import answers, distribution, people, proposals
from webmail.itip.answers import Answered
from webmail.itip.messages import ItipMessage
from webmail.itip.outcome import Effect
from webmail.itip.permission import Permission
from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import BrokenTextError
from webmail.mime.formats.calendars.event_edit import EventFields, Stamp
from webmail.mime.formats.recurrence.series import CannotChangeError, series_of
from webmail.models import Outbox, User

ACTIONS = {"accept": people.ACCEPTED, "maybe": people.TENTATIVE, "decline": people.DECLINED}
_ANSWERABLE = (Effect.NEW, Effect.CHANGED, Effect.SAME)


@dataclass(frozen=True, slots=True)
class Answering:
    """What was done: for the undo, and what waits in the outbox."""

    done: list[Done]
    sent: list[Outbox]


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that a person can answer. `text`: the event as it is once the message is taken in; `at`: the times of a
    series that it is about, none for all of it; `answer`: what they said so far."""

    text: str
    invited_as: str
    answer: str
    at: tuple[str, ...] = ()
    may_propose: bool = False


def invitation(found: IncomingEvents) -> Invitation | None:
    """What the person can answer; None where they are not invited, they organise it themselves, or nothing proves a change."""
    event = found.single
    if event is None or found.method != "request" or event.outcome.effect not in _ANSWERABLE:
        return None
    unproven = event.permission is not Permission.GRANTED
    if unproven and event.outcome.effect is not Effect.SAME:
        return None
    text = event.outcome.text or event.there
    at = event.outcome.at
    invited_as = answers.invited_as(text, found.me, at[0] if at else "")
    if not invited_as or event.incoming.organizer in found.me or not event.incoming.organizer:
        return None
    given = answers.own_answer(text, found.me, at[0] if at else "")
    one = fields_of(text, at[0] if at else "")
    return Invitation(text, invited_as, given, at, one is not None and answers.may_propose(text))


def fields_of(text: str, at: str = "") -> tuple[EventFields, Stamp] | None:
    """What an event that takes place once is like (or one of a series), and when it begins; None for a series."""
    try:
        series = series_of(text)
        if at and series.recurs:
            clock = series.named(at)
            event = series.override(clock)
        else:
            event = series.master or series.overrides[0]
        if event is None or event.lines("RRULE", "RDATE"):
            return None
        start = event_edit.stamp_of(event.first("DTSTART"), series.root)
        return (event_edit.read(event, series.root), start) if start else None
    except (CannotChangeError, BrokenTextError, ValueError):
        return None


@begun_again
def answer(
    user: User, found: IncomingEvents, invited: Invitation, given: str, comment: str, settings: Settings,
    sealed_credential: bytes | None, zone: tzinfo, *, automatic: bool = False,
) -> Answering:  # fmt: skip
    """Write the answer and queue the message. `automatic`: nobody looked at the invitation. Raises what `editing.write` and
    `written.enqueue` do, answers.NotInvitedError, CannotChangeError, BrokenTextError, ValueError."""
    text, messages = invited.text, tuple[ItipMessage, ...]()
    for at in invited.at or ("",):
        result = answers.answered(text, at, found.me, given, datetime.now(UTC), comment)
        text, messages = result.text, (*messages, *result.messages)
    answered = Answered(text, messages)
    if automatic:
        return _written(user, found, answered, settings, sealed_credential, zone, automatic=True)
    refused = given == people.DECLINED and not invited.at
    with db.atomic():
        gone = automatic_rows.answered(user, found.events[0].incoming.uid, refused=refused) and refused
        return _written(user, found, answered, settings, sealed_credential, zone, gone=gone)


@begun_again
def delegate(
    user: User, found: IncomingEvents, invited: Invitation, address: str, comment: str, settings: Settings,
    sealed_credential: bytes | None, zone: tzinfo,
) -> Answering:  # fmt: skip
    """Somebody else comes instead: queue the message to the organiser and the invitation to them. Raises as `answer`."""
    text, messages = invited.text, tuple[ItipMessage, ...]()
    for at in invited.at or ("",):
        result = answers.delegated(text, at, found.me, address, datetime.now(UTC), comment)
        text, messages = result.text, (*messages, *result.messages)
    return _written(user, found, Answered(text, messages), settings, sealed_credential, zone)


@begun_again
def propose(
    user: User, found: IncomingEvents, invited: Invitation, times: tuple[date | datetime, date | datetime], comment: str,
    settings: Settings, sealed_credential: bytes | None, zone: tzinfo,
) -> Answering:  # fmt: skip
    """Queue another time, by the event's own clock, and take the event in. Raises as `answer`."""
    at = invited.at[0] if invited.at else ""
    result = answers.proposed(invited.text, at, found.me, *times, datetime.now(UTC), comment)
    return _written(user, found, result, settings, sealed_credential, zone)


def _written(
    user: User, found: IncomingEvents, result: Answered, settings: Settings, sealed_credential: bytes | None, zone: tzinfo,
    *, rooms_optional: bool = True, automatic: bool = False, gone: bool = False,
) -> Answering:  # fmt: skip
    """`gone`: what was pencilled in, and is declined, goes from the calendar."""
    event = found.events[0]
    write = found.write(event, result.text)
    if gone and event.row is not None:
        write = Write(event.row.collection_id, event.row.href, "", event.row.etag)
    writes = [write] if write is not None else []
    state = event.row.etag if event.row is not None else ""
    colleagues = local_answers.local(result.messages, settings)
    with db.atomic():
        collections.lock({*(number for one in colleagues for number in one.calendars), *(one.calendar for one in writes)})
        done = editing.write(user, writes, settings, as_kept=True, rooms_optional=rooms_optional) if writes else []
        for one in colleagues:
            local_answers.note(one, settings)
        sent = meeting_mail.enqueue(user, result.messages, settings, sealed_credential, zone, state=state, automatic=automatic)
    return Answering(done, sent)


def decides(found: IncomingEvents) -> IncomingEvent | None:
    """The event of which the person, who organises it, decides: a guest proposes another time, or asks for the latest version."""
    event = found.single
    return event if event is not None and event.outcome.effect in (Effect.PROPOSED, Effect.WANTED) else None


def proposed_text(event: IncomingEvent) -> str:
    """The event at the time that a guest proposes; "" where it can't be."""
    if event.outcome.effect is not Effect.PROPOSED:
        return ""
    try:
        return proposals.taken(event.there, event.incoming)
    except (CannotChangeError, BrokenTextError, ValueError):
        return ""


@begun_again
def decide(
    user: User,
    found: IncomingEvents,
    agrees: bool,
    comment: str,
    settings: Settings,
    sealed_credential: bytes | None,
    zone: tzinfo,
) -> Answering:
    """Take the time that a guest proposes, which tells all, or keep the present one, which tells the guest; to a guest who asks
    for it, the latest version. Raises as `answer`, and RoomRefusedError."""
    event = decides(found)
    if event is None or event.outcome.guest is None:
        raise answers.NotInvitedError("nothing to decide")
    moment, there = datetime.now(UTC), event.there
    if event.outcome.effect is Effect.WANTED:
        messages = distribution.again(there, found.me, moment, [event.outcome.guest.address], comment=comment) if agrees else ()
        return _written(user, found, Answered(there, messages), settings, sealed_credential, zone)
    if not agrees:
        told = proposals.declined(there, event.incoming, moment, comment)
        return _written(user, found, Answered(there, told), settings, sealed_credential, zone)
    result = distribution.distributed(there, proposals.taken(there, event.incoming), found.me, moment, comment=comment)
    return _written(user, found, Answered(result.text, result.messages), settings, sealed_credential, zone, rooms_optional=False)


def own_time(event: tuple[EventFields, Stamp], start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Moments by the event's own clock."""
    _fields, stamp = event
    if stamp.tz is None:
        return start.replace(tzinfo=None), end.replace(tzinfo=None)
    return start.astimezone(stamp.tz).replace(tzinfo=None), end.astimezone(stamp.tz).replace(tzinfo=None)
