"""The bytes of messages on their way: small ones in their row of the outbox, large ones in a file that the row names.

A file is on disk, whole, before its row says so, and never changed. What a row's `content` then holds is a NUL, with which no
message begins, and the file's name: whatever empties or replaces the content lets go of the file too.
"""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import IO

from webmail.compose import draft_message, uploads
from webmail.config import Settings
from webmail.errors import MailError
from webmail.mail import Draft
from webmail.models import Outbox

IN_ROW = 256 * 1024  # bytes; more is kept in a file
_REFERENCE = re.compile(rb"\0([0-9a-f]{32})")
_SUFFIX = ".eml"
_UNCLAIMED_SECONDS = 3600  # a file is written before its row


class ContentGone(MailError):
    """The file of a message is not on the disk any more."""

    status = 410


def built(draft: Draft, settings: Settings, *, at: datetime | None = None) -> bytes:
    """What the row holds of a draft's message, without Bcc, dated `at` (UTC, naive) or now; in constant memory.

    Raises UnsafeValue, BadAddress, FilesGone, uploads.NoRoom.
    """
    if sum(file.size for file in draft.attachments) < IN_ROW:
        return draft_message.to_bytes(draft, include_bcc=False, at=at)
    return _in_file(lambda out: draft_message.write(out, draft, include_bcc=False, at=at), settings)


def stored(message: bytes, settings: Settings) -> bytes:
    """What the row holds of this message. Raises uploads.NoRoom."""
    return message if len(message) < IN_ROW else _in_file(lambda out: out.write(message), settings)


def opened(content: bytes, settings: Settings) -> IO[bytes]:
    """The message that a row's content stands for, to be read and closed. Raises ContentGone."""
    found = _REFERENCE.fullmatch(content)
    if not found:
        return BytesIO(content)
    try:
        return open(_file(found[1], settings), "rb")
    except OSError as error:
        raise ContentGone(f"the message can't be read any more: {error.strerror}") from error  # people see it: no path


def with_header(content: bytes, change: Callable[[bytes], bytes], settings: Settings) -> bytes:
    """What the row holds of the message with another header. Raises ContentGone, uploads.NoRoom."""
    with opened(content, settings) as before:
        head = b""
        while b"\r\n\r\n" not in head and (more := before.read(uploads.CHUNK)):
            head += more
        end = head.find(b"\r\n\r\n")
        changed = change(head[:end]) + head[end:]
        if not _REFERENCE.fullmatch(content):
            return changed

        def write(out: IO[bytes]) -> None:
            out.write(changed)
            shutil.copyfileobj(before, out, uploads.CHUNK)

        return _in_file(write, settings)


def remove(content: bytes, settings: Settings) -> None:
    """Remove the file, where there is one, of a row that has let go of it."""
    if found := _REFERENCE.fullmatch(content):
        _file(found[1], settings).unlink(missing_ok=True)


def sweep(settings: Settings) -> int:
    """Remove the files that no row names; returns how many."""
    gone = 0
    for file in Path(settings.uploads_folder).glob(f"*{_SUFFIX}"):
        if _is_aged(file) and not Outbox.select(Outbox.id).where(Outbox.content == b"\0" + file.stem.encode()).exists():
            file.unlink(missing_ok=True)
            gone += 1
    return gone


@contextmanager
def for_drafts(draft: Draft, settings: Settings) -> Iterator[IO[bytes]]:
    """The message for the Drafts mailbox, with Bcc, as a file that ends with the block; in constant memory.

    Raises UnsafeValue, BadAddress, FilesGone, uploads.NoRoom.
    """
    folder = Path(settings.uploads_folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.SpooledTemporaryFile(max_size=IN_ROW, dir=str(folder)) as spool:  # /tmp is memory on many systems
        draft_message.write(spool, draft, include_bcc=True)
        yield spool


def _in_file(write: Callable[[IO[bytes]], object], settings: Settings) -> bytes:
    name = secrets.token_hex(16).encode()
    file = _file(name, settings)
    try:
        with uploads.full_disk_told():
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(file, "xb") as out:
                write(out)
        uploads.sync(file.parent, [file.name])
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return b"\0" + name


def _is_aged(file: Path) -> bool:
    try:
        return file.stat().st_mtime < time.time() - _UNCLAIMED_SECONDS
    except FileNotFoundError:  # its message was filed at this moment
        return False


def _file(name: bytes, settings: Settings) -> Path:
    """Beside the folders of the drafts: these end with their draft, which is before its message is filed."""
    return Path(settings.uploads_folder, name.decode() + _SUFFIX)
