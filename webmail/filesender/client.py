"""FileSender's REST API: one method a call, and its answers and refusals as ours. No database, no Flask.

Checked against FileSender 3 (tests/integration/filesender/): the key of a file is `puid`, `sha1` is always null, a bad signature
and a late clock answer 500, as does most of what it refuses; what it means stands in `message`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

from webmail import http_fetch
from webmail.errors import MailError, ServerAwayError
from webmail.filesender import signing
from webmail.http_fetch import FetchedResponse, NotFetchedError

_LIMIT = 20_000_000  # bytes of an answer: a list of thousands of transfers
_SECONDS = 30.0
_CHUNK_SECONDS = 300.0  # a piece of 5 MB over a slow line
_NEVER_SEEN = "database_access_failure"
_USUAL_CHUNK = 5 * 1024 * 1024
_MOST_CHUNK = 64 * 1024 * 1024  # of memory, whatever it says


class RemoteRefusal(StrEnum):
    """What FileSender says no to, as far as one can do something about it."""

    SIGNATURE = "signature"  # the secret, or the name of its host, is another
    CLOCK = "clock"  # ours is slow
    UNKNOWN = "unknown"  # no such application, or person, or without a secret
    FORBIDDEN = "forbidden"
    TOO_LARGE = "too-large"
    QUOTA = "quota"  # of the person
    FULL = "full"  # it has no room
    FILES = "files"  # too many
    RECIPIENTS = "recipients"  # too many
    TYPE = "type"  # an ending that it bans
    NAME = "name"  # a name of a file that it does not take
    ADDRESS = "address"  # of a recipient
    LINKS = "links"  # a message may hold no addresses of the web
    DATE = "date"
    EXTENDED = "extended"  # as often as may be
    COMPLETE = "complete"  # takes no more bytes
    GONE = "gone"
    GUESTS = "guests"  # as many as may be
    RATE = "rate"
    ENCRYPTED = "encrypted"  # it takes nothing that is not encrypted by its own page
    BROKE = "broke"  # it answers 500 without a word, as to addresses of the web in a message that may have none
    OTHER = "other"


_MEANT = {
    "auth_remote_signature_check_failed": RemoteRefusal.SIGNATURE,
    "auth_remote_too_late": RemoteRefusal.CLOCK,
    "auth_remote_unknown_application": RemoteRefusal.UNKNOWN,
    "auth_remote_user_rejected": RemoteRefusal.UNKNOWN,
    "rest_authentication_required": RemoteRefusal.FORBIDDEN,
    "rest_access_forbidden": RemoteRefusal.FORBIDDEN,
    "rest_ownership_required": RemoteRefusal.GONE,
    "rest_transfer_permission_required": RemoteRefusal.GONE,
    "transfer_maximum_size_exceeded": RemoteRefusal.TOO_LARGE,
    "transfer_maximum_file_size_exceeded": RemoteRefusal.TOO_LARGE,
    "transfer_user_quota_exceeded": RemoteRefusal.QUOTA,
    "transfer_host_quota_exceeded": RemoteRefusal.FULL,
    "not_enough_space": RemoteRefusal.FULL,
    "transfer_too_many_files": RemoteRefusal.FILES,
    "transfer_too_many_recipients": RemoteRefusal.RECIPIENTS,
    "file_extension_not_allowed": RemoteRefusal.TYPE,
    "transfer_file_name_invalid": RemoteRefusal.NAME,
    "bad_email": RemoteRefusal.ADDRESS,
    "bad_expire": RemoteRefusal.DATE,
    "cannot_add_data_to_complete_transfer": RemoteRefusal.COMPLETE,
    "transfer_not_found": RemoteRefusal.GONE,
    "guest_not_found": RemoteRefusal.GONE,
    "recipient_not_found": RemoteRefusal.GONE,
    "file_not_found": RemoteRefusal.GONE,
    "transfer_must_be_encrypted": RemoteRefusal.ENCRYPTED,
    "transfer_no_recipients": RemoteRefusal.ADDRESS,  # none of those given is one
}


class FileSenderError(MailError):
    """FileSender refused; `refusal` says what, `told` is its own word for it."""

    status = 422

    def __init__(self, refusal: RemoteRefusal, told: str = "") -> None:
        super().__init__(told or refusal)
        self.refusal = refusal
        self.told = told


class FileSenderAwayError(ServerAwayError):
    """FileSender does not answer, or not as one."""


@dataclass(frozen=True, slots=True)
class FileSenderAccess:
    """How somebody's requests are signed: as the application, for them (`user`), or with a secret of their own."""

    url: str  # of its rest.php
    secret: str = field(repr=False)
    user: str
    application: str = ""
    algorithm: str = "sha1"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    id: int
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class RemoteRecipient:
    """Of a transfer; `address` is "" for the link that is nobody's in particular."""

    id: int
    address: str
    url: str = field(repr=False)
    failed: bool = False  # a mail to them came back


