"""Sent invitations: what each guest was told of a meeting, so that nothing is sent twice, and what has not left is taken back."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from webmail.auth import address_owners
from webmail.calendar.guests import guest_links, scheduling_inbox
from webmail.calendar.guests.guest_links import key_of
from webmail.compose.outbox import written
from webmail.config.settings import Settings
from webmail.errors import LimitReachedError
from webmail.itip.messages import ItipMessage
from webmail.mail import Draft
from webmail.models import Outbox, SentInvitation, User, now

KEPT = timedelta(days=400)
LARGEST_TOGETHER = 10_000_000  # characters of all messages of a change: a long text to hundreds of people, a copy for each
_PIECE = 200
REQUEST, CANCEL = "REQUEST", "CANCEL"


class TextTooLongError(LimitReachedError):
    """More than can be sent to so many guests with a copy for each."""


def post(
    owner: int, user: User, messages: Sequence[ItipMessage], batch: str, settings: Settings, sealed_credential: bytes | None,
    draft: Callable[[ItipMessage], Draft], *, again: int = 0,
) -> list[Outbox]:  # fmt: skip
    """Put what guests are told into the outbox of `user`, who acts in the calendar of `owner` (by `id`), without what they were
    told before; a cancellation takes back what has not left instead. `batch`: names the change; `draft`: makes a message's mail;
    `again`: the number of a reminder, which says what was said before.

    A text that would be too much with a copy for each guest goes to all together, without links. In the transaction that writes
    the event. Raises as `written.enqueue`, and TextTooLongError.
    """
    rows = []
    if len(messages) > 1 and sum(len(one.text) for one in messages) > LARGEST_TOGETHER:
        raise TextTooLongError("too long a text for so many guests")
    linked = sum(len(one.text) * len(one.recipients) for one in messages) <= LARGEST_TOGETHER
    hidden = len(messages) > 1 and all(len(one.recipients) == 1 for one in messages)  # a copy of each in Sent would bury the rest
    for planned in _each_person_once(messages):
        reached = _still_to_cancel(owner, planned) if planned.method == CANCEL and not planned.at else planned.recipients
        digests = {one: _digest(planned, one, again) for one in reached}
        told = set(_told(owner, list(digests.values())))
        left = tuple(one for one in reached if digests[one] not in told)
        if not left:
            continue
        filed, values = not hidden, []
        told_now = replace(planned, recipients=left)
        for message in guest_links.apart(owner, told_now, settings) if linked else [told_now]:
            row = written.enqueue(user, draft(message), secrets.token_hex(16), settings, sealed_credential, filed=filed)
            filed = False
            values += [
                {
                    "user": owner, "digest": digests[address], "uid": message.uid[:255], "method": message.method,
                    "recipient": key_of(address), "batch": batch, "outbox": row.id,
                }
                for address in message.recipients
            ]  # fmt: skip
            rows.append(row)
            if not message.link:  # those who have one have no telephone that asks here
                scheduling_inbox.deliver(message, message.recipients, row.id)
        for at in range(0, len(values), 50):
            SentInvitation.insert_many(values[at : at + 50]).execute()
    return rows


def _each_person_once(messages: Sequence[ItipMessage]) -> Iterator[ItipMessage]:
    """The messages; of an invitation, whoever is invited by several addresses of theirs gets it at the first. 2 queries, where
    somebody is invited."""
    invited = [one for one in messages if one.method == REQUEST]
    readers = address_owners.readers_of(key_of(address) for one in invited for address in one.recipients)
    seen: dict[tuple[int, tuple[str, ...]], str] = {}
    for message in messages:
        kept = []
        for address in message.recipients:
            reader = readers.get(key_of(address)) if message.method == REQUEST else None
            if reader is None or seen.setdefault((reader, message.at), address) == address:
                kept.append(address)
        if kept:
            yield replace(message, recipients=tuple(kept))


def _digest(message: ItipMessage, recipient: str, again: int) -> str:
    digest = message.digest(recipient)
    return hashlib.sha256(f"{digest} {again}".encode()).hexdigest() if again else digest


def reminder_batch(uid: str, number: int) -> str:
    return f"{hashlib.sha256(uid.encode()).hexdigest()[:20]}-r{number}"[:32]


def reminders(owner: int, uid: str) -> int:
    """How many reminders of a meeting were sent. 1 query."""
    mine = (SentInvitation.user == owner) & (SentInvitation.uid == uid[:255]) & SentInvitation.batch.contains("-r")
    return int(SentInvitation.select(SentInvitation.batch).where(mine).distinct().count())


def _told(owner: int, digests: list[str]) -> list[str]:
    """Which of these were sent before, or wait; not what was undone in the outbox, or refused. 2 queries a piece."""
    found: list[str] = []
    for at in range(0, len(digests), _PIECE):
        same = (SentInvitation.user == owner) & SentInvitation.digest.in_(digests[at : at + _PIECE])
        rows = list(SentInvitation.select(SentInvitation.id, SentInvitation.digest, SentInvitation.outbox).where(same))
        lost = written.unsent({row.outbox for row in rows})
        void = [row.id for row in rows if row.outbox in lost]
        if void:
            SentInvitation.delete().where(SentInvitation.id.in_(void)).execute()
        found += [row.digest for row in rows if row.outbox not in lost]
    return found


def _still_to_cancel(owner: int, message: ItipMessage) -> tuple[str, ...]:
    """Who has to be told of a cancellation: nobody whose every invitation still waits, which is taken back now."""
    mine = (SentInvitation.user == owner) & (SentInvitation.uid == message.uid[:255])
    by_guest: dict[str, list[SentInvitation]] = {}
    for row in SentInvitation.select().where(mine):
        by_guest.setdefault(row.recipient, []).append(row)
    lost = written.unsent({row.outbox for rows in by_guest.values() for row in rows})
    left = []
    for address in message.recipients:
        rows = [row for row in by_guest.get(key_of(address), []) if row.outbox not in lost]
        taken = [row for row in rows if written.withdraw(row.outbox, {address.lower()})]
        for row in taken:
            scheduling_inbox.withdraw(row.outbox, {row.recipient})
        if taken:
            SentInvitation.delete().where(SentInvitation.id.in_([row.id for row in taken])).execute()
        if len(taken) < len(rows) or not rows:
            left.append(address)
    return tuple(left)


def take_back(owner: int, batch: str) -> tuple[set[str], bool]:
    """Take back what a change told, as far as it has not left: whom it will not reach, and whether others were told."""
    mine = (SentInvitation.user == owner) & (SentInvitation.batch == batch)
    rows = list(SentInvitation.select().where(mine))
    lost = written.unsent({row.outbox for row in rows})
    by_message: dict[int, set[str]] = {}
    for row in rows:
        by_message.setdefault(row.outbox, set()).add(row.recipient)
    gone: set[str] = set()
    for number, recipients in by_message.items():
        unreached = recipients if number in lost else {key_of(one) for one in written.withdraw(number, recipients)}
        scheduling_inbox.withdraw(number, unreached)
        gone |= unreached
    void = [row.id for row in rows if row.recipient in gone]
    if void:
        SentInvitation.delete().where(SentInvitation.id.in_(void)).execute()
    return gone, len(void) < len(rows)


def forget_old() -> int:
    """Forget what was sent long ago; returns how much."""
    return int(SentInvitation.delete().where(SentInvitation.at < now() - KEPT).execute())
