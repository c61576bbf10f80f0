"""Uploads: attachment files of drafts in the storage, synced before success is reported."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterable, Iterator

from webmail.config.settings import Settings
from webmail.errors import MailError, NoSuchMessageError
from webmail.storage import CHUNK, FileGoneError, Storage, StorageArea, StorageAwayError, StorageFullError, open_storage

__all__ = [
    "CHUNK", "REFUSALS", "AllowanceUsedError", "FilesGoneError", "MessageTooLargeError", "chunks", "clean_filename",
    "clean_type", "duplicate", "encoded_size", "files", "is_draft_id", "name_of", "remove", "remove_all", "sync", "write",
]  # fmt: skip

log = logging.getLogger(__name__)

_DRAFT_ID = re.compile(r"[0-9a-f]{32}\Z")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,80}/[a-z0-9][a-z0-9!#$&^_.+-]{0,80}\Z")


class MessageTooLargeError(MailError):
    """The message would exceed the limit; `limit` and `size` in bytes, as encoded for sending."""

    status = 413

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size} bytes of {limit} allowed")
        self.size = size
        self.limit = limit


class AllowanceUsedError(MailError):
    """The files of all of a user's drafts together would exceed `limit` bytes."""

    status = 507

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than the {limit} bytes that one person's drafts may hold")
        self.limit = limit


class FilesGoneError(MailError):
    """A file of the draft is no longer there."""

    status = 410


REFUSALS = (MessageTooLargeError, AllowanceUsedError, StorageFullError, StorageAwayError)


def is_draft_id(value: str) -> bool:
    """Whether the value is well-formed as a draft id; only such values are ever used in a file's name."""
    return bool(_DRAFT_ID.match(value))


def files(settings: Settings) -> Storage:
    """Where the files of drafts, and large messages on their way, are kept."""
    return open_storage(settings, StorageArea.UPLOADS)


def name_of(draft_id: str, stored: str) -> str:
    """The name in the storage of a draft's file. Raises NoSuchMessageError for a malformed id."""
    return f"{_prefix(draft_id)}/{stored}"


def chunks(settings: Settings, draft_id: str, stored: str, first: int = 0) -> Iterator[bytes]:
    """The bytes of a draft's file as they are stored. `first`: so many from its start; 0: all. Raises FilesGoneError,
    StorageAwayError."""
    try:
        yield from files(settings).get(name_of(draft_id, stored), *((0, first) if first else ()))
    except FileGoneError as error:
        raise FilesGoneError(f"a file of draft {draft_id} can't be read: {error}") from error


def _prefix(draft_id: str) -> str:
    if not is_draft_id(draft_id):
        raise NoSuchMessageError(f"no draft has the id {draft_id!r}")
    return draft_id


def encoded_size(size: int) -> int:
    """The size in bytes of a file once encoded for sending: base64 in lines of 76 characters (RFC 2045 section 6.8)."""
    encoded = (size + 2) // 3 * 4
    return encoded + (encoded + 75) // 76 * 2


def write(settings: Settings, draft_id: str, chunks: Iterable[bytes], space: int) -> tuple[str, int]:
    """Write a new file of a draft; returns (random name, size in bytes). Durable only after `sync`.

    Raises MessageTooLargeError as soon as the encoded size exceeds `space` bytes, StorageFullError, StorageAwayError: nothing is
    left behind.
    """
    stored = secrets.token_hex(16)
    return stored, files(settings).put(name_of(draft_id, stored), _within(chunks, space), sync=False)


def _within(chunks: Iterable[bytes], space: int) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if encoded_size(size) > space:
            raise MessageTooLargeError(encoded_size(size), space)
        yield chunk


def sync(settings: Settings, draft_id: str, stored: Iterable[str]) -> None:
    """Make these files of a draft durable. Raises StorageFullError, StorageAwayError."""
    files(settings).sync([name_of(draft_id, one) for one in stored])


def duplicate(settings: Settings, draft_id: str, stored: str, twin_id: str) -> str:
    """Keep a draft's file for another draft too; returns its new name. Raises FileGoneError, StorageFullError,
    StorageAwayError."""
    fresh = secrets.token_hex(16)
    files(settings).copy(name_of(draft_id, stored), name_of(twin_id, fresh))
    return fresh


def remove(settings: Settings, draft_id: str, stored: str) -> None:
    """Delete a file of a draft. Never raises: what stays now goes with the draft."""
    try:
        files(settings).delete(name_of(draft_id, stored))
    except StorageAwayError as error:
        log.warning("a file of draft %s stays for now: %s", draft_id, error)


def remove_all(settings: Settings, draft_id: str) -> None:
    """Delete the files of a draft. Never raises while storage is away: `draft_cleanup` finds files without a draft."""
    prefix = _prefix(draft_id)
    try:
        files(settings).delete_all(prefix)
    except StorageAwayError as error:
        log.warning("the files of draft %s stay for now: %s", draft_id, error)


def clean_filename(name: str, fallback: str = "attachment") -> str:
    """Sanitise a file name from a browser or message: last path component, printable, at most 150 characters, extension kept."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = " ".join("".join(c if c.isprintable() else " " for c in name).split()).strip(". ")
    if len(name) > 150:
        stem, dot, extension = name.rpartition(".")
        name = f"{stem[: 149 - len(extension)]}.{extension}" if dot and len(extension) <= 20 else name[:150]
    return name or fallback


def clean_type(value: str) -> str:
    """The media type without parameters; application/octet-stream if invalid."""
    value = value.split(";", 1)[0].strip().lower()
    return value if _MEDIA_TYPE.match(value) else "application/octet-stream"
