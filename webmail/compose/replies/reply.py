"""Reply and forward: the initial recipients, subject, quoted text, references and files (RFC 5322 section 3.6)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from webmail import imap
from webmail.account import Account
from webmail.compose.attachments import attachments, uploads
from webmail.compose.drafts import message_options
from webmail.compose.drafts.fields import Fields, bounded_references
from webmail.compose.replies import originals
from webmail.config.settings import Settings
from webmail.errors import NoSuchMessageError
from webmail.imap.bulk import bulk_fetch
from webmail.imap.connections.connection import Connection
from webmail.imap.reading import messages
from webmail.mail import Address, Identity, Message, Part
from webmail.mime import builder
from webmail.mime.headers.address_text import address_text
from webmail.mime.headers.filenames import message_name
from webmail.mime.html import markdown_images
from webmail.mime.text import excuse, plain_text, their_signature
from webmail.models import DraftRow


@dataclass(frozen=True, slots=True)
class Quoted:
    """What is quoted of a message: a text, or `html` to be kept below the reply.

    By part section: `names`, the file names that the text's image marks use; `content_ids` of the pictures that the HTML shows.
    """

    text: str
    names: dict[str, str] = field(default_factory=dict)
    html: str = ""
    content_ids: dict[str, str] = field(default_factory=dict)


MOST_PARTS = 50  # parts of a message that are copied to a draft
_TOGETHER = 1_000_000  # encoded bytes of parts fetched at once


def reply(
    message: Message, identity: Identity, attribution: str, quoted: str, *, everyone: bool = False, also: Iterable[str] = (),
    to_list: bool = False, quote: str = "below",
) -> Fields:  # fmt: skip
    """A reply to the sender, or to everyone. `attribution` is the line above the quotation, `quoted` the original's text,
    `also` the user's other addresses (lower case).

    Reply-To takes precedence over From. A reply to the user's own message goes to its recipients. Recipients are deduplicated,
    and the user's own addresses are left out of Cc. `to_list`: only to the mailing list, if the message names one (List-Post).
    `quote` places the quotation: "below" or "above" the reply, or "none". The language is the original's, if known.
    """
    envelope = message.envelope
    mine = {identity.email.lower(), *also}
    mine |= {a.email.lower() for a in (*envelope.to, *envelope.cc) if _without_detail(a.email.lower()) in mine}
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    own = bool(envelope.sender) and all(a.email.lower() in mine for a in envelope.sender)
    if to_list and envelope.list_post:
        to, cc = (Address("", envelope.list_post),), ()
    elif own:
        to = envelope.to or envelope.sender
        cc = envelope.cc if everyone else ()
    else:
        to = envelope.reply_to or envelope.sender
        cc = envelope.to + envelope.cc if everyone else ()
    to = tuple(distinct(to))
    cc = tuple(distinct(cc, without=mine | {a.email.lower() for a in to}))
    return Fields(
        to=address_text(to),
        cc=address_text(cc),
        subject=builder.reply_subject(envelope.subject),
        body=_quotation(attribution, quoted, quote),
        in_reply_to=envelope.message_id,
        references=" ".join(_references(message)),
        source_mailbox=message.mailbox,
        source_uidvalidity=message.uidvalidity,
        source_uid=message.uid,
        source_flag="\\Answered",
        language=message_options.language_key(envelope.language),
    )


def _quotation(attribution: str, quoted: str, position: str) -> str:
    if position == "none":
        return ""
    quotation = f"{attribution}\n{plain_text.quote(quoted)}\n"
    return f"{quotation}\n" if position == "above" else f"\n\n{quotation}"


def _without_detail(email: str) -> str:
    """The address without its subaddress: "ann+shops@..." becomes "ann@..." (RFC 5233)."""
    local, at, domain = email.rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def forward_inline(message: Message, heading: str, original: str) -> Fields:
    """A forward with the original's text below `heading` (its main headers). `carry` copies the attachments."""
    return _forward(message, f"\n\n{heading}\n\n{original}\n")


def forward_attached(message: Message) -> Fields:
    """A forward with an empty text. `carry_whole` attaches the original."""
    return _forward(message, "")


def _forward(message: Message, body: str) -> Fields:
    return Fields(
        subject=builder.forward_subject(message.envelope.subject),
        body=body,
        references=" ".join(_references(message)),
        source_mailbox=message.mailbox,
        source_uidvalidity=message.uidvalidity,
        source_uid=message.uid,
        source_flag="$Forwarded",
    )


def _references(message: Message) -> list[str]:
    """The parent's references followed by its message id (RFC 5322 section 3.6.4)."""
    envelope = message.envelope
    parents = list(envelope.references)
    if not parents and len(envelope.in_reply_to) == 1:
        parents = list(envelope.in_reply_to)
    return bounded_references([*parents, *([envelope.message_id] if envelope.message_id else [])])


