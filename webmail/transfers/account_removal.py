"""Account removal: the bytes of its large files go after its rows. What a kill leaves, `content.sweep_strays` finds."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from webmail.config.settings import Settings
from webmail.models import StoredContent, User
from webmail.storage import StorageArea, StorageAwayError, open_storage

log = logging.getLogger(__name__)


def stored_by(user: User) -> list[str]:
    """Names of what somebody has stored, for when their rows are gone. One SELECT."""
    return [row.name for row in StoredContent.select(StoredContent.name).where(StoredContent.owner == user)]


def remove(names: Iterable[str], settings: Settings) -> None:
    """Delete it. Never raises: what stays for now is deleted with the strays of the day."""
    files = None
    for name in names:
        try:
            files = files or open_storage(settings, StorageArea.TRANSFERS)
            files.delete_all(name)
        except StorageAwayError as error:
            log.warning("content %s of a deleted account stays for now: %s", name, error)
