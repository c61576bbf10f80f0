"""Stored content: the bytes of large files, encrypted in pieces, each an object in the storage and a row that names it.

A row is written once its object is durable, and says how far the content has come: whoever was killed in between goes on there.
Each content has a key of its own (AES-256-GCM, NIST SP 800-38D), sealed with the instance's secret, or with a key that only the
link of its transfer holds. A piece is bound to its content and its place in it: pieces can't be exchanged.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from webmail import vault
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import MailError
from webmail.models import ContentPiece, ContentState, StoredContent, TransferFile, User, now
from webmail.storage import FileGoneError, Storage, StorageArea, StorageAwayError, open_storage
from webmail.transfers.uploads import hashing

log = logging.getLogger(__name__)

PIECE = 4 * 1024 * 1024  # bytes; what is read from a slow line may end anywhere, and makes a shorter one
_LEAST = 256 * 1024  # a last piece that is shorter is written anew with what follows, or tiny requests would make endless rows
_TOGETHER = 8  # pieces that are made durable in one go
_SOON = 60.0  # seconds: or fewer, as they come slowly
_NONCE = 12
_PURPOSE = "transfer content"


class WrongOffsetError(MailError):
    """Bytes for another place than the end of what is there; `received` says where that is."""

    status = 409

    def __init__(self, received: int) -> None:
        super().__init__(f"{received} bytes are there")
        self.received = received


class TooManyBytesError(MailError):
    """More than were declared; what belongs to the file was kept."""

    status = 413


class WrongKeyError(MailError):
    """The key does not open the content: the link was cut, or belongs to another transfer."""

    status = 404


class ContentDamagedError(MailError):
    """What is stored is not what was written."""

    status = 500


@dataclass(frozen=True, slots=True)
class _Sealer:
    """Encrypts the pieces of one content."""

    cipher: AESGCM
    name: str

    def seal(self, piece: bytes | bytearray, start: int) -> list[bytes]:
        nonce = secrets.token_bytes(_NONCE)
        return [nonce, self.cipher.encrypt(nonce, piece, self._nonce_at(start))]

    def open(self, sealed: bytes, start: int) -> bytes:
        try:
            return self.cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._nonce_at(start))
        except (InvalidTag, ValueError) as error:
            raise ContentDamagedError(f"the piece of {self.name} at {start} can't be opened") from error

    def _nonce_at(self, start: int) -> bytes:
        return f"{self.name}/{start}".encode()


def begin(owner: User, size: int, settings: Settings, link_key: bytes | None = None) -> StoredContent:
    """A content of so many bytes, none of which are there yet. With `link_key`, only that opens it."""
    name, key = secrets.token_hex(16), secrets.token_bytes(32)
    sealed = vault.seal_secret(key, _sealing_secret(settings, link_key), _PURPOSE, owner.id)
    row = StoredContent.create(owner=owner, name=name, size=size, key=sealed, key_in_link=int(link_key is not None))
    if size == 0:
        _mark_whole(row)
    return row


def append(
    content: StoredContent, offset: int, chunks: Iterable[bytes], settings: Settings, link_key: bytes | None = None
) -> int:
    """Add bytes at the end; returns how many are there then, all of them durable.

    Raises WrongOffsetError (also where another request adds at this moment: the first to end a piece wins), TooManyBytesError,
    WrongKeyError, StorageFullError and StorageAwayError, and what `chunks` raises: what came before is kept. `content.received`
    follows.
    """
    if offset != content.received or content.state != ContentState.UPLOADING:
        raise WrongOffsetError(content.received)
    writer = _Writer(content, _sealer(content, settings, link_key), _files(settings))
    try:
        for chunk in chunks:
            writer.add(chunk)
    finally:
        writer.flush()
    if content.received == content.size:
        _mark_whole(content)
    return content.received


class _Writer:
    """Gathers bytes into pieces, and makes several of them durable together."""

    def __init__(self, content: StoredContent, sealer: _Sealer, files: Storage) -> None:
        self.content, self.sealer, self.files = content, sealer, files
        self.at = content.received  # where the piece being gathered begins
        self.waiting: list[tuple[int, int, str]] = []  # (start, size, name) of objects without a row
        self.piece = bytearray()
        self.replaced: ContentPiece | None = None
        self.failed = False
        self.settled = time.monotonic()
        self.hash = hashing.take(content.id, content.received)
        self.hashed = content.received  # bytes of a piece that is written anew were counted before
        self._take_up_last()

    def _take_up_last(self) -> None:
        """A short piece at the end is written anew, together with what follows."""
        last = ContentPiece.select().where(ContentPiece.content == self.content).order_by(ContentPiece.start.desc()).first()
        if last is not None and last.size < _LEAST:
            self.piece += self.sealer.open(_object(self.files, self.content, last.name), last.start)
            self.at, self.replaced = last.start, last

    def add(self, chunk: bytes) -> None:
        view = memoryview(chunk)
        room = self.content.size - self.at - len(self.piece)
        for part in range(0, min(len(view), room), PIECE):
            self._add_some(view[:room][part : part + PIECE])
        if len(view) > room:
            raise TooManyBytesError(f"more than the {self.content.size} bytes that were declared")

    def _add_some(self, part: memoryview) -> None:
        fits = PIECE - len(self.piece)
        self.piece += part[:fits]
        if len(self.piece) == PIECE:
            self._put()
            self.piece += part[fits:]
        if len(self.waiting) >= _TOGETHER or (self.waiting and time.monotonic() - self.settled > _SOON):
            self._settle()

    def _put(self) -> None:
        name = f"{self.at:014x}-{secrets.token_hex(4)}"
        sealed = self.sealer.seal(self.piece, self.at)
        try:
            self.files.put(f"{self.content.name}/{name}", sealed, sync=False)
        except BaseException:
            self.failed = True  # what follows would leave a gap
            raise
        self.waiting.append((self.at, len(self.piece), name))
        if self.hash is not None:
            self.hash.update(memoryview(self.piece)[self.hashed - self.at :])
        self.at += len(self.piece)
        self.hashed = self.at
        self.piece = bytearray()

    def flush(self) -> None:
        """What is left becomes a piece, as short as it is."""
        fresh = self.at + len(self.piece) > self.content.received
        if self.piece and fresh and not self.failed:
            self._put()
        self._settle()

    def _settle(self) -> None:
        """Write rows for what is durable. The content's length decides who of two was first."""
        if not self.waiting:
            return
        rows, self.waiting = self.waiting, []
        self.failed = True  # until these have their rows: what follows would leave a gap
        self.files.sync([f"{self.content.name}/{name}" for _start, _size, name in rows])
        end = rows[-1][0] + rows[-1][1]
        with db.atomic():
            won = _lengthen(self.content, end)
            if won and self.replaced is not None:
                self.replaced.delete_instance()
            if won:
                ContentPiece.insert_many(
                    [{"content": self.content, "start": start, "size": size, "name": name} for start, size, name in rows]
                ).execute()
        if not won:
            for _start, _size, name in rows:
                self.files.delete(f"{self.content.name}/{name}")
            raise WrongOffsetError(_received(self.content))
        self.failed, self.settled = False, time.monotonic()
        self.content.received = end
        if self.hash is not None:
            hashing.keep(self.content.id, end, self.hash.copy())
        if self.replaced is not None:
            _drop_object(self.files, self.content, self.replaced.name)
            self.replaced = None


