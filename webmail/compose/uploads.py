"""The bytes of attachments while a message is written: one folder a draft, one file an attachment, on disk before we say so."""

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
    """The message would pass the limit; `limit` and `size` in bytes, as encoded for sending."""

    status = 413

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size} bytes of {limit} allowed")
        self.size = size
        self.limit = limit


class AllowanceUsed(MailError):
    """The files of all of a person's drafts together would pass `limit` bytes."""

    status = 507

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than the {limit} bytes that one person's drafts may hold")
        self.limit = limit


class NoRoom(MailError):
    """The disk that holds the uploads is full."""

    status = 507


REFUSALS = (MessageTooLarge, AllowanceUsed, NoRoom)


def is_draft_id(value: str) -> bool:
    """Whether it has the shape of a draft's id: only such a value is ever part of a path."""
    return bool(_DRAFT_ID.match(value))


def folder(settings: Settings, draft_id: str) -> Path:
    """Where a draft's files lie (may not exist yet). Raises NoSuchMessage for what is no id."""
    if not is_draft_id(draft_id):
        raise NoSuchMessage(f"no draft has the id {draft_id!r}")
    return Path(settings.uploads_folder, draft_id)


def encoded_size(size: int) -> int:
    """How many bytes of a message `size` bytes of a file take: base64 in lines of 76 (RFC 2045 section 6.8)."""
    encoded = (size + 2) // 3 * 4
    return encoded + (encoded + 75) // 76 * 2


def write(target: Path, chunks: Iterable[bytes], room: int) -> tuple[str, int]:
    """Write a new file into the folder `target`; returns (its random name, its size). It is on disk after `sync`.

    Raises TooLarge as soon as the file, encoded, passes `room` bytes, and NoRoom; nothing stays behind then.
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
    """Return once the disk has these files of the folder `target`, and the folder their names. Raises NoRoom."""
    with full_disk_told():
        for name in names:
            _sync(target / name)
        _sync(target)


@contextmanager
def full_disk_told() -> Iterator[None]:
    """A full disk, within the block, as NoRoom."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoom(f"no file can be written: {error}") from error
        raise


def duplicate(source: Path, target: Path) -> str:
    """A second name for the same bytes (files here are never changed, so a link is a copy); returns the new name."""
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = secrets.token_hex(16)
    try:
        os.link(source, target / name)
    except OSError:  # a file system without links
        shutil.copyfile(source, target / name)
    _sync(target)
    return name


def remove_folder(settings: Settings, draft_id: str) -> None:
    shutil.rmtree(folder(settings, draft_id), ignore_errors=True)


def _sync(path: Path) -> None:
    """Of a file its bytes; of a folder its names: a new file is there only once both are."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clean_filename(name: str, fallback: str = "attachment") -> str:
    """The last part of a path, printable, at most 150 characters with its extension kept: browsers and mails send anything."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = " ".join("".join(c if c.isprintable() else " " for c in name).split()).strip(". ")
    if len(name) > 150:
        stem, dot, extension = name.rpartition(".")
        name = f"{stem[: 149 - len(extension)]}.{extension}" if dot and len(extension) <= 20 else name[:150]
    return name or fallback


def clean_type(value: str) -> str:
    """A media type without parameters, or application/octet-stream."""
    value = value.split(";", 1)[0].strip().lower()
    return value if _MEDIA_TYPE.match(value) else "application/octet-stream"
