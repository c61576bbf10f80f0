"""Sending a message on as it is (RFC 5322 section 3.6.6), and where the message that was answered has gone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from webmail.compose import drafts, identities, limits, outbox
from webmail.config import Settings
from webmail.mail import Address, Identity, Message
from webmail.mime import build
from webmail.models import DraftRow, Outbox, User, db, now


def send_on(
    user: User, message: Message, original: bytes, identity: Identity, to: tuple[Address, ...], settings: Settings,
    sealed_credential: bytes | None,
) -> Outbox:  # fmt: skip
    """Put the message into the outbox for other people, whole, under its author's name; `identity` is who sends it on.

    Raises identities.NotYours, limits.TooManyPeople, BadAddress, UnsafeValue.
    """
    identities.check(user, identity.email, settings)
    recipients = list({address.email.lower(): address.email for address in to}.values())
    message_id = build.new_message_id(identity.email.rpartition("@")[2])
    content = build.resent(original, identity, to, message_id=message_id, date=datetime.now(UTC))
    due = now() + timedelta(seconds=outbox.undo_seconds(user, settings))
    with db.atomic():
        limits.check(user, len(recipients), now(), settings)
        return Outbox.create(
            user=user, draft=drafts.new_id(), message_id=message_id, subject=message.envelope.subject, sender=identity.email,
            recipients=json.dumps(recipients), people=len(recipients), content=content, due=due, credential=sealed_credential,
            sent_mailbox=identity.sent_mailbox, source_mailbox=message.mailbox, source_uidvalidity=message.uidvalidity,
            source_uid=message.uid, source_flag="$Forwarded",
        )  # fmt: skip


def answered_is_now(sent: Outbox, row: DraftRow, mailbox: str, uidvalidity: int, uid: int) -> None:
    """The message that a draft answers was moved: it is marked where it is now, also if the answer is stopped first."""
    place = {"source_mailbox": mailbox, "source_uidvalidity": uidvalidity, "source_uid": uid}
    Outbox.update(place).where((Outbox.id == sent.id) & (Outbox.source_flag != "")).execute()
    DraftRow.update(place).where(DraftRow.id == row.id).execute()
