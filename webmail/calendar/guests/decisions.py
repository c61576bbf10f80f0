"""Decisions of an organiser about what people say of their meeting: whether who was not invited becomes a guest, and whether the
time that a guest proposes is taken."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from webmail.calendar.editing import Write
from webmail.calendar.guests import guest_lines, guest_replies, organising, sent_invitations
from webmail.calendar.guests.guest_lines import GuestChange
from webmail.calendar.guests.guest_list import MOST_GUESTS, TooManyGuestsError, TypedGuest
from webmail.calendar.guests.guest_replies import ReplyKind
from webmail.calendar.guests.organising import Organiser, Posted, Posting
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.itip import people, proposals
from webmail.itip.incoming import IncomingItip
from webmail.itip.outcome import Effect
from webmail.itip.receiving import receive
from webmail.mail import Address
from webmail.mime.formats.calendars.component_tree import BrokenTextError, parsed
from webmail.mime.formats.recurrence.series import CannotChangeError
from webmail.models import CalendarObject, GuestReply, User


@dataclass(frozen=True, slots=True)
class ProposedTime:
    """Another time that a guest proposes; `text`: the event at that time, "" where it can't be."""

    reply: GuestReply
    start: date | datetime | None
    end: date | datetime | None
    text: str

    @property
    def who(self) -> str:
        """With their address: what they are called is what they say."""
        return str(Address(self.reply.name, self.reply.sender))


def proposed(row: CalendarObject, replies: Sequence[GuestReply], me: people.Addresses) -> list[ProposedTime]:
    """The times that guests propose for the event as it is now; what was proposed for another version is told no more."""
    found = []
    for reply in replies:
        if reply.kind != ReplyKind.PROPOSAL:
            continue
        outcome = receive(row.text, _said(reply), me)
        if outcome.effect is Effect.PROPOSED:
            found.append(ProposedTime(reply, outcome.start, outcome.end, _taken(row, reply)))
    return found


def _said(reply: GuestReply) -> IncomingItip:
    return IncomingItip("counter" if reply.kind == ReplyKind.PROPOSAL else "reply", reply.uid, reply.text)


def _taken(row: CalendarObject, reply: GuestReply) -> str:
    try:
        return proposals.taken(row.text, _said(reply))
    except (CannotChangeError, BrokenTextError, ValueError):
        return ""


def add(user: User, row: CalendarObject, organiser: Organiser, reply: GuestReply, posting: Posting) -> Posted:
    """Invite who answered without being invited, with that answer; who is undone is asked about again. Raises as
    `organising.write`, and TooManyGuestsError."""
    change = GuestChange(
        added=(TypedGuest(Address(reply.name, reply.sender)),), hidden=guest_lines.is_hidden(row.text)
    )  # fmt: skip
    said = _said(reply)
    times = [at for event in said.events if (at := event.value("RECURRENCE-ID"))]
    text = row.text
    for at in times if len(times) == len(said.events) else [""]:
        text = guest_lines.changed(text, change, organiser.address, at)
    if sum(1 for one in people.guests(parsed(text).parts("VEVENT")[0])) > MOST_GUESTS:
        raise TooManyGuestsError(MOST_GUESTS)
    text = receive(text, said, organiser.me).text or text
    return _written(user, row, text, posting)


def leave_out(reply: GuestReply) -> bool:
    return guest_replies.settle(reply)


def take(user: User, row: CalendarObject, reply: GuestReply, posting: Posting) -> Posted:
    """Move the event to the time that is proposed, which all are told. Raises as `organising.write`, and CannotChangeError."""
    text = _taken(row, reply)
    if not text:
        raise CannotChangeError("no such time")
    posted = _written(user, row, text, posting)
    if all(event.first("SEQUENCE") is None for event in _said(reply).events):
        guest_replies.settle(reply)  # nothing else says that it is of the version before
    return posted


def _written(user: User, row: CalendarObject, text: str, posting: Posting) -> Posted:
    return organising.write(user, [Write(row.collection_id, row.href, text, row.etag)], posting)


def keep(user: User, row: CalendarObject, organiser: Organiser, reply: GuestReply, posting: Posting) -> Posted:
    """Keep the present time, which the guest is told. 1 transaction. Raises as `sent_invitations.post`, and CannotChangeError."""
    found = proposals.declined(row.text, _said(reply), datetime.now(UTC), posting.note)
    messages = [replace(one, sender=organiser.acting or one.sender) for one in found]
    batch = f"{hashlib.sha256(row.uid.encode()).hexdigest()[:20]}-p{reply.id}"[:32]
    with db.atomic():
        in_turn(user)
        if not guest_replies.settle(reply):
            return Posted([])
        return Posted(
            [],
            sent_invitations.post(
                organiser.user.id, user, messages, batch, posting.settings, posting.credential(), posting.draft, again=reply.id
            ),
        )
