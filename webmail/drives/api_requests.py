"""API requests: Google Drive and Graph asked within bounds, with JSON both ways, and their refusals as a drive's errors."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from webmail import vault
from webmail.config.settings import Settings
from webmail.drives.drive import DriveEntry, DriveError, DriveFault, State
from webmail.drives.service_faults import as_drive_errors
from webmail.http_fetch import FetchedResponse, StreamedResponse
from webmail.models import ConnectedService
from webmail.services import providers, service_requests

LIMIT = 4_000_000  # bytes of an answer with JSON: of some 2,000 entries
LONG_SECONDS = 300.0  # for an answer to a piece of an upload
_READ = 262_144
_PURPOSE = "upload session"
_STATUSES = {
    400: DriveFault.NOT_UNDERSTOOD, 401: DriveFault.SIGN_IN, 403: DriveFault.REFUSED, 404: DriveFault.GONE,
    409: DriveFault.NAME_TAKEN,
    410: DriveFault.GONE, 412: DriveFault.CHANGED, 413: DriveFault.TOO_LARGE, 423: DriveFault.BUSY, 507: DriveFault.FULL,
}  # fmt: skip


class ApiRequests:
    """One connected service. `faults`: what its own words for errors mean. All methods raise DriveError."""

    def __init__(self, connection: ConnectedService, settings: Settings, faults: Mapping[str, DriveFault]) -> None:
        self._connection, self._settings, self._faults = connection, settings, faults

    @property
    def number(self) -> int:
        """Of the connection."""
        return self._connection.id

    def offers(self, purpose: str) -> bool:
        """Whether the administrator has set this up."""
        provider = providers.find(self._connection.provider, self._settings)
        return provider is not None and purpose in provider.scopes

    def needs(self, purpose: str) -> None:
        """Raises DriveError: RIGHT_MISSING where the person has not allowed this, REFUSED where it is not offered."""
        if not self.offers(purpose):
            raise DriveError(DriveFault.REFUSED, f"{self._connection.provider}: {purpose} is not offered")
        provider = providers.find(self._connection.provider, self._settings)
        if provider is None or not provider.allows(self._connection.scopes, purpose):
            raise DriveError(DriveFault.RIGHT_MISSING, f"{self._connection.provider}: {purpose}")

    def ask(
        self, method: str, url: str, body: Mapping[str, Any] | bytes | None = None, headers: Mapping[str, str] | None = None, *,
        signed: bool = True, passed: tuple[int, ...] = (), limit: int = LIMIT, seconds: float = service_requests.SECONDS,
    ) -> FetchedResponse:  # fmt: skip
        """An answer of 2xx, or of one of `passed`."""
        sent = dict(headers or {})
        if isinstance(body, Mapping):
            body, sent = json.dumps(body).encode(), {"Content-Type": "application/json; charset=UTF-8", **sent}
        with as_drive_errors():
            answer = service_requests.request(
                self._connection, self._settings, method, url, headers=sent, body=body or b"", limit=limit, seconds=seconds,
                signed=signed,
            )  # fmt: skip
        if not (200 <= answer.status < 300 or answer.status in passed):
            raise self._error(answer.status, answer.content)
        return answer

    def told(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The object of an answer."""
        return object_of(self.ask(method, url, body).content)

    @contextmanager
    def download(self, url: str, start: int, limit: int, *, signed: bool = True) -> Iterator[StreamedResponse]:
        """A GET from `start` on whose body is read in pieces: 200, 206, 302 or 416."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        with (
            as_drive_errors(),
            service_requests.stream(
                self._connection, self._settings, "GET", url, headers=headers, limit=limit, signed=signed
            ) as answer,
        ):
            if answer.status not in (200, 206, 302, 416):
                raise self._error(answer.status, answer.read(65_536))
            yield answer

    def _error(self, status: int, content: bytes) -> DriveError:
        words = _error_codes(content)
        fault = next((self._faults[word] for word in words if word in self._faults), None)
        if fault is None:
            fault = DriveFault.AWAY if status >= 500 and status != 507 else _STATUSES.get(status, DriveFault.REFUSED)
        return DriveError(fault, f"{status} {' '.join(words)}")

    # --- upload sessions: their address opens them, so it is kept sealed ---

    def with_session(self, state: State, address: str) -> State:
        sealed = vault.seal_secret(address.encode(), self._settings.secret_key, _PURPOSE, self._connection.user_id)
        return {**state, "session": base64.b64encode(sealed).decode()}

    def session_of(self, state: State) -> str:
        """The address, "" where there is none that can be read."""
        try:
            sealed = base64.b64decode(str(state.get("session", "")), validate=True)
            return vault.open_secret(sealed, self._settings.secret_key, _PURPOSE, self._connection.user_id).decode()
        except (ValueError, vault.CannotOpenError):
            return ""


def object_of(content: bytes) -> dict[str, Any]:
    """Raises DriveError for what is no JSON object."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DriveError(DriveFault.NOT_UNDERSTOOD, "the answer is no JSON") from error
    if not isinstance(told, dict):
        raise DriveError(DriveFault.NOT_UNDERSTOOD, "the answer is no object")
    return told


def objects(told: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of a list."""
    found = told.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def part(told: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """An object in an object; {} where there is none."""
    found: Any = told
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, dict) else {}


def text(told: Mapping[str, Any], name: str, longest: int = 2_000) -> str:
    """A text, "" for anything else or a longer one."""
    found = told.get(name)
    return found if isinstance(found, str) and len(found) <= longest else ""


def whole_number(told: Mapping[str, Any], name: str) -> int | None:
    """A number of bytes: as a number (Graph) or as digits (Google)."""
    found = told.get(name)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 19:
        found = int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 2**63 else None


def moment(told: Mapping[str, Any], name: str) -> datetime | None:
    """A time of RFC 3339, as naive UTC."""
    try:
        found = datetime.fromisoformat(text(told, name, 40))
        return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    except (ValueError, OverflowError):
        return None


def web_page(told: Mapping[str, Any], name: str) -> str:
    """The address of a page at the service; "" for what is none."""
    found = text(told, name, 4_000)
    return found if found.startswith("https://") and found.isprintable() and " " not in found else ""


def body_of(read: Callable[[int], bytes], start: int, entry: DriveEntry) -> Iterator[bytes]:
    """The bytes of an answer from `start` on. Raises DriveError where they are not as many as the entry has."""
    at = start
    while True:
        with as_drive_errors():
            piece = read(_READ)
        if not piece:
            break
        at += len(piece)
        if entry.size is not None and at > entry.size:
            raise DriveError(DriveFault.CHANGED, entry.id)
        yield piece
    if entry.size is not None and at < entry.size:
        raise DriveError(DriveFault.AWAY, f"{entry.id}: the answer broke off")


def _error_codes(content: bytes) -> list[str]:
    """What an error is called: the reasons of Google's, the codes of Graph's, the innermost first."""
    try:
        error = part(object_of(content), "error")
    except DriveError:
        return []
    reasons = [text(one, "reason", 80) for name in ("errors", "details") for one in objects(error, name)]
    codes, inner = [text(error, "code", 80)], error
    while inner := part(inner, "innererror") or part(inner, "innerError"):
        codes.insert(0, text(inner, "code", 80))
        if len(codes) > 5:
            break
    return [word for word in (*reasons, *codes) if word.isascii() and word.isprintable() and word]
