"""Files of a transfer, sent whole or in pieces by their name: the pieces follow one another, and what came stays.

Uploads by tus have addresses of their own (`views/uploads.py`).
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from webmail.api.problems import ProblemError
from webmail.config.settings import Settings
from webmail.models import ContentState, StoredContent, Transfer, TransferFile
from webmail.transfers import assembly, content, limits, store
from webmail.transfers.content import TooManyBytesError, WrongOffsetError
from webmail.transfers.uploads import upload_bodies
from webmail.transfers.uploads.upload_bodies import Body, Sender

_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class FilePiece:
    """What a request brings of a file. `end`: after its last byte; `size`: of the whole."""

    start: int
    end: int
    size: int


def piece_of(length: int | None, given_range: str) -> FilePiece:
    """By its length, and `Content-Range` where it is not the whole. Raises ProblemError."""
    if length is None:
        raise ProblemError("no-length", headers={"Connection": "close"})
    if not given_range:
        return FilePiece(0, length, length)
    found = _RANGE.fullmatch(given_range.strip())
    start, last, size = (int(one) for one in found.groups()) if found else (0, 0, 0)
    if found is None or not start <= last < size or last - start + 1 != length:
        raise ProblemError("invalid", errors=[{"at": "Content-Range", "fault": "must be such as bytes 0-8388607/20000000"}])
    return FilePiece(start, last + 1, size)


def take(
    transfer: Transfer,
    path: str,
    piece: FilePiece,
    body: Body,
    sender: Sender,
    settings: Settings,
    add: Callable[[], TransferFile],
) -> TransferFile:
    """Take what came for the file of this name; one that begins anew replaces what was there. `add`: makes the row of a new one.

    Raises ProblemError, and what uploads raise: what came before is kept.
    """
    file = store.file_of(transfer, path=path)
    if file is not None and not _goes_on(file, piece):
        if piece.start:
            raise ProblemError("wrong-offset", received=file.content.received if file.content is not None else 0)
        store.remove_file(file, settings)
        file = None
    if file is None:
        if piece.start:
            raise ProblemError("wrong-offset", received=0)
        file = add()
    if file.content is not None and piece.end > piece.start:
        _append(file, file.content, piece, body, sender, settings)
    assembly.settle(file, settings)
    return file


def store_file(transfer: Transfer, path: str, size: int, chunks: Iterable[bytes], settings: Settings) -> TransferFile:
    """A whole file that is at hand. Raises OverLimitError, and what the storage raises."""
    file = store.add_file(transfer, path, size, mimetypes.guess_type(path)[0] or "", settings)
    if file.content is not None and size:
        content.append(file.content, 0, limits.as_there_is_room(file.content, chunks, settings), settings)
    assembly.settle(file, settings)
    return file


def _goes_on(file: TransferFile, piece: FilePiece) -> bool:
    """Whether it continues what is there."""
    stored = file.content
    if stored is None or stored.state != ContentState.UPLOADING:
        return False
    return bool(stored.size == piece.size and stored.received == piece.start)


def _append(
    file: TransferFile, stored: StoredContent, piece: FilePiece, body: Body, sender: Sender, settings: Settings
) -> None:  # fmt: skip
    try:
        with body.receiving(file.upload), upload_bodies.admitted(sender, settings) as place:
            body.place = place
            content.append(stored, piece.start, limits.as_there_is_room(stored, body.chunks(), settings), settings)
    except WrongOffsetError as error:  # another request brought the same
        raise ProblemError("wrong-offset", received=error.received) from error
    except TooManyBytesError as error:
        raise ProblemError("invalid", errors=[{"at": "Content-Length", "fault": "is less than what came"}]) from error
    if stored.received < piece.end:
        raise ProblemError("wrong-offset", "Less came than announced.", received=stored.received)
