"""Moving: what an area keeps on disk is copied to the bucket, or back; broken off it goes on where it was, at the next file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from webmail.config.settings import Settings
from webmail.config.storage import S3
from webmail.storage import StorageArea, in_bucket, none_named, on_disk
from webmail.storage.interface import FileGoneError, Storage
from webmail.storage.local import LocalStorage
from webmail.storage.s3 import S3Storage

AREAS = (StorageArea.UPLOADS, StorageArea.RESULTS, StorageArea.TRANSFERS)  # the images are a cache: it fills by itself


@dataclass(slots=True)
class MovedFiles:
    """What became of an area's files: how many were copied, with how many bytes, were there already, and were deleted."""

    area: StorageArea
    copied: int = 0
    size: int = 0
    there: int = 0
    deleted: int = 0


def move(
    area: StorageArea, settings: Settings, bucket: S3, *, back: bool, delete: bool = False, tell: Callable[[MovedFiles], None]
) -> MovedFiles:
    """Copy all files of an area to the bucket, or `back`, and delete each where it came from with `delete`. `tell` after each.

    Nobody takes the bucket for this area before the first time that all are there. Raises StorageAwayError, StorageFullError.
    """
    moved, source, target = MovedFiles(area), on_disk(settings, area), _entered(in_bucket(bucket, area))
    if back:
        source, target = in_bucket(bucket, area), _entered(on_disk(settings, area))
    sizes = {file.name: file.size for file in target.list()}
    for file in source.list():
        if sizes.get(file.name) != file.size:
            try:
                moved.size += target.put(file.name, source.get(file.name))
            except FileGoneError:  # deleted meanwhile
                continue
            moved.copied += 1
        else:
            moved.there += 1
        if delete:
            source.delete(file.name)
            moved.deleted += 1
        tell(moved)
    if isinstance(target, S3Storage):
        target.mark()
    return moved


def _entered(target: Storage) -> Storage:
    """The target, though it has none of our files yet."""
    if isinstance(target, S3Storage):
        return replace(target, named=none_named, marks=False)
    return replace(target, named=none_named) if isinstance(target, LocalStorage) else target
