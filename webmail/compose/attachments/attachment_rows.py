"""Attachment rows: the table's rows of a draft, as each page of writing, and each message that leaves, reads them."""

from __future__ import annotations

from collections.abc import Iterator

from webmail.compose.attachments import uploads
from webmail.compose.drafts import sealed_drafts
from webmail.compose.encryption import draft_seal
from webmail.compose.encryption.protection_errors import SealedDraftError
from webmail.config.settings import Settings
from webmail.database.prepared import Prepared
from webmail.models import AttachmentRow, DraftRow

_of_draft = Prepared(lambda slot: AttachmentRow.select().where(AttachmentRow.draft == slot("draft")).order_by(AttachmentRow.id))


def of_draft(row: DraftRow) -> list[AttachmentRow]:
    """In the order in which they were attached. One SELECT; those of a sealed draft have their names if it can be opened."""
    found: list[AttachmentRow] = _of_draft(draft=row.id)
    sealed_drafts.open_files(row, found)
    return found


def chunks(file: AttachmentRow, settings: Settings, *, first: int = 0) -> Iterator[bytes]:
    """The bytes of a draft's file. `first`: only about so many from its start; 0: all.

    Raises FilesGoneError, StorageAwayError, and SealedDraftError for a sealed file that was not opened.
    """
    if file.sealed is None:
        yield from uploads.chunks(settings, file.draft_id, file.stored, first)
        return
    if file.content_key is None:
        raise SealedDraftError(f"file {file.id} is sealed")
    read = 0
    for piece in draft_seal.opened_pieces(uploads.chunks(settings, file.draft_id, file.stored), file.content_key):
        yield piece
        read += len(piece)
        if first and read >= first:
            return


def too_large(row: DraftRow, most: int) -> AttachmentRow | None:
    """The first file that is larger than one may be (bytes; 0: without limit), however it came into the draft. One SELECT, none
    without a limit."""
    return next((one for one in of_draft(row) if one.size > most), None) if most else None
