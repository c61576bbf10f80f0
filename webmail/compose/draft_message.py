"""Draft message: a draft row and its files as a `mail.Draft`, and that as RFC 5322 bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from webmail import mail
from webmail.compose import draft_note, inline_images, link_block
from webmail.compose.fields import fields_of
from webmail.config import Settings
from webmail.errors import BadAddress, MailError
from webmail.mail import Address, Identity
from webmail.mime import builder
from webmail.models import DraftRow
from webmail.storage import FileGone


class FilesGone(MailError):
    """An attachment's file is no longer there."""

    status = 410


def as_draft(
    row: DraftRow, identity: Identity, settings: Settings, *, lenient: bool = False, until: datetime | None = None
) -> mail.Draft:
    """The message that the row describes. Raises BadAddress, FilesGone, StorageAway.

    `lenient` is for the copy in Drafts: invalid addresses are skipped, and the text stays as typed, image marks included.
    `until`: when the link to its large files ends, if that is settled.
    """
    read = readable_addresses if lenient else builder.parse_addresses
    block = link_block.of_draft(row, settings, until)
    placed = link_block.placed(row, block) if block is not None else None
    try:
        written = inline_images.render_body(row, settings, placed.body if placed else None)
    except FileGone as error:
        raise FilesGone(f"the original below the draft can't be read: {error}") from error
    answers = read(row.reply_to or "") or identity.reply_to
    text = (placed.body if placed else row.body) if lenient else written.text
    return mail.Draft(
        identity=replace(identity, reply_to=answers),
        to=read(row.to),
        cc=read(row.cc),
        bcc=read(row.bcc),
        subject=row.subject,
        text=placed.text(text) if placed else text,
        quoted=written.quoted,
        attachments=written.files,
        message_id=row.message_id,
        in_reply_to=row.in_reply_to,
        references=tuple(row.references.split()),
        html=placed.html(written.html) if placed else written.html,
        language=row.language or "",
        priority=row.priority or "",
        read_receipt=bool(row.read_receipt),
        note=draft_note.to_header(fields_of(row)),
    )


def to_bytes(draft: mail.Draft, *, include_bcc: bool, at: datetime | None = None) -> bytes:
    """The message as bytes; see `pieces`."""
    return b"".join(pieces(draft, include_bcc=include_bcc, at=at))


def pieces(draft: mail.Draft, *, include_bcc: bool, at: datetime | None = None) -> Iterator[bytes]:
    """The message in pieces, dated `at` (naive UTC) or now; attachments are never in memory as a whole.

    Raises UnsafeValue, BadAddress, FilesGone when an attachment is gone, and StorageAway.
    """
    try:
        yield from builder.pieces(draft, date=_date(at), include_bcc=include_bcc)
    except FileGone as error:
        raise FilesGone(f"an attachment of the draft can't be read: {error}") from error


def _date(at: datetime | None) -> datetime:
    return at.replace(tzinfo=UTC) if at else datetime.now(UTC)


def readable_addresses(text: str) -> tuple[Address, ...]:
    """The valid addresses in a field that may be incomplete; never raises."""
    try:
        return builder.parse_addresses(text)
    except BadAddress:
        found: list[Address] = []
        for piece in re.split(r"[,;]", text):
            try:
                found.extend(builder.parse_addresses(piece))
            except BadAddress:
                continue
        return tuple(found)
