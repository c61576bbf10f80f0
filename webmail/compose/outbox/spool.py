"""Spool: the bytes of queued messages, small ones in their outbox row, large ones in a file that the row refers to.

A file is synced to disk before its row is written, and is never modified. The row's `content` is then a NUL, which no message
starts with, followed by the file name: clearing or replacing the content also releases the file.
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

IN_ROW = 256 * 1024  # bytes; larger messages go to a file
_REFERENCE = re.compile(rb"\0([0-9a-f]{32})")
_SUFFIX = ".eml"
_UNCLAIMED_SECONDS = 3600  # a file is written before its row


class ContentGone(MailError):
    """The message's spool file is no longer on disk."""

    status = 410


def built(draft: Draft, settings: Settings, *, at: datetime | None = None) -> bytes:
    """Build a draft's message without Bcc, dated `at` (naive UTC) or now; returns the row's content. Constant memory.

    Raises UnsafeValue, BadAddress, FilesGone, uploads.NoRoom.
    """
    if sum(file.size for file in draft.attachments) < IN_ROW:
        return draft_message.to_bytes(draft, include_bcc=False, at=at)
    return _in_file(lambda out: draft_message.write(out, draft, include_bcc=False, at=at), settings)


def stored(message: bytes, settings: Settings) -> bytes:
    """Store these bytes; returns the row's content. Raises uploads.NoRoom."""
    return message if len(message) < IN_ROW else _in_file(lambda out: out.write(message), settings)


def opened(content: bytes, settings: Settings) -> IO[bytes]:
    """Open the message that a row's content refers to; the caller closes it. Raises ContentGone."""
    found = _REFERENCE.fullmatch(content)
    if not found:
        return BytesIO(content)
    try:
        return open(_file(found[1], settings), "rb")
    except OSError as error:
        raise ContentGone(f"the message can't be read any more: {error.strerror}") from error  # shown to users, so no path


def with_header(content: bytes, change: Callable[[bytes], bytes], settings: Settings) -> bytes:
    """Store the message with its header changed; returns the new content. Raises ContentGone, uploads.NoRoom."""
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
    """Delete the file, if any, that a row's former content referred to."""
    if found := _REFERENCE.fullmatch(content):
        _file(found[1], settings).unlink(missing_ok=True)


def sweep(settings: Settings) -> int:
    """Delete files that no row refers to; returns how many."""
    gone = 0
    for file in Path(settings.uploads_folder).glob(f"*{_SUFFIX}"):
        if _is_aged(file) and not Outbox.select(Outbox.id).where(Outbox.content == b"\0" + file.stem.encode()).exists():
            file.unlink(missing_ok=True)
            gone += 1
    return gone


@contextmanager
def for_drafts(draft: Draft, settings: Settings) -> Iterator[IO[bytes]]:
    """The message for the Drafts mailbox, with Bcc, as a temporary file. Constant memory.

    Raises UnsafeValue, BadAddress, FilesGone, uploads.NoRoom.
    """
    folder = Path(settings.uploads_folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.SpooledTemporaryFile(max_size=IN_ROW, dir=str(folder)) as spool:  # the default directory is often in RAM
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
    except FileNotFoundError:  # filing its message removed it just now
        return False


def _file(name: bytes, settings: Settings) -> Path:
    """Next to the drafts' folders, not inside: those are deleted with the draft, before its message is filed."""
    return Path(settings.uploads_folder, name.decode() + _SUFFIX)
