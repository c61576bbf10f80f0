"""Copies of transfers: the same files behind another link, without their bytes being stored twice."""

from __future__ import annotations

import secrets

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import ContentState, StoredContent, Transfer, TransferFile
from webmail.transfers import store


def copy(transfer: Transfer, settings: Settings, *, draft_id: str = "") -> Transfer | None:
    """An open transfer of the same owner with the files that are there or still coming; None where there are none.

    Files whose key only the link holds are not among them: another link does not open them. Raises OverLimitError.
    """
    wanted = [file for file in store.files(transfer) if file.content is not None and _is_kept(file.content)]
    if not wanted:
        return None
    twin = store.create(transfer.owner, settings, draft_id=draft_id)
    copied = sum(_copy_file(file, twin, position) for position, file in enumerate(wanted))
    if copied:
        return twin
    twin.delete_instance()
    return None


def _is_kept(stored: StoredContent) -> bool:
    return not stored.key_in_link and stored.state not in (ContentState.DELETED, ContentState.REFUSED)


def _copy_file(file: TransferFile, twin: Transfer, position: int) -> bool:
    """False if its bytes were deleted at this moment."""
    with db.atomic():
        there = (StoredContent.id == file.content_id) & (StoredContent.state != ContentState.DELETED)
        if not StoredContent.update(touched=StoredContent.touched).where(there).execute():  # so that nobody deletes it meanwhile
            return False
        TransferFile.create(
            transfer=twin, content=file.content_id, upload=secrets.token_hex(16), path=file.path, media_type=file.media_type,
            size=file.size, position=position, held=file.held,
        )  # fmt: skip
    return True
