"""What an answer or a forwarded message starts from: recipients, subject, quoted text, threading (RFC 5322 section 3.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from webmail.account import Account
from webmail.compose import drafts, uploads
from webmail.compose.drafts import Fields
from webmail.config import Settings
from webmail.imap import messages
from webmail.imap.connection import Connection
from webmail.mail import Address, Identity, Message, NoSuchMessage, Part
from webmail.mime import build, text
from webmail.models import DraftRow


def reply(message: Message, identity: Identity, attribution: str, quoted: str, *, everyone: bool = False) -> Fields:
    """An answer to the sender, or to everyone. `attribution` is the line above the quotation, `quoted` the original's text.

    Reply-To goes before From. Answering one's own message means writing on to the people it went to. The one who answers is
    left out of the copies, and nobody gets two.
    """
    envelope = message.envelope
    mine = {identity.email.lower()}
    own = bool(envelope.sender) and all(a.email.lower() in mine for a in envelope.sender)
    if own:
        to = envelope.to or envelope.sender
        cc: tuple[Address, ...] = envelope.cc if everyone else ()
    else:
        to = envelope.reply_to or envelope.sender
        cc = envelope.to + envelope.cc if everyone else ()
    to = tuple(distinct(to))
    cc = tuple(distinct(cc, without=mine | {a.email.lower() for a in to}))
    return Fields(
        to=drafts.address_text(to),
        cc=drafts.address_text(cc),
        subject=build.reply_subject(envelope.subject),
        body=f"\n\n{attribution}\n{text.quote(quoted)}\n",
        in_reply_to=envelope.message_id,
        references=" ".join(_references(message)),
        source_mailbox=message.mailbox,
        source_uidvalidity=message.uidvalidity,
        source_uid=message.uid,
        source_flag="\\Answered",
    )


def forward_inline(message: Message, heading: str, original: str) -> Fields:
    """The original's text below `heading` (its headers in words); its attachments are for `carry`."""
    return _forward(message, f"\n\n{heading}\n\n{original}\n")


def forward_attached(message: Message) -> Fields:
    """An empty text; the original, whole, is for `carry_whole`."""
    return _forward(message, "")


def _forward(message: Message, body: str) -> Fields:
    return Fields(
        subject=build.forward_subject(message.envelope.subject),
        body=body,
        references=" ".join(_references(message)),
        source_mailbox=message.mailbox,
        source_uidvalidity=message.uidvalidity,
        source_uid=message.uid,
        source_flag="$Forwarded",
    )


def _references(message: Message) -> list[str]:
    """The parent's thread and the parent itself (RFC 5322 section 3.6.4)."""
    envelope = message.envelope
    parents = list(envelope.references)
    if not parents and len(envelope.in_reply_to) == 1:
        parents = list(envelope.in_reply_to)
    return drafts.bounded([*parents, *([envelope.message_id] if envelope.message_id else [])])


def distinct(addresses: Iterable[Address], without: Iterable[str] = ()) -> Iterator[Address]:
    """Each address once, the first time it comes, letter case aside; those in `without` (lower case) never."""
    seen = set(without)
    for address in addresses:
        key = address.email.lower()
        if key and key not in seen:
            seen.add(key)
            yield address


def text_of(conn: Connection, message: Message) -> str:
    """The message as plain text, made from its HTML where it has no text: up to 2 round trips then."""
    if message.structure.text:
        return "\n".join(message.bodies.get(part.section, "") for part in message.structure.text).rstrip()
    if not message.structure.html:
        return ""
    try:
        source, _ = messages.html(conn, message.mailbox, message.uid, message.uidvalidity)
    except NoSuchMessage:
        return ""
    return text.html_to_text(source).rstrip()


def carry(row: DraftRow, account: Account, message: Message, settings: Settings) -> None:
    """Copy the original's attachments to the draft, streamed. Raises TooLarge, ServerAway."""
    for number, part in enumerate(message.structure.attachments + message.structure.inline, 1):
        chunks = messages.stream(account, message.mailbox, message.uid, part, message.uidvalidity)
        drafts.add_attachment(row, chunks, _name(part, number), part.type, settings)


def _name(part: Part, number: int) -> str:
    return uploads.clean_filename(part.filename, fallback="") or f"attachment-{number}"


def carry_whole(row: DraftRow, account: Account, message: Message, settings: Settings) -> None:
    """Attach the original as it is (message/rfc822), streamed. Raises TooLarge, ServerAway."""
    chunks = messages.stream_raw(account, message.mailbox, message.uid, message.uidvalidity)
    name = uploads.clean_filename(message.envelope.subject[:80].replace("/", "-"), fallback="message") + ".eml"
    drafts.add_attachment(row, chunks, name, "message/rfc822", settings)