@dataclass(frozen=True, slots=True)
class RemoteTransfer:
    """A transfer as FileSender has it; moments are naive UTC."""

    id: int
    subject: str
    message: str
    created: datetime
    expires: datetime
    extension: int  # days that it may be extended by now; 0: not any more
    files: tuple[RemoteFile, ...]
    recipients: tuple[RemoteRecipient, ...]
    token: str = field(default="", repr=False)  # for its chunks, told once

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def link(self) -> str:
        """The address of its page of downloads, where it has one that is nobody's in particular; else ""."""
        return next((one.url for one in self.recipients if not one.address), "")


@dataclass(frozen=True, slots=True)
class RemoteGuest:
    """Somebody who was invited to send files."""

    id: int
    address: str
    subject: str
    created: datetime
    expires: datetime | None
    transfers: int  # that they have sent
    url: str = field(repr=False)
    failed: bool = False


@dataclass(frozen=True, slots=True)
class WantedTransfer:
    """A transfer to be made. `files`: name, size and type of each; without `recipients` it is a link."""

    files: tuple[tuple[str, int, str], ...]
    sender: str
    expires: datetime
    recipients: tuple[str, ...] = ()
    subject: str = ""
    message: str = ""
    language: str = ""
    options: Mapping[str, bool] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        return {
            "from": self.sender,
            "files": [
                {"name": name, "size": size, "mime_type": kind, "cid": f"file_{at}_{size}_0_0"}
                for at, (name, size, kind) in enumerate(self.files)
            ],
            "recipients": list(self.recipients),
            "subject": self.subject,
            "message": self.message,
            "lang": self.language,
            "expires": _stamp(self.expires),
            "aup_checked": True,
            "encryption": False,
            "options": {**self.options, "get_a_link": not self.recipients},
        }


@dataclass(frozen=True, slots=True)
class Info:
    """What it says of itself. `skew`: seconds that its clock is ahead of ours, as far as one can tell."""

    name: str
    chunk: int
    skew: float | None


