"""Draft message: a draft row and its files rendered once, as the `mail.Draft` that `mime/builder.py` writes as bytes.

The text, with the block of large files in its place, becomes plain text and HTML; the original stands below it; files that the
HTML shows get a Content-ID. Whatever is asked of the message before it leaves is asked of this one draft.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from webmail import mail
from webmail.compose import identities, signatures
from webmail.compose.attachments import attachment_rows, inline_images
from webmail.compose.drafts import draft_note, message_options, sealed_drafts
from webmail.compose.drafts.fields import fields_of
from webmail.compose.encryption.protection_errors import SealedDraftError
from webmail.compose.large_files import link_block
from webmail.compose.large_files.link_block import Placed
from webmail.compose.replies import originals
from webmail.compose.signatures import SignaturePicture
from webmail.config.settings import Settings
from webmail.errors import BadAddressError
from webmail.mail import Address, Attachment, Identity
from webmail.mime import builder
from webmail.mime.html import markdown
from webmail.mime.html import markdown_images as marks
from webmail.models import DraftRow


@dataclass(frozen=True, slots=True)
class RenderedBody:
    """A draft's text as it is sent: as plain text, as HTML (empty unless formatted), and its files.

    `shown` maps Content-IDs to the ids of the attachment rows that the HTML shows, `signed` those of signatures' pictures to the
    signatures' ids. `quoted` is the plain text of the original whose HTML is kept below (`originals.py`).
    """

    text: str
    html: str
    files: tuple[Attachment, ...]
    shown: Mapping[str, int] = field(default_factory=dict)
    quoted: str = ""
    signed: Mapping[str, int] = field(default_factory=dict)


def as_draft(
    row: DraftRow, identity: Identity, settings: Settings, *, lenient: bool = False, until: datetime | None = None
) -> mail.Draft:
    """The message that the row describes. Raises BadAddressError, FilesGoneError, StorageAwayError, SealedDraftError.

    `lenient` is for the copy in Drafts: invalid addresses are skipped, the text stays as typed, image marks included, and a note
    keeps what no standard header can. `until`: when the link to its large files ends, if that is settled.
    """
    if sealed_drafts.lacks_text(row):
        raise SealedDraftError(f"the text of draft {row.id} is not here")
    read = readable_addresses if lenient else builder.parse_addresses
    block = link_block.of_draft(row, settings, until)
    placed = link_block.placed(row, block) if block is not None else None
    written = render_body(row, settings, placed)
    answers = read(row.reply_to or "") or identity.reply_to
    return mail.Draft(
        identity=replace(identity, reply_to=answers),
        to=read(row.to),
        cc=read(row.cc),
        bcc=read(row.bcc),
        subject=row.subject,
        text=text_with_block(placed.body if placed else row.body, placed) if lenient else written.text,
        quoted=written.quoted,
        attachments=written.files,
        message_id=row.message_id,
        in_reply_to=row.in_reply_to,
        references=tuple(row.references.split()),
        html=written.html,
        language=row.language or "",
        priority=row.priority or "",
        read_receipt=bool(row.read_receipt),
        note=draft_note.to_header(fields_of(row)) if lenient else "",
    )


def readable_addresses(text: str) -> tuple[Address, ...]:
    """The valid addresses in a field that may be incomplete; never raises."""
    try:
        return builder.parse_addresses(text)
    except BadAddressError:
        found: list[Address] = []
        for piece in re.split(r"[,;]", text):
            try:
                found.extend(builder.parse_addresses(piece))
            except BadAddressError:
                continue
        return tuple(found)


# --- the body --------------------------------------------------------------------------------------------------------


def render_body(row: DraftRow, settings: Settings, placed: Placed | None = None) -> RenderedBody:
    """The draft's text (that of `placed`, with its block) and files as sent. 1 query, and 2 with a formatted signature; image
    types are cached. Raises FilesGoneError, StorageAwayError.
    """
    body = identities.fitted(placed.body if placed else row.body, row.user, row.format or "")
    rows, original = originals.split(attachment_rows.of_draft(row))
    below = originals.below(row, original, settings)
    files = [Attachment(one.filename, one.type, one.size, partial(attachment_rows.chunks, one, settings)) for one in rows]
    if row.format != message_options.FORMATTED:
        return RenderedBody(text_with_block(body, placed), "", (*files, *below.files), {}, below.text)
    found: dict[str, int] = {}  # index of the first file of each name
    for place, file in enumerate(files if "![" in body else []):
        if inline_images.kind(rows[place], settings):
            found.setdefault(marks.key(file.filename), place)
    ids = {name: _content_id(row, rows[place].stored) for name, place in found.items()}
    missing = {name for _words, name in marks.marks(body)} - ids.keys() if "![" in body else ()
    pictures = signatures.pictures(row.user, missing) if missing else {}
    ids |= {name: _content_id(row, one.name) for name, one in pictures.items()}
    used: set[str] = set()
    html = markdown.document(body, row.language or "", {name: f"cid:{one}" for name, one in ids.items()}, used, below.html)
    for name in used & found.keys():
        file = files[found[name]]
        files[found[name]] = replace(file, type=inline_images.kind(rows[found[name]], settings), content_id=ids[name])
    files += [_file_of(pictures[name], ids[name]) for name in sorted(used & pictures.keys())]
    shown = {ids[name]: rows[found[name]].id for name in used & found.keys()} | dict(below.shown)
    signed = {ids[name]: pictures[name].number for name in used & pictures.keys()}
    text = text_with_block(marks.plain(identities.fitted(body, row.user, ""), used), placed)
    return RenderedBody(text, html_with_block(html, placed), (*files, *below.files), shown, below.text, signed)


def _file_of(picture: SignaturePicture, content_id: str) -> Attachment:
    """The picture of a signature as a part of the message."""
    data = picture.data
    return Attachment(picture.name, picture.type, len(data), lambda: iter([data]), content_id=content_id)


def _content_id(row: DraftRow, stored: str) -> str:
    """Stable across builds and globally unique (RFC 2045 section 7); reveals neither file name nor path."""
    local = hashlib.sha256(f"{row.message_id} {stored}".encode()).hexdigest()[:32]
    return f"{local}@{row.message_id.rpartition('@')[2].rstrip('>')}"


def text_with_block(text: str, placed: Placed | None) -> str:
    return text.replace(placed.word, placed.block.text.rstrip("\n")) if placed else text


def html_with_block(html: str, placed: Placed | None) -> str:
    """A text that is shown as it was typed has no paragraph there: then below all that was written."""
    if placed is None:
        return html
    block = placed.block.html
    with_block, count = re.subn(rf"<p>{placed.word}</p>\n?", lambda _match: block, html)
    return with_block if count else html.replace(placed.word, "").replace("</div>", f"{block}</div>", 1)
