"""tus 1.0, resumable uploads (https://tus.io/protocols/resumable-upload): core, creation, creation with upload, expiration,
checksum, termination. Requests as headers and a body, answers as a status and headers: who may do what is decided by views.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC
from email.utils import format_datetime
from typing import Any, TypeAlias

from webmail.config.settings import Settings
from webmail.errors import MailError
from webmail.models import ContentState, StoredContent, Transfer, TransferFile
from webmail.storage import StorageAwayError, StorageFullError
from webmail.transfers import assembly, content, limits, store
from webmail.transfers.content import TooManyBytesError, WrongOffsetError
from webmail.transfers.limits import MB
from webmail.transfers.uploads.upload_bodies import RETRY_SECONDS, Body, TooManyUploadsError, UploadBusyError

log = logging.getLogger(__name__)

TusHeaders: TypeAlias = Any  # of a request; their `get` knows no upper and lower case
AdmittedBody: TypeAlias = Callable[[TransferFile], AbstractContextManager[Body]]  # what a request brings for a file
VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,checksum,termination"
CHECKED = 8 * MB  # bytes of a PATCH with a checksum: they wait in memory until it is known to be right
OFFSET_TYPE = "application/offset+octet-stream"
WRONG_CHECKSUM = 460
_ALGORITHMS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}
_METADATA = 4096  # characters
_NUMBER = re.compile(r"[0-9]{1,15}")
_KEY = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,60}")
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]{1,80}/[\w!#$&^.+-]{1,80}", re.A)


class TusRefusalError(MailError):
    """A request that the protocol does not allow; the message is for who wrote the program."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class TusAnswer:
    """`error`: why it was refused, for views that say it in words of people; `file`: what it was about."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    error: MailError | None = None
    file: TransferFile | None = None


@dataclass(frozen=True, slots=True)
class Creation:
    """What a POST asks for: a file of so many bytes. `path` is as it was sent."""

    size: int
    path: str
    media_type: str


def answered(headers: TusHeaders, act: Callable[[], TusAnswer]) -> TusAnswer:
    """The answer to a request, or what is wrong with it; with the headers that every answer has."""
    try:
        check_version(headers)
        found = act()
    except TusRefusalError as error:
        found = TusAnswer(error.status, error.headers, error)
    except WrongOffsetError as error:
        found = TusAnswer(409, {"Upload-Offset": str(error.received)}, error)
    except TooManyUploadsError as error:
        found = TusAnswer(error.status, _later(error.retry), error)
    except (UploadBusyError, StorageAwayError) as error:
        found = TusAnswer(error.status, _later(RETRY_SECONDS), error)
    except MailError as error:
        if error.status >= 500 and not isinstance(error, StorageFullError):
            log.error("an upload failed: %s", error)
        found = TusAnswer(error.status, {}, error)
    return TusAnswer(
        found.status, {"Tus-Resumable": VERSION, "Cache-Control": "no-store", **found.headers}, found.error, found.file
    )


def later(answer: TusAnswer, pause: Callable[[], int]) -> TusAnswer:
    """The answer, and when to send more of the file if others want to: `pause` tells the seconds."""
    stored = answer.file.content if answer.file is not None else None
    if answer.file is None or stored is None or stored.state != ContentState.UPLOADING:
        return answer
    seconds = pause()
    return replace(answer, headers=answer.headers | _later(seconds)) if seconds else answer


def _later(seconds: int) -> dict[str, str]:
    return {"Retry-After": str(seconds)}


def check_version(headers: TusHeaders) -> None:
    """Raises TusRefusalError (412)."""
    if headers.get("Tus-Resumable", "") != VERSION:
        raise TusRefusalError(412, f"Tus-Resumable: {VERSION} is needed", {"Tus-Version": VERSION})


def options(settings: Settings, most_bytes: int = 0) -> TusAnswer:
    """What this server knows. `most_bytes`: of a file, besides the limit of `[transfers]`."""
    most = settings.transfers.file_mb * MB
    told = {
        "Tus-Resumable": VERSION,
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(min(most, most_bytes or most)),
        "Tus-Checksum-Algorithm": ",".join(_ALGORITHMS),
    }
    return TusAnswer(204, told)


def method(name: str, headers: TusHeaders) -> str:
    """The method that is meant: some clients can only POST, and say it in a header. HEAD, which needs no token, stays HEAD."""
    return (headers.get("X-HTTP-Method-Override") or name).upper() if name == "POST" else name


def creation(headers: TusHeaders) -> Creation:
    """What a POST asks for. Raises TusRefusalError (400)."""
    if headers.get("Upload-Defer-Length") or headers.get("Upload-Concat"):
        raise TusRefusalError(400, "Upload-Defer-Length and Upload-Concat are not known here")
    told = metadata(headers.get("Upload-Metadata", ""))
    path = next((told[key] for key in ("relativePath", "filename", "name") if told.get(key) not in (None, "", "null")), "")
    media_type = told.get("filetype") or told.get("type") or ""
    known = media_type if _MEDIA_TYPE.fullmatch(media_type) else ""
    return Creation(_number(headers, "Upload-Length"), path, known)


def metadata(header: str) -> dict[str, str]:
    """`Upload-Metadata`: keys and values, of which some may be empty. Raises TusRefusalError (400)."""
    if len(header) > _METADATA:
        raise TusRefusalError(400, f"Upload-Metadata is longer than {_METADATA} characters")
    found: dict[str, str] = {}
    for pair in header.split(",") if header.strip() else []:
        key, _space, value = pair.strip().partition(" ")
        if not _KEY.fullmatch(key) or key in found:
            raise TusRefusalError(400, "Upload-Metadata has keys that are empty, no ASCII, or there twice")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise TusRefusalError(400, f"the value of {key} in Upload-Metadata is no Base64 of UTF-8") from error
    return found


def name_in(headers: TusHeaders) -> str:
    """The name that a POST gives its file; "" where it can't be read."""
    try:
        return creation(headers).path
    except TusRefusalError:
        return ""


