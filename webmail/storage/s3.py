"""S3 storage: files as objects of a bucket, one each, for several machines; spoken to through obstore.

The mark, an object of its own, tells a bucket with our files from one that is new, emptied or another's: without it a missing
file is not taken for gone where somebody knows of files (`named`).

obstore runs threads of its own that a fork does not carry over: a process that has used this must not fork and go on with it.
"""

from __future__ import annotations

import itertools
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from webmail.config.storage import S3
from webmail.errors import EnglishText as _l
from webmail.errors import MailError
from webmail.storage.interface import CHUNK, MARK, FileGoneError, StorageAwayError, StorageFullError, StoredFile, check_name

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config, S3Store

PART = 8 * 1024 * 1024  # bytes; larger files are sent in parts of this size
_MOST_PARTS = 10_000  # S3's own limit
_SMALL = 512 * 1024  # bytes; sent like a question
_MOST_COPIED = 5 * 1024**3  # bytes that a server copies by itself: S3's own limit
_BELIEVED, _SURE = 20.0, 2.0  # seconds: how long a mark that was seen is believed in; before what may take longer than _ASK
_ASK, _READ = 3.0, 10.0  # seconds until the next bytes of an answer come, of a file
_SEND, _LONG = 20.0, 60.0  # seconds for a whole request that sends up to a part; that copies, or makes one object of many parts
_TRY_AGAIN_SECONDS = 1.0  # from the first request on

Pace = Literal["ask", "read", "send", "long"]

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,80})</Code>")
_FULL = re.compile(r"InsufficientStorage|Quota|StorageFull|EntityTooLarge|no space left", re.IGNORECASE)

_clients: dict[tuple[S3, Pace], S3Store] = {}
_used_by: list[int] = []  # the process whose threads obstore uses, once there is one
_seen: dict[tuple[S3, str], float] = {}  # when a mark was seen last (monotonic)
_lock = threading.Lock()


def _nothing_named() -> bool:
    return False