def end_here(content: StoredContent) -> bool:
    """What came is all there is: its size was a bound until now. False where another request adds to it."""
    mine = (StoredContent.id == content.id) & (StoredContent.received == content.received)
    uploading = StoredContent.state == ContentState.UPLOADING
    if content.state == ContentState.UPLOADING:
        if not StoredContent.update(size=content.received, touched=now()).where(mine & uploading).execute():
            return False
        content.size = content.received
        _mark_whole(content)
    return True


def _lengthen(content: StoredContent, end: int) -> bool:
    mine = (StoredContent.id == content.id) & (StoredContent.received == content.received)
    uploading = StoredContent.state == ContentState.UPLOADING  # it may be on its way out, or have ended where it was
    content.touched = now()
    return bool(StoredContent.update(received=end, touched=content.touched).where(mine & uploading).execute())


def _received(content: StoredContent) -> int:
    row = StoredContent.select(StoredContent.received).where(StoredContent.id == content.id).first()
    return row.received if row is not None else 0


def _mark_whole(content: StoredContent) -> None:
    content.state = ContentState.CHECKING
    StoredContent.update(state=content.state, touched=now()).where(
        (StoredContent.id == content.id) & (StoredContent.state == ContentState.UPLOADING)
    ).execute()


def read(
    content: StoredContent, settings: Settings, start: int = 0, length: int | None = None, link_key: bytes | None = None
) -> Iterator[bytes]:
    """The bytes from `start` on, `length` of them at most, a piece of 4 MiB at a time.

    Raises WrongKeyError and FileGoneError before the first piece; ContentDamagedError, FileGoneError or StorageAwayError may come
    later.
    """
    sealer, files = _sealer(content, settings, link_key), _files(settings)
    end = content.size if length is None else min(content.size, start + length)
    pieces = _pieces(content, start, end)
    first = next(pieces, None)
    if first is None and start < end:
        raise FileGoneError(f"nothing of {content.name} is stored")
    return _opened(first, pieces, sealer, files, content, start, end)