def create(
    headers: TusHeaders, body: AdmittedBody, transfer: Transfer, settings: Settings, address: Callable[[TransferFile], str], *,
    link_key: bytes | None = None, most_bytes: int = 0, most_files: int = 0,
) -> TusAnswer:  # fmt: skip
    """POST: a new file, with its first bytes if some came along. `most_...`: of a transfer, besides those of `[transfers]`.

    Where its bytes are not admitted, the file is there all the same, and they are to follow.

    Raises TusRefusalError, OverLimitError; what stopped the bytes leaves the file, to be gone on with.
    """
    asked = creation(headers)
    file = store.add_file(
        transfer, asked.path, asked.size, asked.media_type, settings,
        link_key=link_key, most_bytes=most_bytes, most_files=most_files,
    )  # fmt: skip
    told = {"Location": address(file)}
    try:
        if brings_bytes(headers):
            with body(file) as coming:
                _take_in(file, 0, headers, coming, settings, link_key)
        else:
            assembly.settle(file, settings, link_key)
    except MailError as error:
        log.info("the first bytes of %s were not taken: %s", file.upload, error)
    return TusAnswer(201, told | _state(file), file=file)


def head(file: TransferFile, settings: Settings, link_key: bytes | None = None) -> TusAnswer:
    """HEAD: how far it has come. Raises TusRefusalError (410)."""
    stored = _content(file)
    if stored.state == ContentState.CHECKING and stored.key_in_link and link_key is not None:
        assembly.settle(file, settings, link_key)
    names = {"filename": file.path, "filetype": file.media_type}
    told = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in names.items())
    return TusAnswer(200, {"Upload-Length": str(stored.size), "Upload-Metadata": told, **_state(file)}, file=file)


