"""Messages that pages write for a person, without a draft: answers to invitations, and invitations. They leave like all others,
after the undo delay."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import peewee as pw

from webmail.compose import identities
from webmail.compose.outbox import queue, recipient_limits, spool
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.mail import Draft
from webmail.models import Outbox, OutboxState, User, now

_OPEN = [OutboxState.CANCELLED, OutboxState.FAILED]


def named(user: User, about: str) -> str:
    """The name of a message in the outbox, by what it is about: the same is never sent twice."""
    return hashlib.sha256(f"written {user.id} {about}".encode()).hexdigest()[:32]


def enqueue(
    user: User, draft: Draft, once: str, settings: Settings, sealed_credential: bytes | None, *, filed: bool = True
) -> Outbox:
    """Queue a message; `once`: its name (`named`); `filed`: whether a copy goes into Sent. One that is waiting or sent stays as
    it is; one that was undone or failed is queued anew. It may be called within a transaction: if that fails, nothing leaves.

    Raises identities.NotYoursError, TooManyRequestsError, BadAddressError, UnsafeValueError, StorageFullError, StorageAwayError.
    """
    identities.check(user, draft.identity.email, settings)
    draft = identities.in_own_name(user, draft)
    recipients = list({address.email.lower(): address.email for address in draft.recipients}.values())
    values = {
        "message_id": draft.message_id, "subject": draft.subject, "sender": draft.identity.email,
        "recipients": json.dumps(recipients), "people": len(recipients),
        "content": spool.built(draft, settings, prove=identities.is_theirs(user, draft.identity, settings)),
        "due": now() + timedelta(seconds=queue.undo_seconds(user, settings)),
        "credential": sealed_credential, "sent_mailbox": draft.identity.sent_mailbox, "filed": not filed,
    }  # fmt: skip
    mine = Outbox.draft == once
    with db.atomic():
        before = Outbox.select(*queue.LIGHT).where(mine).first()
        if before is not None and before.state not in _OPEN:
            return before
        recipient_limits.check(user, len(recipients), now(), settings, besides=once)
        if before is None:
            with contextlib.suppress(pw.IntegrityError), db.atomic():  # a concurrent request was first: use its row
                return Outbox.create(user=user, draft=once, **values)
        renewed = {
            "state": OutboxState.WAITING, "attempts": Outbox.attempts + 1, "handed_over": False, "lease": None, "error": "",
            "refused": "{}", "sent_at": None, "created": now(),
        }  # fmt: skip
        Outbox.update(**values, **renewed).where(mine & Outbox.state.in_(_OPEN)).execute()
    return Outbox.select(*queue.LIGHT).where(mine).get()


def unsent(numbers: Collection[int]) -> set[int]:
    """Which of these messages (by `id`) nobody has received, nor will: they were undone, or refused. 1 query."""
    if not numbers:
        return set()
    rows: Any = Outbox.select(Outbox.id).where(Outbox.id.in_(list(numbers)), Outbox.state.in_(_OPEN))
    return {number for (number,) in rows.tuples()}


def withdraw(number: int, addresses: Collection[str]) -> set[str]:
    """Take these addresses (in lower case) out of a message (by `id`) that nobody has begun to send; those that it will not reach
    now. 2 queries."""
    waits = (Outbox.id == number) & (Outbox.state == OutboxState.WAITING) & Outbox.sent_at.is_null() & Outbox.lease.is_null()
    row = Outbox.select(*queue.LIGHT).where(waits).first()
    if row is None:
        return set()
    there = json.loads(row.recipients)
    left = [one for one in there if one.lower() not in addresses]
    values: dict[str, Any] = {"recipients": json.dumps(left), "people": len(left)}
    if not left:
        values = {"state": OutboxState.CANCELLED, "content": b"", "credential": None, "error": ""}
    same = waits & (Outbox.attempts == row.attempts) & (Outbox.recipients == row.recipients)
    return {one.lower() for one in there if one not in left} if Outbox.update(**values).where(same).execute() else set()
