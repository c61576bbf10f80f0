"""Read receipts (MDN, RFC 8098): whether one is requested, and building the reply. Never sent without asking the user.

Automatic receipts would tell spammers that an address is in use, and colleagues when somebody reads mail.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from webmail.compose.outbox import queue
from webmail.config.settings import Settings
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.mail import Address, Draft, Identity, Message, Role
from webmail.message import sender_check
from webmail.message.sender_check import SenderPlace, Trust, TrustLevel
from webmail.mime import builder
from webmail.models import Outbox, User

FLAG = "$MDNSent"  # RFC 3503: set once the user has answered, either way
UNSENDABLE = (BadAddressError, UnsafeValueError)  # raised by `answer` and `enqueue` for invalid addresses


@dataclass(frozen=True, slots=True)
class ReceiptRequest:
    """A requested receipt. `elsewhere`: it would go to an address other than the sender's."""

    to: tuple[Address, ...]
    elsewhere: bool


def receipt_request(message: Message, user: User, wanted: str, role: Role | None, settings: Settings) -> ReceiptRequest | None:
    """The receipt to ask the user about, or None. `wanted` is the preference: "ask" or "inside-sent", "inside" (only
    colleagues), "never".

    None for the user's own mail, mailing lists and automatic mail, or if already answered. See also `can_keep`.
    """
    trace, sender = message.trace, message.envelope.sender
    to = tuple(address for address in trace.receipt_to if "@" in address.email)[:5]
    if not to or not sender or wanted == "never" or FLAG in message.flags or role in (Role.SENT, Role.DRAFTS, Role.JUNK):
        return None
    if trace.bulk or message.envelope.list_id or message.envelope.list_post or "\\Draft" in message.flags:
        return None
    if wanted == "inside" and not all(sender_check.is_inside(user, address.email, settings) for address in (*to, sender[0])):
        return None
    if all(address.email.lower() == user.address.lower() for address in to):
        return None
    came_from = {sender[0].email.lower(), trace.return_path.lower()} - {""}
    return ReceiptRequest(to, any(came_from != {address.email.lower()} for address in to))


def goes_by_itself(request: ReceiptRequest, wanted: str, trust: Trust, user: User, settings: Settings) -> bool:
    """Whether the receipt leaves without a question: the user wants so, and the mail server has proven that the sender is a
    colleague, to whom alone it goes (RFC 8098 section 2.1 asks for a question where it would go elsewhere, or to several).
    """
    if wanted != "inside-sent" or request.elsewhere or len(request.to) != 1:
        return False
    proven = trust.place is SenderPlace.INSIDE and trust.genuine and trust.level is TrustLevel.CALM
    return proven and sender_check.is_inside(user, request.to[0].email, settings)


def answer(
    message: Message, request: ReceiptRequest, reader: Identity, subject: str, text: str, *, by_itself: bool = False
) -> bytes:
    """The notification (RFC 8098 section 3): a text part, then a machine-readable part. Raises BadAddressError,
    UnsafeValueError."""
    draft = Draft(
        reader, to=request.to, subject=subject, text=text, message_id=builder.new_message_id(reader.email.rpartition("@")[2]),
        in_reply_to=message.envelope.message_id, references=(message.envelope.message_id,) if message.envelope.message_id else (),
    )  # fmt: skip
    whole = builder.build(draft, date=datetime.now(UTC))
    mark = b"\r\nMIME-Version: 1.0\r\n"
    head, _mark, words = whole.partition(mark)
    boundary = f"=_{secrets.token_hex(16)}"
    way = "automatic-action/MDN-sent-automatically" if by_itself else "manual-action/MDN-sent-manually"
    fields = [
        f"Reporting-UA: {reader.email.rpartition('@')[2]}; Traboule",
        *([f"Original-Recipient: {original}"] if (original := _header_safe(message.trace.original_recipient)) else []),
        f"Final-Recipient: rfc822;{builder.ascii_address(reader.email)}",
        *([f"Original-Message-ID: {known}"] if (known := _header_safe(message.envelope.message_id)) else []),
        f"Disposition: {way}; displayed",
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
    """Queue the receipt, due at once, with the null sender (RFC 8098 section 3), so it can't bounce. Idempotent per message.

    Raises BadAddressError, UnsafeValueError.
    """
    recipients = [builder.ascii_address(address.email) for address in request.to]
    head = content.partition(b"\r\n\r\n")[0]
    message_id = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"message-id:")).partition(b":")[2]
    about = f"{user.id} {message.mailbox} {message.uidvalidity} {message.uid}"
    once = hashlib.sha256(f"receipt {about}".encode()).hexdigest()[:32]  # idempotency key: a second click finds the same row
    subject = message.envelope.subject
    return queue.enqueue_built(user, once, message_id.strip().decode("ascii"), subject, recipients, content, sealed_credential)


def _header_safe(value: str) -> str:
    """The value if it is safe to repeat in a header: ASCII, one line, no spaces; else ""."""
    return value if value.isascii() and value.isprintable() and " " not in value and len(value) < 900 else ""


def can_keep(permanent: frozenset[str] | None, read_only: bool) -> bool:
    """Whether the mailbox can store the flag, so that the user is asked only once (RFC 3503 section 3.1)."""
    return not read_only and (permanent is None or "\\*" in permanent or FLAG in permanent)
