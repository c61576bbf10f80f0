"""Messages as the server has them, made of what a test is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from webmail.mail import Address, Envelope, Message, Part, Structure, Trace

FAR = Address("Ann", "ann@far.example")


def message(sender: Address | tuple[Address, ...] = FAR, *, files: tuple[str, ...] = (), **more: Any) -> Message:
    envelope = Envelope(
        subject=more.pop("subject", ""), sender=sender if isinstance(sender, tuple) else (sender,),
        reply_to=more.pop("reply_to", ()), list_id=more.pop("list_id", ""), message_id="<1@far.example>",
    )  # fmt: skip
    parts = tuple(Part(str(n), "application/octet-stream", 1, filename=name) for n, name in enumerate(files, 2))
    trace = Trace(results=more.pop("results", ()), receipt_to=more.pop("receipt_to", ()), **more.pop("trace", {}))
    values = {"earlier": True, "flags": frozenset(), **more}
    return Message(
        mailbox="INBOX", uidvalidity=1, uid=2, size=1, received=datetime.now(UTC), envelope=envelope,
        structure=Structure(attachments=parts), trace=trace, **values,
    )  # fmt: skip
