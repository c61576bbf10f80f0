"""Checking of files that are whole: their SHA-256, what a scanner says, and whether the same bytes are there already.

In the request that brought the last bytes, where that takes no time; else by the worker, which can't where only the link holds
the key: then the request does it all.
"""

from __future__ import annotations

from webmail.config import Settings
from webmail.models import ContentState, StoredContent, TransferFile, now
from webmail.transfers import content, hashing

SMALL = 64 * 1024 * 1024  # bytes that a request reads again rather than leave them to the worker


def finish(file: TransferFile, settings: Settings, *, link_key: bytes | None = None) -> ContentState:
    """Take in a file that has just become whole; CHECKING where the worker has to. Raises what `content.read` raises."""
    stored = file.content
    if stored is None:
        return ContentState.DELETED
    known = hashing.passed(stored.id, stored.size)
    at_once = bool(known) or stored.size <= SMALL or bool(stored.key_in_link)
    if not at_once or (settings.transfers.clamd and not stored.key_in_link):
        return ContentState(stored.state)
    return check(stored, settings, link_key)


def check(stored: StoredContent, settings: Settings, link_key: bytes | None = None) -> ContentState:
    """Hash, scan, and settle what becomes of it. Reads it once or twice. Raises what `content.read` raises."""
    if stored.state != ContentState.CHECKING:
        return ContentState(stored.state)
    found = hashing.passed(stored.id, stored.size) or hashing.of_stored(content.read(stored, settings, link_key=link_key))
    hashing.forget(stored.id)
    mine = (StoredContent.id == stored.id) & (StoredContent.state == ContentState.CHECKING)
    StoredContent.update(sha256=found, state=ContentState.READY, touched=now()).where(mine).execute()
    stored.sha256, stored.state = found, ContentState.READY
    for file in TransferFile.select().where(TransferFile.content == stored):
        if content.share(file, stored) is not None:
            content.drop_if_unused(stored, settings)
    return ContentState.READY


def due(most: int = 20) -> list[StoredContent]:
    """What the worker has to check. Not those whose key only a link holds. One SELECT."""
    waits = (StoredContent.state == ContentState.CHECKING) & (StoredContent.key_in_link == 0)
    return list(StoredContent.select().where(waits).order_by(StoredContent.id).limit(most))