def _opened(
    first: ContentPiece | None, others: Iterator[ContentPiece], sealer: _Sealer, files: Storage,
    content: StoredContent, start: int, end: int,
) -> Iterator[bytes]:  # fmt: skip
    at, piece = start, first
    while piece is not None and at < end:
        if not piece.start <= at < piece.start + piece.size:
            raise ContentDamagedError(f"{content.name} has a gap at {at}")
        sealed = _object(files, content, piece.name)
        plain = sealer.open(sealed, piece.start)
        del sealed  # 4 MiB less while the reader takes them
        part = plain[at - piece.start : end - piece.start]
        at += len(part)
        yield part
        piece = next(others, None)
    if at < end:
        raise ContentDamagedError(f"{content.name} ends at {at}")


def _pieces(content: StoredContent, start: int, end: int) -> Iterator[ContentPiece]:
    """The rows of what lies between, few at a time: reading may take hours, and holds no cursor."""
    at = start
    while at < end:
        inside = (ContentPiece.content == content) & (ContentPiece.start > at - PIECE - 1) & (ContentPiece.start < end)
        found = [
            one for one in ContentPiece.select().where(inside).order_by(ContentPiece.start).limit(64) if one.start + one.size > at
        ]
        if not found:
            return
        yield from found
        at = found[-1].start + found[-1].size


def opens(content: StoredContent, settings: Settings) -> bool:
    """Whether the present `secret_key` opens it; not for those whose key is in the link."""
    try:
        return bool(_sealer(content, settings, None))
    except WrongKeyError:
        return False


def delete(content: StoredContent, settings: Settings) -> None:
    """Delete the bytes, then the row: who is killed in between finds the row again. Raises StorageAwayError."""
    _files(settings).delete_all(content.name)
    hashing.forget(content.id)
    ContentPiece.delete().where(ContentPiece.content == content).execute()
    StoredContent.delete().where(StoredContent.id == content.id).execute()


