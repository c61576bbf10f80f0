"""Uploads: attachment files of drafts on disk, one folder per draft, synced before success is reported."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from webmail.config import Settings
from webmail.errors import MailError, NoSuchMessage

CHUNK = 256 * 1024
_DRAFT_ID = re.compile(r"[0-9a-f]{32}\Z")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,80}/[a-z0-9][a-z0-9!#$&^_.+-]{0,80}\Z")


class MessageTooLarge(MailError):
    """The message would exceed the limit; `limit` and `size` in bytes, as encoded for sending."""

    status = 413

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size} bytes of {limit} allowed")
        self.size = size
        self.limit = limit


class AllowanceUsed(MailError):
    """The files of all of a user's drafts together would exceed `limit` bytes."""

    status = 507

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than the {limit} bytes that one person's drafts may hold")
        self.limit = limit


class NoRoom(MailError):
    """The disk that holds the uploads is full."""

    status = 507


REFUSALS = (MessageTooLarge, AllowanceUsed, NoRoom)


def is_draft_id(value: str) -> bool:
    """Whether the value is well-formed as a draft id; only such values are ever used in a path."""
    return bool(_DRAFT_ID.match(value))


def folder(settings: Settings, draft_id: str) -> Path:
    """The folder of a draft's files (may not exist yet). Raises NoSuchMessage for a malformed id."""
    if not is_draft_id(draft_id):
        raise NoSuchMessage(f"no draft has the id {draft_id!r}")
    return Path(settings.uploads_folder, draft_id)


def encoded_size(size: int) -> int:
    """The size in bytes of a file once encoded for sending: base64 in lines of 76 characters (RFC 2045 section 6.8)."""
    encoded = (size + 2) // 3 * 4
    return encoded + (encoded + 75) // 76 * 2


def write(target: Path, chunks: Iterable[bytes], room: int) -> tuple[str, int]:
    """Write a new file into the folder `target`; returns (random name, size in bytes). Durable only after `sync`.

    Raises MessageTooLarge as soon as the encoded size exceeds `room` bytes, and NoRoom; nothing is left behind then.
    """
    name = secrets.token_hex(16)
    size = 0
    with full_disk_told():
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with open(target / name, "xb") as out:
                for chunk in chunks:
                    size += len(chunk)
                    if encoded_size(size) > room:
                        raise MessageTooLarge(encoded_size(size), room)
                    out.write(chunk)
        except BaseException:
            (target / name).unlink(missing_ok=True)
            raise
    return name, size


def sync(target: Path, names: Iterable[str]) -> None:
    """fsync these files of the folder `target`, and the folder itself. Raises NoRoom."""
    with full_disk_told():
        for name in names:
            _sync(target / name)
        _sync(target)


@contextmanager
def full_disk_told() -> Iterator[None]:
    """Turns "disk full" and "quota exceeded" errors (OSError) within the block into NoRoom."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoom(f"no file can be written: {error}") from error
        raise


def duplicate(source: Path, target: Path) -> str:
    """Hard-link or copy a file into the folder `target`; returns the new name. Files are never modified, so a link is safe."""
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = secrets.token_hex(16)
    try:
        os.link(source, target / name)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target / name)
    _sync(target)
    return name


def remove_folder(settings: Settings, draft_id: str) -> None:
    shutil.rmtree(folder(settings, draft_id), ignore_errors=True)


def _sync(path: Path) -> None:
    """fsync a file's content or a folder's entries: a new file is durable only once both are synced."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