def distinct(addresses: Iterable[Address], without: Iterable[str] = ()) -> Iterator[Address]:
    """Deduplicates addresses case-insensitively, keeping the first spelling; omits those in `without` (lower case)."""
    seen = set(without)
    for address in addresses:
        key = address.email.lower()
        if key and key not in seen:
            seen.add(key)
            yield address


def text_of(conn: Connection, message: Message, *, signed: bool = True) -> str:
    """The message as plain text, converted from its HTML if its own text says nothing: up to 2 round trips then.

    `signed`: with the sender's signature.
    """
    text = own = plain_of(message)
    if not message.structure.text or excuse.stands_for_html(message.structure, message.bodies):
        source = html_of(conn, message)
        text = plain_text.html_to_text(source if signed else their_signature.cut_html(source)).rstrip() or own
    return text if signed else their_signature.cut_text(text)


def plain_of(message: Message) -> str:
    """The message's own plain text; "" if it has none."""
    return "\n".join(_unflowed(part, message.bodies.get(part.section, "")) for part in message.structure.text).rstrip()


def html_of(conn: Connection, message: Message) -> str:
    """The message's HTML as its sender made it; "" if it has none. Up to 2 round trips."""
    if not message.structure.html:
        return ""
    try:
        return messages.html(conn, message.mailbox, message.uid, message.uidvalidity, inside=message.section)[0]
    except NoSuchMessageError:
        return ""


def _unflowed(part: Part, body: str) -> str:
    """The text with each paragraph on one line; otherwise a resumed draft would keep the line breaks of format=flowed."""
    return plain_text.unflow(body, delsp=part.delsp) if part.format == "flowed" else body


def carried_parts(message: Message) -> tuple[Part, ...]:
    """The parts that `carry` copies; may be more than MOST_PARTS."""
    shape = message.structure
    if message.trace.kept:
        from webmail.mime.protected import kept_copy

        shape = kept_copy.without_original(shape)
    return shape.attachments + shape.inline


def carry(
    row: DraftRow, account: Account, message: Message, settings: Settings, quoted: Quoted | None = None, *,
    alone: bool = False, left: Container[str] = (),
) -> None:  # fmt: skip
    """Copy the HTML that is kept and the first MOST_PARTS of the original's files to the draft; `alone`: only those that `quoted`
    shows. `left`: the keys of the names of pictures in the text that stay where they are.

    Small parts are batched, 1 round trip per megabyte; large ones are streamed. Raises uploads.REFUSALS (what
    fits is kept), NoSuchMessageError, ServerAwayError (nothing is kept).
    """
    names, ids = (quoted.names, quoted.content_ids) if quoted else ({}, {})
    shown = {*names, *ids}
    parts = [part for part in carried_parts(message) if part.section in shown or not alone]
    parts = [part for part in parts if not (part.content_id and markdown_images.key(part.filename) in left)][:MOST_PARTS]
    page = originals.as_file(quoted.html) if quoted and quoted.html else ()
    content_ids = [*(originals.HTML for _file in page), *(ids.get(part.section, "") for part in parts)]
    attachments.add_all(row, chain(page, _contents(account, message, parts, names)), settings, content_ids)


def _contents(account: Account, message: Message, parts: Sequence[Part], names: Mapping[str, str]) -> Iterator[originals.File]:
    numbered = {part.section: number for number, part in enumerate(parts, 1)}
    for batch in bulk_fetch.batches(parts, _TOGETHER, MOST_PARTS):
        first = batch[0]
        if first.size > _TOGETHER:
            contents: dict[str, Iterable[bytes]] = {
                first.section: messages.stream(account, message.mailbox, message.uid, first, message.uidvalidity)
            }
        else:
            with imap.connect(account, message.mailbox) as conn:
                whole = messages.parts(conn, message.mailbox, message.uid, batch, message.uidvalidity)
            contents = {section: [content] for section, content in whole.items()}
        for part in batch:
            yield contents[part.section], names.get(part.section) or name_of(part, numbered[part.section]), part.type


def name_of(part: Part, number: int) -> str:
    """The file name of a copied part; `number` is its position among them, from 1."""
    return uploads.clean_filename(part.filename, fallback="") or f"attachment-{number}"


def carry_whole(row: DraftRow, account: Account, message: Message, settings: Settings) -> None:
    """Attach the original as it is (message/rfc822), streamed.

    Raises uploads.REFUSALS, NoSuchMessageError, ServerAwayError.
    """
    if message.section:
        with imap.connect(account, message.mailbox) as conn:
            attached, _ = messages.find_part(conn, message.mailbox, message.uid, message.section, message.uidvalidity)
        chunks = messages.stream(account, message.mailbox, message.uid, attached, message.uidvalidity)
    else:
        chunks = messages.stream_raw(account, message.mailbox, message.uid, message.uidvalidity)
    attachments.add(row, chunks, message_name(message.envelope.subject), "message/rfc822", settings)