class FileSenderServer:
    """FileSender for one person. Every method raises FileSenderError and FileSenderAwayError."""

    def __init__(self, access: FileSenderAccess, *, clock: Any = time.time) -> None:
        self._access = access
        self._clock = clock

    def info(self) -> Info:
        """Asked without a signature: it answers whoever asks."""
        begun = self._clock()
        answer = _ask("GET", f"{self._access.url}/info", b"", {}, _SECONDS)
        found = _record(_read(answer))
        told = _date(answer.headers.get("date", ""))
        size = found.get("upload_chunk_size")
        chunk = size if isinstance(size, int) and size > 0 else _USUAL_CHUNK
        return Info(_text(found.get("name")), min(chunk, _MOST_CHUNK), told - begun if told is not None else None)

    # --- transfers ---------------------------------------------------------------------------------------------------

    def transfers(self) -> list[RemoteTransfer]:
        """All of the person's that can be downloaded, those of their guests too."""
        return [_transfer(one) for one in _list(self._call("GET", "transfer"))]

    def transfer(self, number: int) -> RemoteTransfer:
        return _transfer(self._call("GET", f"transfer/{number}"))

    def create(self, wanted: WantedTransfer) -> RemoteTransfer:
        return _transfer(self._make("transfer", wanted.body()))

    def put_chunk(self, file: int, offset: int, data: bytes, size: int, token: str) -> None:
        """Bytes of a file from `offset`; again, where one does not know whether they came. `size`: of all of it."""
        headers = {
            "Content-Type": "application/octet-stream",
            "X-Filesender-File-Size": str(size),
            "X-Filesender-Chunk-Offset": str(offset),
            "X-Filesender-Chunk-Size": str(len(data)),
            "X-Filesender-Encrypted": "0",
        }
        more = {"roundtriptoken": token} if token else {}
        self._ask("PUT", f"file/{file}/chunk/{offset}", data, headers, more, _CHUNK_SECONDS)

    def complete_file(self, file: int, token: str) -> None:
        self._call("PUT", f"file/{file}", {"complete": True}, {"roundtriptoken": token} if token else {})

    def complete(self, number: int) -> RemoteTransfer:
        """Let it be downloaded: it writes to the recipients now. A second time it does nothing."""
        return _transfer(self._call("PUT", f"transfer/{number}", {"complete": True}, seconds=_CHUNK_SECONDS))

    def extend(self, number: int) -> RemoteTransfer:
        """By as many days as it says (`extension`)."""
        return _transfer(self._call("PUT", f"transfer/{number}", {"extend_expiry_date": True}))

    def remind(self, number: int) -> None:
        self._call("PUT", f"transfer/{number}", {"remind": True})

    def close(self, number: int) -> None:
        """Nobody downloads it any more; its recipients are told."""
        self._call("PUT", f"transfer/{number}", {"closed": True})

    def discard(self, number: int) -> None:
        """Of one that was never complete: it leaves nothing."""
        self._call("DELETE", f"transfer/{number}")

    def add_recipient(self, number: int, address: str) -> RemoteRecipient:
        return _recipient(self._call("POST", f"transfer/{number}/recipient", {"recipient": address}))

    def remove_recipient(self, recipient: int) -> None:
        self._call("DELETE", f"recipient/{recipient}")

    # --- guests ------------------------------------------------------------------------------------------------------

    def guests(self) -> list[RemoteGuest]:
        return [_guest(one) for one in _list(self._call("GET", "guest"))]

    def invite(
        self, sender: str, address: str, subject: str, message: str, expires: datetime, *, once: bool, only_me: bool
    ) -> RemoteGuest:  # fmt: skip
        """It writes to them now."""
        wanted = {
            "from": sender, "recipient": address, "subject": subject, "message": message, "expires": _stamp(expires),
            "options": {"guest": {"valid_only_one_time": once, "can_only_send_to_me": only_me},
                        "transfer": {"add_me_to_recipients": not only_me}},
        }  # fmt: skip
        return _guest(self._make("guest", wanted))

    def remind_guest(self, guest: int) -> None:
        self._call("PUT", f"guest/{guest}", {"remind": True})

    def remove_guest(self, guest: int) -> None:
        self._call("DELETE", f"guest/{guest}")

    # --- asking ------------------------------------------------------------------------------------------------------

    def _make(self, path: str, body: object) -> Any:
        """The first request of somebody it has never seen makes their row, and fails for want of its number."""
        try:
            return self._call("POST", path, body)
        except FileSenderError as error:
            if error.told != _NEVER_SEEN:
                raise
        return self._call("POST", path, body)

    def _call(
        self, method: str, path: str, body: object = None, more: Mapping[str, str] | None = None, seconds: float = _SECONDS
    ) -> Any:  # fmt: skip
        data = json.dumps(body, ensure_ascii=False).encode() if body is not None else b""
        headers = {"Content-Type": "application/json"} if data else {}
        return _read(self._ask(method, path, data, headers, more or {}, seconds))

    def _ask(
        self, method: str, path: str, data: bytes, headers: dict[str, str], more: Mapping[str, str], seconds: float
    ) -> FetchedResponse:  # fmt: skip
        mine = self._access
        arguments = {"timestamp": str(int(self._clock())), "remote_user": mine.user, **more}
        if mine.application:
            arguments["remote_application"] = mine.application
        url = signing.signed_address(method, f"{mine.url}/{path}", arguments, data, mine.secret, mine.algorithm)
        return _ask(method, url, data, headers, seconds)


def rest_address(site: str) -> str:
    """Of a FileSender's own address."""
    return site.rstrip("/") + "/rest.php"


def _ask(method: str, url: str, body: bytes, headers: dict[str, str], seconds: float) -> FetchedResponse:
    """Raises FileSenderError for what it refuses, FileSenderAwayError."""
    try:
        answer = http_fetch.ask_named(method, url, body, {"Accept": "application/json", **headers}, limit=_LIMIT, seconds=seconds)
    except NotFetchedError as error:
        raise FileSenderAwayError(str(error)) from error
    if 200 <= answer.status < 300:
        return answer
    if answer.status in (429, 502, 503, 504):
        raise FileSenderAwayError(f"FileSender answers {answer.status}")
    raise _refused(answer)


