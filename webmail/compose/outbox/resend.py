"""Resend: sends a message on unchanged with Resent-* headers (RFC 5322 section 3.6.6); updates references to moved originals."""

from __future__ import annotations

import contextlib
import hashlib
import json
from datetime import UTC, datetime, timedelta

import peewee as pw

from webmail.compose import identities
from webmail.compose.drafts import drafts
from webmail.compose.outbox import queue, recipient_limits, spool
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.mail import Address, Identity, Message
from webmail.mime import builder
from webmail.models import DraftRow, Outbox, OutboxState, User, now


def send_on(
    user: User, message: Message, original: bytes, identity: Identity, to: tuple[Address, ...], settings: Settings,
    sealed_credential: bytes | None, form: str = "",
) -> Outbox:  # fmt: skip
    """Queue the message for other recipients, unchanged and under its author's name; `identity` is the one who resends it.

    `form` is an idempotency key: a second click returns the existing row and sends nothing, unless that was cancelled or failed.
    The same form with other recipients is a separate message.

    Raises identities.NotYoursError, TooManyRequestsError, BadAddressError, UnsafeValueError, StorageFullError, StorageAwayError.
    """
    identities.check(user, identity.email, settings)
    recipients = list({address.email.lower(): address.email for address in to}.values())
    message_id = builder.new_message_id(identity.email.rpartition("@")[2])
    content = builder.resent(original, identity, to, message_id=message_id, date=datetime.now(UTC))
    due = now() + timedelta(seconds=queue.undo_seconds(user, settings))
    about = [user.id, form, message.mailbox, message.uidvalidity, message.uid, identity.email, sorted(recipients)]
    once = hashlib.sha256(f"send on {json.dumps(about)}".encode()).hexdigest()[:32] if form else drafts.new_id()
    values = {
        "message_id": message_id, "subject": message.envelope.subject, "sender": identity.email,
        "recipients": json.dumps(recipients), "people": len(recipients), "due": due,
        "content": spool.stored(content, settings),
        "credential": sealed_credential, "sent_mailbox": identity.sent_mailbox, "source_mailbox": message.mailbox,
        "source_uidvalidity": message.uidvalidity, "source_uid": message.uid, "source_flag": "$Forwarded",
    }  # fmt: skip
    mine = Outbox.draft == once
    again = mine & Outbox.state.in_([OutboxState.CANCELLED, OutboxState.FAILED])
    with db.atomic():
        before = Outbox.select(Outbox.state).where(mine).first()
        if before is None or before.state in (OutboxState.CANCELLED, OutboxState.FAILED):
            recipient_limits.check(user, len(recipients), now(), settings, besides=once)
        if before is None:
            with contextlib.suppress(pw.IntegrityError), db.atomic():  # a concurrent request was first: use its row
                return Outbox.create(user=user, draft=once, **values)
        renewed = {
            "state": OutboxState.WAITING, "attempts": Outbox.attempts + 1, "handed_over": False, "lease": None, "error": "",
            "refused": "{}", "filed": False, "sent_at": None, "created": now(),
        }  # fmt: skip
        Outbox.update(**values, **renewed).where(again).execute()
    return Outbox.get(mine)


def answered_is_now(sent: Outbox, row: DraftRow, mailbox: str, uidvalidity: int, uid: int) -> None:
    """The message that a draft replies to was moved: record its new place, in the draft too in case sending is undone."""
    place = {"source_mailbox": mailbox, "source_uidvalidity": uidvalidity, "source_uid": uid}
    Outbox.update(place).where((Outbox.id == sent.id) & (Outbox.source_flag != "")).execute()
    DraftRow.update(place).where(DraftRow.id == row.id).execute()
