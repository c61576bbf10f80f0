"""Storage: files of the application that are not mail, under names, wherever they are kept: in folders on disk, or in a bucket.

A name is made of parts with slashes, each of letters, digits, dots, hyphens and underscores ("tasks/3f2a/export.mbox"). What is
written under a name is never changed, only deleted. `open_storage(settings, area)` gives one area of this instance, by the
setting `storage`: a folder (LocalStorage), or a prefix in a bucket of any service that speaks S3 (S3Storage).

A file that is missing (FileGoneError) is told apart from storage that is away (StorageAwayError: try again).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from enum import StrEnum
from pathlib import Path
from typing import IO

import peewee as pw

from webmail.config.settings import Settings
from webmail.config.storage import S3
from webmail.models import AttachmentRow, ContentPiece, Outbox, Task
from webmail.storage import local
from webmail.storage.files import free_bytes, open_file, same_content
from webmail.storage.interface import CHUNK, FileGoneError, Storage, StorageAwayError, StorageFullError, StoredFile
from webmail.storage.local import LocalStorage
from webmail.storage.s3 import S3Storage

__all__ = [
    "CHUNK", "FileGoneError", "LocalStorage", "S3Storage", "Storage", "StorageArea", "StorageAwayError", "StorageFullError",
    "StoredFile", "in_bucket", "none_named", "on_disk", "open_file", "open_storage", "free_bytes", "same_content",
    "temporary_file",
]  # fmt: skip

_UPLOADED = re.compile(r"[0-9a-f]{32}(?:\.eml)?")
_TRANSFERRED = re.compile(r"[0-9a-f]{32}")
_CACHED = re.compile(r"[0-9a-f]{2}")


class StorageArea(StrEnum):
    """What is kept apart from the rest, with names of its own."""

    UPLOADS = "uploads"  # files of drafts (<draft>/<name>), and large messages on their way (<name>.eml)
    IMAGES = "images"  # remote images: a cache
    RESULTS = "results"  # results of tasks, and files on their way to one
    TRANSFERS = "transfers"  # large files sent as links, in pieces (<32 hex>/<piece>)


def open_storage(settings: Settings, area: StorageArea = StorageArea.RESULTS) -> Storage:
    """One area of this instance's storage."""
    return in_bucket(settings.s3, area) if settings.storage == "s3" and settings.s3 else on_disk(settings, area)


def on_disk(settings: Settings, area: StorageArea) -> Storage:
    """The area in folders of this machine, whatever `storage` says."""
    instance = Path(settings.instance)
    if area is StorageArea.UPLOADS:
        return LocalStorage(Path(settings.uploads_folder), _UPLOADED, _NAMED[area])
    if area is StorageArea.IMAGES:
        return LocalStorage(instance / "images", _CACHED, _NAMED[area])
    if area is StorageArea.TRANSFERS:
        return LocalStorage(Path(settings.transfers_folder or instance / "transfers"), _TRANSFERRED, _NAMED[area])
    return LocalStorage(instance / "storage", named=_NAMED[area])


def in_bucket(bucket: S3, area: StorageArea) -> Storage:
    """The area in a bucket, whatever `storage` says."""
    return S3Storage(bucket, area.value, _NAMED[area])


def temporary_file(chunks: Iterable[bytes], settings: Settings, in_memory: int) -> AbstractContextManager[IO[bytes]]:
    """The chunks as a file for a `with` block: in memory up to `in_memory` bytes, else on this machine's disk.

    Raises StorageFullError, StorageAwayError, and what `chunks` raises.
    """
    return local.temporary_file(chunks, settings.uploads_folder, in_memory)  # the system's own folder for them is often in RAM


def _uploads_named() -> bool:
    """Whether the database names files of drafts, or of messages on their way (see compose/outbox/spool.py)."""
    spooled = Outbox.select(Outbox.id).where(pw.fn.LENGTH(Outbox.content) == len("\0") + 32)
    return AttachmentRow.select(AttachmentRow.id).exists() or spooled.exists()


def _results_named() -> bool:
    return bool(Task.select(Task.id).where(Task.result.contains('"file"')).exists())


def _transfers_named() -> bool:
    return ContentPiece.select(ContentPiece.id).exists()


def none_named() -> bool:
    """A cache is needed by nobody."""
    return False


_NAMED = {
    StorageArea.UPLOADS: _uploads_named,
    StorageArea.IMAGES: none_named,
    StorageArea.RESULTS: _results_named,
    StorageArea.TRANSFERS: _transfers_named,
}  # whether the database names files of the area: a folder or bucket without any is away then