def _refused(answer: FetchedResponse) -> MailError:
    """What it means, whatever PHP wrote around it."""
    try:
        told = _json(answer.content)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        words = f"FileSender answers {answer.status} without a reason"
        return FileSenderError(RemoteRefusal.BROKE, words) if answer.status == 500 else FileSenderAwayError(words)
    message = _text(told.get("message"))
    refusal = _MEANT.get(message) or _by_word(message)
    return FileSenderError(refusal, message)


def _by_word(message: str) -> RemoteRefusal:
    """Of what begins or ends with the name of what it is about."""
    for word, refusal in (
        ("urls", RemoteRefusal.LINKS), ("expiry_extension", RemoteRefusal.EXTENDED), ("guest_limit", RemoteRefusal.GUESTS),
        ("rate", RemoteRefusal.RATE), ("not_enough_space", RemoteRefusal.FULL), ("expire", RemoteRefusal.DATE),
        ("filename", RemoteRefusal.NAME), ("not_found", RemoteRefusal.GONE), ("email", RemoteRefusal.ADDRESS),
    ):  # fmt: skip
        if word in message:
            return refusal
    return RemoteRefusal.OTHER


def _read(answer: FetchedResponse) -> Any:
    try:
        return _json(answer.content)
    except ValueError as error:
        raise FileSenderAwayError("FileSender does not answer in JSON") from error


def _json(content: bytes) -> Any:
    """The answer, also where PHP wrote warnings above it."""
    text = content.decode("utf-8", "replace").strip()
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return json.loads(text.splitlines()[-1][_begin(text.splitlines()[-1]) :])


def _begin(line: str) -> int:
    at = [place for place in (line.find("{"), line.find("[")) if place >= 0]
    return min(at, default=0)


# --- answers ---------------------------------------------------------------------------------------------------------


def _transfer(given: Any) -> RemoteTransfer:
    found = _record(given)
    return RemoteTransfer(
        id=_number(found.get("id")),
        subject=_text(found.get("subject")),
        message=_text(found.get("message")),
        created=_moment(found.get("created")),
        expires=_moment(found.get("expires")),
        extension=_number(found.get("expiry_date_extension") or 0),
        files=tuple(
            RemoteFile(_number(one.get("id")), _text(one.get("name")), _number(one.get("size")))
            for one in _records(found.get("files"))
        ),
        recipients=tuple(_recipient(one) for one in _records(found.get("recipients"))),
        token=_text(found.get("roundtriptoken")),
    )


def _recipient(given: Any) -> RemoteRecipient:
    found = _record(given)
    url = _web(found.get("download_url"))
    return RemoteRecipient(_number(found.get("id")), _text(found.get("email")), url, bool(found.get("errors")))


def _guest(given: Any) -> RemoteGuest:
    found = _record(given)
    return RemoteGuest(
        id=_number(found.get("id")),
        address=_text(found.get("email")),
        subject=_text(found.get("subject")),
        created=_moment(found.get("created")),
        expires=_moment(found.get("expires")) if _record(found.get("expires") or {}).get("raw") else None,
        transfers=_number(found.get("transfer_count") or 0),
        url=_web(found.get("upload_url")),
        failed=bool(found.get("errors")),
    )


def _record(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise FileSenderAwayError("FileSender answers something else than what was asked")
    return given


def _list(given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise FileSenderAwayError("FileSender answers no list")
    return given


def _records(given: Any) -> Iterable[dict[str, Any]]:
    return [_record(one) for one in _list(given)] if given else []


def _number(given: Any) -> int:
    try:
        return int(given)
    except (TypeError, ValueError) as error:
        raise FileSenderAwayError("FileSender answers no number where one belongs") from error


def _text(given: Any) -> str:
    return "" if given is None else str(given)[:10_000]


def _web(given: Any) -> str:
    """An address that a page may link to."""
    text = _text(given)
    return text if text.startswith(("https://", "http://")) and text.isprintable() else ""


def _moment(given: Any) -> datetime:
    raw = _number(_record(given).get("raw"))
    try:
        return datetime.fromtimestamp(raw, UTC).replace(tzinfo=None)
    except (OverflowError, OSError, ValueError) as error:
        raise FileSenderAwayError("FileSender answers no moment where one belongs") from error


def _stamp(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp())


def _date(header: str) -> float | None:
    try:
        return parsedate_to_datetime(header).timestamp()
    except ValueError:
        return None