def patch(
    file: TransferFile, headers: TusHeaders, body: AdmittedBody, settings: Settings, link_key: bytes | None = None
) -> TusAnswer:
    """PATCH: more bytes. Raises TusRefusalError, TooManyUploadsError, UploadBusyError, and what `content.append` raises."""
    if not brings_bytes(headers):
        raise TusRefusalError(415, f"Content-Type: {OFFSET_TYPE} is needed")
    with body(file) as coming:
        _take_in(file, _number(headers, "Upload-Offset"), headers, coming, settings, link_key)
    return TusAnswer(204, _state(file), file=file)


def terminate(file: TransferFile, settings: Settings) -> TusAnswer:
    """DELETE: the file is not wanted any more."""
    store.remove_file(file, settings)
    return TusAnswer(204)


def _take_in(
    file: TransferFile, offset: int, headers: TusHeaders, body: Body, settings: Settings, link_key: bytes | None
) -> None:
    stored = _content(file)
    if stored.state != ContentState.UPLOADING and offset == stored.size and not body.length:
        return  # a client that did not hear that the last bytes had come
    algorithm = _checksum(headers)
    if offset != stored.received:
        raise WrongOffsetError(stored.received)
    if body.length is not None and offset + body.length > stored.size:
        raise TooManyBytesError(f"more than the {stored.size} bytes that were declared")
    chunks = body.chunks() if algorithm is None else _checked(body, *algorithm)
    try:
        content.append(stored, offset, limits.as_there_is_room(stored, chunks, settings), settings, link_key)
    finally:
        if stored.state == ContentState.CHECKING:
            assembly.settle(file, settings, link_key)


def _checksum(headers: TusHeaders) -> tuple[str, bytes] | None:
    given = headers.get("Upload-Checksum")
    if given is None:
        return None
    name, _space, value = given.strip().partition(" ")
    if name not in _ALGORITHMS:
        raise TusRefusalError(400, f"Upload-Checksum: {', '.join(_ALGORITHMS)} are known")
    try:
        return name, base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise TusRefusalError(400, "Upload-Checksum is no Base64") from error


def _checked(body: Body, name: str, expected: bytes) -> Iterator[bytes]:
    """All of a body, once its checksum is known to be right: nothing of another is kept."""
    if (body.length or 0) > CHECKED:
        raise TusRefusalError(413, f"a PATCH with a checksum has {CHECKED} bytes at most")
    whole, size = [], 0
    for chunk in body.chunks():
        whole.append(chunk)
        size += len(chunk)
        if size > CHECKED:
            raise TusRefusalError(413, f"a PATCH with a checksum has {CHECKED} bytes at most")
    found = _ALGORITHMS[name]()
    for chunk in whole:
        found.update(chunk)
    if not hmac.compare_digest(found.digest(), expected):
        raise TusRefusalError(WRONG_CHECKSUM, "the checksum is another")
    yield from whole


def _content(file: TransferFile) -> StoredContent:
    stored: StoredContent | None = file.content
    if stored is None or stored.state in (ContentState.DELETED, ContentState.REFUSED):
        raise TusRefusalError(410, "this upload is no longer here")
    return stored


def _state(file: TransferFile) -> dict[str, str]:
    """How far it is, and until when it is kept."""
    stored = file.content
    if stored is None:
        return {}
    told = {"Upload-Offset": str(stored.received)}
    if stored.state == ContentState.UPLOADING:
        told["Upload-Expires"] = format_datetime((stored.touched + store.ABANDONED).replace(tzinfo=UTC), usegmt=True)
    return told


def _number(headers: TusHeaders, name: str) -> int:
    given = headers.get(name, "")
    if not _NUMBER.fullmatch(given):
        raise TusRefusalError(400, f"{name} must be a number of bytes")
    return int(given)


def brings_bytes(headers: TusHeaders) -> bool:
    return bool(headers.get("Content-Type", "").partition(";")[0].strip().lower() == OFFSET_TYPE)
