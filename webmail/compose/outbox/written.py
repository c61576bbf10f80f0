"""Messages that pages write for a person, without a draft: answers to invitations, and invitations. They leave like all others,
after the undo delay."""

from __future__ import annotations

import contextlib
import hashlib
import json
from datetime import timedelta

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


def enqueue(user: User, draft: Draft, once: str, settings: Settings, sealed_credential: bytes | None) -> Outbox:
    """Queue a message; `once`: its name (`named`). One that is waiting or sent stays as it is; one that was undone or failed is
    queued anew. It may be called within a transaction: if that fails, nothing leaves.

    Raises identities.NotYoursError, TooManyRequestsError, BadAddressError, UnsafeValueError, StorageFullError, StorageAwayError.
    """
    identities.check(user, draft.identity.email, settings)
    recipients = list({address.email.lower(): address.email for address in draft.recipients}.values())
    values = {
        "message_id": draft.message_id, "subject": draft.subject, "sender": draft.identity.email,
        "recipients": json.dumps(recipients), "people": len(recipients),
        "content": spool.built(draft, settings, prove=identities.is_theirs(user, draft.identity, settings)),
        "due": now() + timedelta(seconds=queue.undo_seconds(user, settings)),
        "credential": sealed_credential, "sent_mailbox": draft.identity.sent_mailbox,
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
            "refused": "{}", "filed": False, "sent_at": None, "created": now(),
        }  # fmt: skip
        Outbox.update(**values, **renewed).where(mine & Outbox.state.in_(_OPEN)).execute()
    return Outbox.select(*queue.LIGHT).where(mine).get()
