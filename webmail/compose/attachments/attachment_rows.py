"""Attachment rows: the table's rows of a draft, as each page of writing, and each message that leaves, reads them."""

from __future__ import annotations

from webmail.database.prepared import Prepared
from webmail.models import AttachmentRow, DraftRow

_of_draft = Prepared(lambda slot: AttachmentRow.select().where(AttachmentRow.draft == slot("draft")).order_by(AttachmentRow.id))


def of_draft(row: DraftRow) -> list[AttachmentRow]:
    """In the order in which they were attached. One SELECT."""
    return _of_draft(draft=row.id)