def share(file: TransferFile, content: StoredContent) -> StoredContent | None:
    """Let a file use an equal content of the same owner that is there already; returns that, or None where there is none.

    Never for content whose key only a link holds: another link does not open it.
    """
    if content.key_in_link or not content.sha256:
        return None
    equal = (
        (StoredContent.owner == content.owner_id)
        & (StoredContent.sha256 == content.sha256)
        & (StoredContent.size == content.size)
        & (StoredContent.key_in_link == 0)
        & (StoredContent.id < content.id)  # of two that come at once the later gives way
    )
    for twin in list(StoredContent.select().where(equal).order_by(StoredContent.id)):
        with db.atomic():
            if _lock(twin, ContentState.READY):
                TransferFile.update(content=twin).where(TransferFile.id == file.id).execute()
                return twin
    return None


def drop_if_unused(content: StoredContent, settings: Settings) -> bool:
    """Delete content that no file has any more; whether it is gone. Raises StorageAwayError: the next sweep goes on there."""
    with db.atomic():
        if not _lock(content):
            return True
        if TransferFile.select(TransferFile.id).where(TransferFile.content == content).exists():
            return False
        StoredContent.update(state=ContentState.DELETED).where(StoredContent.id == content.id).execute()
    delete(content, settings)
    return True


def _lock(content: StoredContent, state: ContentState | None = None) -> bool:
    """Keep others from changing the row until this transaction ends; whether it is there, in that state."""
    mine = StoredContent.id == content.id
    if state is not None:
        mine &= StoredContent.state == state
    return bool(StoredContent.update(touched=StoredContent.touched).where(mine).execute())


def sweep_strays(settings: Settings, older: float = 7200.0) -> int:
    """Delete objects that no row names: of accounts that are gone, or of a process that was killed. Returns how many. A piece has
    its row within minutes; `older`: seconds.
    """
    files, known, gone = _files(settings), {}, 0
    for file in files.list():
        folder, _slash, name = file.name.partition("/")
        if file.age < older:
            continue
        if folder not in known:
            rows = ContentPiece.select(ContentPiece.name).join(StoredContent).where(StoredContent.name == folder)
            known = {folder: {row.name for row in rows}}  # of this folder alone: there may be many
        if name not in known[folder]:
            _try_to_delete(files, file.name)
            gone += 1
    return gone


def _try_to_delete(files: Storage, name: str) -> None:
    try:
        files.delete(name)
    except StorageAwayError as error:
        log.warning("%s stays for now: %s", name, error)


def _drop_object(files: Storage, content: StoredContent, name: str) -> None:
    _try_to_delete(files, f"{content.name}/{name}")


def _object(files: Storage, content: StoredContent, name: str) -> bytes:
    return b"".join(files.get(f"{content.name}/{name}"))


def _files(settings: Settings) -> Storage:
    return open_storage(settings, StorageArea.TRANSFERS)


def _sealing_secret(settings: Settings, link_key: bytes | None) -> str:
    return settings.secret_key if link_key is None else f"{link_key.hex()}\n{settings.secret_key}"


def change_owner(content: StoredContent, owner: User, settings: Settings) -> None:
    """Give it to somebody else: its key is sealed for its owner, and so anew. Raises WrongKeyError, also if the link has it."""
    if content.key_in_link:
        raise WrongKeyError("the key is in the link")
    secret = _sealing_secret(settings, None)
    try:
        key = vault.open_secret(bytes(content.key), secret, _PURPOSE, content.owner_id)
    except vault.CannotOpenError as error:
        raise WrongKeyError(str(error)) from error
    sealed = vault.seal_secret(key, secret, _PURPOSE, owner.id)
    StoredContent.update(owner=owner, key=sealed).where(StoredContent.id == content.id).execute()


def _sealer(content: StoredContent, settings: Settings, link_key: bytes | None) -> _Sealer:
    if content.key_in_link and link_key is None:
        raise WrongKeyError("the key is in the link")
    secret = _sealing_secret(settings, link_key if content.key_in_link else None)
    try:
        key = vault.open_secret(bytes(content.key), secret, _PURPOSE, content.owner_id)
    except vault.CannotOpenError as error:
        raise WrongKeyError(str(error)) from error
    return _Sealer(AESGCM(key), content.name)
