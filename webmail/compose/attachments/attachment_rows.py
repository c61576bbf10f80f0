"""Attachment rows: the table's rows of a draft, as each page of writing, and each message that leaves, reads them."""

from __future__ import annotations

from webmail.database.prepared import Prepared
from webmail.models import AttachmentRow, DraftRow

_of_draft = Prepared(lambda slot: AttachmentRow.select().where(AttachmentRow.draft == slot("draft")).order_by(AttachmentRow.id))


def of_draft(row: DraftRow) -> list[AttachmentRow]:
    """In the order in which they were attached. One SELECT."""
    return _of_draft(draft=row.id)


def too_large(row: DraftRow, most: int) -> AttachmentRow | None:
    """The first file that is larger than one may be (bytes; 0: without limit), however it came into the draft. One SELECT, none
    without a limit."""
    return next((one for one in of_draft(row) if one.size > most), None) if most else None
