"""Answers of the guests, as the organiser's page tells them, and reminders to those who gave none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from webmail.calendar.guests import guest_lines, guest_replies, sent_invitations
from webmail.calendar.guests.guest_replies import ReplyKind
from webmail.calendar.guests.organising import Organiser, Posting
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.itip import distribution, people
from webmail.itip.people import Invitee
from webmail.models import CalendarObject, GuestReply, Outbox, User

_SAID = (people.ACCEPTED, people.TENTATIVE, people.DECLINED)


@dataclass(frozen=True, slots=True)
class AnswerCounts:
    """How many guests answered what; `silent`: those who did not. `number`: of the reminder that comes next."""

    accepted: int
    tentative: int
    declined: int
    silent: int
    hidden: bool
    number: int
    replies: list[GuestReply] = field(default_factory=list)

    @property
    def notes(self) -> dict[str, str]:
        """What guests wrote with their answers, by their address as it is compared."""
        return {one.sender: one.comment for one in self.replies if one.kind == ReplyKind.NOTE}

    @property
    def uninvited(self) -> list[GuestReply]:
        return [one for one in self.replies if one.kind == ReplyKind.UNINVITED]


def counted(guests: Sequence[Invitee], row: CalendarObject, organiser: Organiser) -> AnswerCounts:
    """2 queries."""
    invited = {one.key for one in guests}
    replies = [one for one in guest_replies.of_event(organiser.user.id, row.uid) if not (
        one.kind == ReplyKind.UNINVITED and one.sender in invited)]  # fmt: skip
    times = Counter(one.answer for one in guests)
    silent = sum(count for answer, count in times.items() if answer not in (*_SAID, people.DELEGATED))
    number = sent_invitations.reminders(organiser.user.id, row.uid) + 1
    accepted, tentative, declined = (times[one] for one in _SAID)
    return AnswerCounts(
        accepted, tentative, declined, silent, guest_lines.is_hidden(row.text), number, replies
    )  # fmt: skip


@begun_again
def remind(user: User, row: CalendarObject, organiser: Organiser, number: int, posting: Posting) -> list[Outbox]:
    """Send the invitation again to those who gave no answer, once for each `number`; nothing of what is over. 1 transaction.

    Raises as `organising.write`.
    """
    moment = datetime.now(UTC)
    if distribution.is_over(row.text, moment):
        return []
    silent = guest_lines.silent_guests(row.text, organiser.me)
    found = distribution.again(row.text, organiser.me, moment, silent, comment=posting.note)
    messages = [replace(one, sender=organiser.acting or one.sender) for one in found]
    with db.atomic():
        in_turn(user)
        return sent_invitations.post(
            organiser.user.id, user, messages, sent_invitations.reminder_batch(row.uid, number), posting.settings,
            posting.credential(), posting.draft, again=number,
        )  # fmt: skip
