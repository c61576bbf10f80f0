"""Draft cleanup: removes abandoned draft rows and files."""

from __future__ import annotations

import logging
from datetime import timedelta

from webmail.compose.attachments import uploads
from webmail.compose.drafts.drafts import forget, is_empty, unsaved
from webmail.compose.large_files import large_files
from webmail.config.settings import Settings
from webmail.models import DraftRow, Outbox, OutboxState, now
from webmail.storage import StorageAwayError

log = logging.getLogger(__name__)

KEPT_DAYS = 30
_ONLY_HERE_DAYS = 365
_EMPTY_KEPT = timedelta(days=1)
_ORPHAN_SECONDS = 3600


def sweep(settings: Settings) -> int:
    """Remove abandoned drafts; returns the number of drafts, and of drafts whose files were left behind, removed.

    A draft goes after 30 days without a change: users find its copy in Drafts. One whose latest text is here alone stays for a
    year. Empty drafts, and those started by a link and never edited, go after a day. Files without a draft go too, large ones
    whose link nobody has as well. Drafts whose
    message is waiting, failed or uncertain stay.
    """
    gone = 0
    for row in _at_rest(_EMPTY_KEPT):
        needless = not row.saved_mailbox and (is_empty(row) or row.updated <= row.created)
        over = row.updated < now() - timedelta(days=_ONLY_HERE_DAYS if unsaved(row) else KEPT_DAYS)
        if over or needless or _was_sent(row):
            forget(row.id, settings)
            gone += 1
    large_files.sweep(settings)
    return gone + _remove_orphans(settings)


def _at_rest(age: timedelta) -> list[DraftRow]:
    busy = Outbox.select(Outbox.draft).where(Outbox.state.not_in([OutboxState.SENT, OutboxState.CANCELLED]))
    return list(DraftRow.select().where(DraftRow.id.not_in(busy), DraftRow.updated < now() - age))


def _was_sent(row: DraftRow) -> bool:
    return Outbox.select(Outbox.id).where((Outbox.draft == row.id) & (Outbox.state == OutboxState.SENT)).exists()


def _remove_orphans(settings: Settings) -> int:
    """Remove files whose draft is gone; nothing while the storage is away."""
    youngest: dict[str, float] = {}
    try:
        for file in uploads.files(settings).list():
            draft_id, slash, _stored = file.name.partition("/")
            if slash and uploads.is_draft_id(draft_id):
                youngest[draft_id] = min(file.age, youngest.get(draft_id, file.age))
    except StorageAwayError as error:
        log.warning("files without a draft are not looked for: %s", error)
        return 0
    gone = 0
    for draft_id, age in youngest.items():
        if age > _ORPHAN_SECONDS and not DraftRow.select(DraftRow.id).where(DraftRow.id == draft_id).exists():
            uploads.remove_all(settings, draft_id)
            gone += 1
    return gone
