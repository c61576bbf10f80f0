"""Confirmations of reading (RFC 8098): whether one is asked for, and the answer as a message. None leaves unasked.

Reading programs that send them by themselves tell spammers that an address lives, and colleagues when somebody reads mail.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

import peewee as pw

from webmail.database.connection import db
from webmail.errors import BadAddress, UnsafeValue
from webmail.mail import Address, Draft, Identity, Message, Role
from webmail.message import sender_check
from webmail.mime import builder
from webmail.models import Outbox, User, now

FLAG = "$MDNSent"  # RFC 3503: set when one answered, whatever the answer
UNSENDABLE = (BadAddress, UnsafeValue)  # what `answer` and `enqueue` raise for addresses that mail can't be sent to


@dataclass(frozen=True, slots=True)
class ReceiptRequest:
    """A confirmation that is asked for. `elsewhere`: it would go to another address than the message came from."""

    to: tuple[Address, ...]
    elsewhere: bool


def asked(message: Message, user: User, wanted: str, role: Role | None) -> ReceiptRequest | None:
    """What to ask the reader, or None. `wanted` is the preference: "ask", "inside" (only for one's own people), "never".

    Never for one's own mail, for lists and machines' mail, where it was answered before, or where the answer can't be kept.
    """
    trace, sender = message.trace, message.envelope.sender
    to = tuple(address for address in trace.receipt_to if "@" in address.email)[:5]
    if not to or not sender or wanted == "never" or FLAG in message.flags or role in (Role.SENT, Role.DRAFTS, Role.JUNK):
        return None
    if trace.bulk or message.envelope.list_id or message.envelope.list_post or "\\Draft" in message.flags:
        return None
    if wanted == "inside" and not all(sender_check.is_inside(user, address.email) for address in (*to, sender[0])):
        return None
    if all(address.email.lower() == user.address.lower() for address in to):
        return None
    came_from = {sender[0].email.lower(), trace.return_path.lower()} - {""}
    return ReceiptRequest(to, any(came_from != {address.email.lower()} for address in to))


def answer(message: Message, request: ReceiptRequest, reader: Identity, subject: str, text: str) -> bytes:
    """The notification (RFC 8098 section 3): words for people, then fields for programs. Raises BadAddress, UnsafeValue."""
    draft = Draft(
        reader, to=request.to, subject=subject, text=text, message_id=builder.new_message_id(reader.email.rpartition("@")[2]),
        in_reply_to=message.envelope.message_id, references=(message.envelope.message_id,) if message.envelope.message_id else (),
    )  # fmt: skip
    whole = builder.build(draft, date=datetime.now(UTC))
    mark = b"\r\nMIME-Version: 1.0\r\n"
    head, _mark, words = whole.partition(mark)
    boundary = f"=_{secrets.token_hex(16)}"
    fields = [
        f"Reporting-UA: {reader.email.rpartition('@')[2]}; Traboule",
        *([f"Original-Recipient: {original}"] if (original := _one_word(message.trace.original_recipient)) else []),
        f"Final-Recipient: rfc822;{builder.ascii_address(reader.email)}",
        *([f"Original-Message-ID: {known}"] if (known := _one_word(message.envelope.message_id)) else []),
        "Disposition: manual-action/MDN-sent-manually; displayed",
    ]
    lines = [
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=disposition-notification;\r\n boundary="{boundary}"',
        "",
        f"--{boundary}",
        words.decode("ascii"),
        f"--{boundary}",
        "Content-Type: message/disposition-notification",
        "",
        *fields,
        "",
        f"--{boundary}--",
        "",
    ]
    return head + b"\r\n" + "\r\n".join(lines).encode("ascii")


def enqueue(user: User, message: Message, request: ReceiptRequest, content: bytes, sealed_credential: bytes | None) -> Outbox:
    """Put the answer into the outbox, due at once, under the null sender (RFC 8098 section 3): it can't come back."""
    recipients = [builder.ascii_address(address.email) for address in request.to]
    head = content.partition(b"\r\n\r\n")[0]
    message_id = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"message-id:")).partition(b":")[2]
    about = f"{user.id} {message.mailbox} {message.uidvalidity} {message.uid}"
    once = hashlib.sha256(f"receipt {about}".encode()).hexdigest()[:32]  # a second click finds the first one's row
    try:
        with db.atomic():
            return Outbox.create(
                user=user, draft=once, message_id=message_id.strip().decode("ascii"), sender="", content=content, due=now(),
                subject=message.envelope.subject, recipients=json.dumps(recipients), credential=sealed_credential,
                people=1,
            )  # fmt: skip
    except pw.IntegrityError:
        return Outbox.get(Outbox.draft == once)


def _one_word(value: str) -> str:
    """A header's value that is safe to repeat: ASCII, one line, no blanks; else ""."""
    return value if value.isascii() and value.isprintable() and " " not in value and len(value) < 900 else ""


def can_keep(permanent: frozenset[str] | None, read_only: bool) -> bool:
    """Whether a mailbox keeps the flag, so that one is asked once (RFC 3503 section 3.1)."""
    return not read_only and (permanent is None or "\\*" in permanent or FLAG in permanent)
