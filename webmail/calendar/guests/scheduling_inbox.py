"""Scheduling inbox: what people of this server are told of meetings, for their telephones and programs (RFC 6638, 2.2).

The mail tells people; this tells devices, until they delete it. The newest alone are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from webmail.auth.address_owners import numbers_of
from webmail.compose.outbox import written
from webmail.itip import people
from webmail.itip.messages import ItipMessage
from webmail.models import SchedulingMessage, User, now

MOST = 100  # of one person
KEPT = timedelta(days=60)
_LARGEST = 200_000  # characters
_CHUNK = 400


def deliver(message: ItipMessage, recipients: Sequence[str], outbox: int = 0) -> None:
    """Put a message into the inboxes of those who have an account here. `outbox`: the message (by `id`) that brings it by mail
    too. In a transaction. 1 query, and 3 for each of them."""
    here = numbers_of([people.key(one) for one in recipients])
    if not here or len(message.text) > _LARGEST:
        return
    digest = hashlib.sha256(message.text.encode()).hexdigest()
    values = {"digest": digest, "uid": message.uid[:255], "method": message.method, "text": message.text, "outbox": outbox}
    numbers = sorted(here.values())
    for at in range(0, len(numbers), 50):
        rows = [{"user": number, **values} for number in numbers[at : at + 50]]
        SchedulingMessage.insert_many(rows).on_conflict_ignore().execute()
    for number in numbers:
        _bound(number)


def _bound(user: int) -> None:
    mine = SchedulingMessage.user == user
    newest: Any = SchedulingMessage.select(SchedulingMessage.id).where(mine).order_by(SchedulingMessage.id.desc())
    old = [number for (number,) in newest.offset(MOST).limit(_CHUNK).tuples()]
    if old:
        SchedulingMessage.delete().where(SchedulingMessage.id.in_(old)).execute()


def withdraw(outbox: int, keys: Collection[str]) -> None:
    """The message with this number in the outbox does not reach these people (keys of addresses) any more. 2 queries."""
    here = list(numbers_of(keys).values())
    if here:
        gone = (SchedulingMessage.outbox == outbox) & SchedulingMessage.user.in_(here)
        SchedulingMessage.delete().where(gone).execute()


def messages_for(user: User, names: Collection[str] | None = None) -> list[SchedulingMessage]:
    """The messages of somebody, the oldest first, all or those of these names; none that was undone before it left. 2 queries."""
    chosen = SchedulingMessage.select().where(SchedulingMessage.user == user)
    if names is not None:
        chosen = chosen.where(SchedulingMessage.digest.in_(list(names)[:MOST]))
    found = list(chosen.order_by(SchedulingMessage.id))
    lost = written.unsent({row.outbox for row in found if row.outbox})
    return [row for row in found if row.outbox not in lost]


def delete(user: User, name: str) -> bool:
    """Whether it was there. 1 query."""
    mine = (SchedulingMessage.user == user) & (SchedulingMessage.digest == name)
    return bool(SchedulingMessage.delete().where(mine).execute())


def forget_old() -> int:
    """Forget what no device has asked for; returns how much."""
    return int(SchedulingMessage.delete().where(SchedulingMessage.at < now() - KEPT).execute())
