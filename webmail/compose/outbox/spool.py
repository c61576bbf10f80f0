"""Spool: the bytes of queued messages, small ones in their outbox row, large ones in a stored file that the row refers to.

A file is synced before its row is written, and is never modified. The row's `content` is then a NUL, which no message
starts with, followed by the file name: clearing or replacing the content also releases the file.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from io import BytesIO
from typing import IO

from webmail.compose.attachments import uploads
from webmail.config.settings import Settings
from webmail.errors import MailError
from webmail.mail import Draft
from webmail.mime import builder
from webmail.mime.headers import proof
from webmail.models import Outbox
from webmail.storage import FileGoneError, StorageAwayError, open_file, temporary_file

log = logging.getLogger(__name__)

IN_ROW = 256 * 1024  # bytes; larger messages go to a file
_REFERENCE = re.compile(rb"\0([0-9a-f]{32})")
_SUFFIX = ".eml"
_UNCLAIMED_SECONDS = 3600  # a file is written before its row


class ContentGoneError(MailError):
    """The message's spool file is no longer there."""

    status = 410


def built(draft: Draft, settings: Settings, *, at: datetime | None = None, prove: bool = False) -> bytes:
    """Build a draft's message without Bcc, dated `at` (naive UTC) or now; returns the row's content. Constant memory.

    `prove`: mark it as sent by whom it names (`mime/headers/proof.py`), unless it is large.
    Raises UnsafeValueError, BadAddressError, FilesGoneError, StorageFullError, StorageAwayError.
    """
    date = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
    if len(draft.html) + sum(file.size for file in draft.attachments) < IN_ROW:
        message = builder.build(draft, date=date)
        return proof.header(message, settings.secret_key) + message if prove else message
    return _in_file(builder.pieces(draft, date=date), settings)


def stored(message: bytes, settings: Settings, *, prove: bool = False) -> bytes:
    """Store these bytes; returns the row's content. `prove` as in `built`. Raises StorageFullError, StorageAwayError."""
    if prove and len(message) < IN_ROW:
        message = proof.header(message, settings.secret_key) + message
    return message if len(message) < IN_ROW else _in_file([message], settings)


def opened(content: bytes, settings: Settings) -> IO[bytes]:
    """Open the message that a row's content refers to; the caller closes it. Raises ContentGoneError, StorageAwayError."""
    found = _REFERENCE.fullmatch(content)
    if not found:
        return BytesIO(content)
    try:
        return open_file(uploads.files(settings), _name(found[1]))
    except FileGoneError as error:
        raise ContentGoneError("the message is no longer here") from error


def with_header(content: bytes, change: Callable[[bytes], bytes], settings: Settings) -> bytes:
    """Store the message with its header changed; returns the new content. Raises ContentGoneError, StorageFullError,
    StorageAwayError."""
    with opened(content, settings) as before:
        head = b""
        while b"\r\n\r\n" not in head and (more := before.read(uploads.CHUNK)):
            head += more
        end = head.find(b"\r\n\r\n")
        changed = change(head[:end]) + head[end:]
        if not _REFERENCE.fullmatch(content):
            return proof.renewed(changed, settings.secret_key)
        return _in_file(_followed(changed, before), settings)


def _followed(head: bytes, rest: IO[bytes]) -> Iterator[bytes]:
    yield head
    yield from iter(lambda: rest.read(uploads.CHUNK), b"")


def remove(content: bytes, settings: Settings) -> None:
    """Delete the file, if any, that a row's former content referred to. Never raises: what stays now is swept away later."""
    if found := _REFERENCE.fullmatch(content):
        try:
            uploads.files(settings).delete(_name(found[1]))
        except StorageAwayError as error:
            log.warning("the file of a message stays for now: %s", error)


def sweep(settings: Settings) -> int:
    """Delete files that no row refers to; returns how many. None while the storage is away."""
    files, gone = uploads.files(settings), 0
    try:
        for file in files.list(nested=False):
            stem, suffix = file.name[: -len(_SUFFIX)], file.name[-len(_SUFFIX) :]
            if suffix != _SUFFIX or file.age < _UNCLAIMED_SECONDS:
                continue
            if not Outbox.select(Outbox.id).where(Outbox.content == b"\0" + stem.encode()).exists():
                files.delete(file.name)
                gone += 1
    except StorageAwayError as error:
        log.warning("files of messages that have left are not looked for: %s", error)
    return gone


def draft_copy_file(draft: Draft, settings: Settings) -> AbstractContextManager[IO[bytes]]:
    """The message for the Drafts mailbox, with Bcc, as a temporary file. Constant memory.

    Raises UnsafeValueError, BadAddressError, FilesGoneError, StorageFullError, StorageAwayError.
    """
    return temporary_file(builder.pieces(draft, date=datetime.now(UTC), include_bcc=True), settings, IN_ROW)


def _in_file(chunks: Iterable[bytes], settings: Settings) -> bytes:
    name = secrets.token_hex(16).encode()
    uploads.files(settings).put(_name(name), chunks)
    return b"\0" + name


def _name(name: bytes) -> str:
    """Next to the drafts' files, not among them: those are deleted with the draft, before its message is filed."""
    return name.decode() + _SUFFIX