@dataclass(frozen=True)
class S3Storage:
    """Files below `area` in a bucket. `named`: whether somebody knows of files here, as for LocalStorage.

    The first file marks the area, unless `marks` is off: then `mark()` does.
    """

    bucket: S3
    area: str
    named: Callable[[], bool] = _nothing_named
    marks: bool = True

    def put(self, name: str, chunks: Iterable[bytes], *, sync: bool = True) -> int:
        key, source = self._key(name), _Source(chunks)
        first = source.up_to(PART + 1)
        if len(first) > PART:
            return self._put_parts(name, first, source)
        self._take_folder(surely=len(first) > _SMALL)
        with self._errors(name):
            _obstore().put(self._client("send" if len(first) > _SMALL else "ask"), key, first, use_multipart=False)
        return len(first)

    def _put_parts(self, name: str, first: bytes, source: _Source) -> int:
        """A large file: obstore sends it in parts, which become one object at the end or, after a fault, are taken back."""
        self._take_folder(surely=True)
        pieces = itertools.chain([first], source)
        try:
            with self._errors(name):
                _obstore().put(self._client("long"), self._key(name), pieces, chunk_size=PART, max_concurrency=2)
        except MailError as error:
            if source.error is not None:
                raise source.error from None
            if isinstance(error, FileGoneError):  # the parts, taken back by a server that had been too slow to join them
                raise StorageAwayError(f"{name}: the server did not take all of it") from error
            raise
        return source.size

    def sync(self, names: Iterable[str]) -> None:
        for name in names:  # durable since it was put
            self.about(name)

    def copy(self, name: str, new: str) -> None:
        key, target = self._key(name), self._key(new)
        self._take_folder()
        if self.size(name) > _MOST_COPIED:
            self.put(new, self.get(name))
            return
        with self._errors(name):
            _obstore().copy(self._client("long"), key, target)

    def get(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        found = self._open(name, start, length)
        return iter(()) if found is None else self._pieces(name, found, start, length)

    def about(self, name: str) -> StoredFile:
        with self._errors(name):
            return self._stored(_obstore().head(self._client(), self._key(name)))

    def size(self, name: str) -> int:
        return self.about(name).size

    def exists(self, name: str) -> bool:
        try:
            self.about(name)
        except FileGoneError:
            return False
        return True

    def delete(self, name: str) -> None:
        with suppress(FileGoneError), self._errors(name):
            _obstore().delete(self._client(), self._key(name))

    def delete_all(self, prefix: str) -> None:
        self._key(prefix)
        for batch in self._batches(prefix):
            with self._errors(prefix):
                _obstore().delete(self._client(), [self._key(file.name) for file in batch])

    def list(self, prefix: str = "", *, nested: bool = True) -> Iterator[StoredFile]:
        if nested:
            for batch in self._batches(prefix):
                yield from batch
            return
        self._look()
        with self._errors(prefix):
            found = _obstore().list_with_delimiter(self._client(), self._below(prefix))
        yield from self._files(found["objects"])

    def path(self, name: str) -> Path | None:
        self._key(name)
        return None

    # --- names -------------------------------------------------------------------------------------------------------

    def _key(self, name: str) -> str:
        check_name(name)
        return self._below(name)

    def _below(self, name: str) -> str:
        return "/".join(filter(None, (self.bucket.prefix, self.area, name)))

    def _stored(self, found: Any) -> StoredFile:
        age = (datetime.now(UTC) - found["last_modified"]).total_seconds()
        return StoredFile(found["path"].removeprefix(self._below("") + "/"), found["size"], max(age, 0.0))

    def _files(self, found: Iterable[Any]) -> Sequence[StoredFile]:
        """Those with names that we give; others' are none of ours."""
        files = []
        for one in map(self._stored, found):
            with suppress(ValueError):
                check_name(one.name)
                files.append(one)
        return files

    def _batches(self, prefix: str) -> Iterator[Sequence[StoredFile]]:
        """What lies below a prefix, a page of the server's answer at a time."""
        if prefix:
            check_name(prefix)
        self._look()
        with self._errors(prefix):
            pages = _obstore().list(self._client(), self._below(prefix), chunk_size=1000)
        while True:
            with self._errors(prefix):
                page = next(pages, None)
            if page is None:
                return
            yield self._files(page)

    # --- reading -----------------------------------------------------------------------------------------------------

    def _open(self, name: str, start: int, length: int | None, etag: str = "") -> Any:
        """The answer to a request for these bytes, or for all; None where there are none from there on."""
        self._is_marked(surely=True)  # a server that is away is known by this, sooner than by a file that takes time to begin
        key, options = self._key(name), {"if_match": etag} if etag else {}
        if not start and length is None:
            with self._errors(name):
                return _obstore().get(self._client("read"), key, options=options)
        size = self.about(name).size  # servers differ in what they say of a range that ends behind the file
        end = size if length is None else min(start + length, size)
        if start >= end:
            return None
        with self._errors(name):
            try:
                return _obstore().get(self._client("read"), key, options=options | {"range": (start, end)})
            except Exception as error:
                if "non-partial response" not in str(error):
                    raise
            return _obstore().get(self._client("read"), key, options=options)  # a server that gives all, or says so (rclone)

    def _pieces(self, name: str, found: Any, start: int, length: int | None) -> Iterator[bytes]:
        """The bytes of an answer. One that breaks off, as after a long pause of who reads, is asked for anew from there on."""
        at, etag, end = start, str(found.meta["e_tag"] or ""), found.meta["size"]
        end = end if length is None else min(start + length, end)
        while found is not None:
            before = at
            try:
                for piece in self._received(name, found, at, end):
                    at += len(piece)
                    yield piece
                return
            except StorageAwayError:
                if at == before:
                    raise
            found = self._open(name, at, end - at, etag)

    def _received(self, name: str, found: Any, start: int, end: int) -> Iterator[bytes]:
        """What of an answer lies between these positions in the file."""
        with self._errors(name):
            at, stream = found.range[0], iter(found.stream(min_chunk_size=CHUNK))
        while at < end:
            with self._errors(name):
                piece = next(stream, None)
            if piece is None:
                return
            wanted = bytes(piece)[max(start - at, 0) : end - at]
            at += len(piece)
            for cut in range(0, len(wanted), CHUNK):
                yield wanted[cut : cut + CHUNK]

    # --- the mark ----------------------------------------------------------------------------------------------------

    def _is_marked(self, *, surely: bool = False) -> bool:
        """Raises StorageAwayError, also where there is no such bucket."""
        with _lock:
            seen = _seen.get((self.bucket, self.area))
        if seen is not None and time.monotonic() - seen < (_SURE if surely else _BELIEVED):
            return True
        try:
            with _errors(f"its mark in {self.bucket.location}"):
                _obstore().get(self._client(), self._below(MARK)).bytes()
        except FileGoneError:
            return False
        with _lock:
            _seen[self.bucket, self.area] = time.monotonic()
        return True

    def _look(self, *, surely: bool = False) -> bool:
        """Whether it is marked. Raises StorageAwayError where it is not, and files are known of."""
        marked = self._is_marked(surely=surely)
        if not marked and self.named():
            raise StorageAwayError(
                f"{self.bucket.location} has none of our files ({self._below('')}/). Correct [s3] or, if they are lost for good, "
                f"put an empty object {self._below(MARK)}"
            )
        return marked

    def _take_folder(self, *, surely: bool = False) -> None:
        """Mark the area before something is put into it; `surely`: not long after the server answered last."""
        if not self._look(surely=surely) and self.marks:
            self.mark()

    def mark(self) -> None:
        """From now on what is missing here is gone, and not away."""
        with _errors(MARK):
            _obstore().put(self._client(), self._below(MARK), b"", use_multipart=False)

    @contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        try:
            with _errors(name):
                yield
        except FileGoneError:
            self._look()
            raise

    def _client(self, pace: Pace = "ask") -> S3Store:
        with _lock:
            if (self.bucket, pace) not in _clients:
                _clients[self.bucket, pace] = _connected(self.bucket, pace)
            return _clients[self.bucket, pace]


class _Source:
    """The chunks of a file that is put, how many bytes they were so far, and the error that they broke off with."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.size = 0
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks)
        except StopIteration:
            raise
        except Exception as error:
            self.error = error
            raise
        self.size += len(chunk)
        if self.size > _MOST_PARTS * PART:
            self.error = StorageFullError(f"a file of more than {_MOST_PARTS * PART} bytes")
            raise self.error
        return chunk

    def up_to(self, size: int) -> bytes:
        """The bytes until there are `size` of them at least, or no more."""
        found = bytearray()
        while len(found) < size and (chunk := next(self, None)) is not None:
            found += chunk
        return bytes(found)


def _connected(s3: S3, pace: Pace) -> S3Store:
    from obstore.store import S3Store

    options: ClientConfig = {
        "allow_http": s3.endpoint.startswith("http://"),
        "connect_timeout": "1s",
    }
    if pace in ("send", "long"):
        options["timeout"] = f"{_SEND if pace == 'send' else _LONG}s"
    else:
        options["timeout"] = "1 day"
        options["read_timeout"] = f"{_READ if pace == 'read' else _ASK}s"
    if s3.ca_file:
        options["root_certificate"] = Path(s3.ca_file).read_bytes()
    config: S3Config = {
        "region": s3.region,
        "access_key_id": s3.key_id,
        "secret_access_key": s3.secret,
        "virtual_hosted_style_request": not s3.path_style,
        "disable_bulk_delete": True,  # DeleteObjects, which several services lack
    }
    if s3.endpoint:
        config |= {"endpoint": s3.endpoint, "aws_endpoint_url_s3": s3.endpoint}  # else the latter is the environment's
    retries: RetryConfig = {
        "max_retries": 2,
        "retry_timeout": timedelta(seconds=_TRY_AGAIN_SECONDS),
        "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(milliseconds=300), "base": 2},
    }
    return S3Store(s3.bucket, config=config, client_options=options, retry_config=retries)


def _obstore() -> Any:
    """The library. Imported late: it is of use to nobody who keeps files on disk."""
    import obstore

    if not _used_by:
        _used_by.append(os.getpid())
    if _used_by[0] != os.getpid():  # it would wait for ever
        raise RuntimeError("this process was forked from one that had used object storage")
    return obstore


@contextmanager
def _errors(name: str) -> Iterator[None]:
    """What obstore raises as kinds of MailError: gone, full, or away for now."""
    try:
        yield
    except (MailError, ValueError, RuntimeError):
        raise
    except Exception as error:
        if not _is_theirs(error):
            raise
        text = str(error).partition("\n\nDebug source")[0]
        status, code = (found[1] if (found := one.search(text)) else "" for one in (_STATUS, _CODE))
        if status == "507" or _FULL.search(code) or (status[:1] in ("4", "5") and _FULL.search(text)):
            raise StorageFullError(f"{name} can't be kept: {code or status}") from error
        if isinstance(error, FileNotFoundError) and code != "NoSuchBucket":
            raise FileGoneError(f"no file {name}") from error
        raise StorageAwayError(_l("%(name)s: %(why)s", name=name, why=_reason(status, code, text))) from error


def _is_theirs(error: Exception) -> bool:
    from obstore.exceptions import BaseError

    return isinstance(error, BaseError | FileNotFoundError)


def _reason(status: str, code: str, text: str) -> str:
    """Why it does not answer as it should, in words for the log and the doctor."""
    if code or status:
        return _l("the server says %(answer)s", answer=" ".join(filter(None, (status, code))))
    return _l("the server does not answer") if "HTTP error" in text else text.splitlines()[0][:200]
