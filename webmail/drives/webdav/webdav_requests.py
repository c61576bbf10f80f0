"""WebDAV requests: one server asked within bounds, with its redirects, and its refusals as a drive's errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import urljoin

from webmail.config.settings import Settings
from webmail.drives.drive import DriveError, DriveFault
from webmail.drives.service_faults import as_drive_errors
from webmail.http_fetch import FetchedResponse, StreamedResponse
from webmail.mime import multistatus
from webmail.models import ConnectedService
from webmail.services import service_requests

_HOPS = 4
_REDIRECTS = (301, 302, 303, 307, 308)
_FAULTS = {
    400: DriveFault.BAD_NAME, 401: DriveFault.SIGN_IN, 403: DriveFault.REFUSED, 404: DriveFault.GONE, 405: DriveFault.REFUSED,
    409: DriveFault.GONE, 410: DriveFault.GONE, 412: DriveFault.NAME_TAKEN, 413: DriveFault.TOO_LARGE, 414: DriveFault.BAD_NAME,
    415: DriveFault.BAD_NAME, 423: DriveFault.BUSY, 501: DriveFault.NOT_UNDERSTOOD, 507: DriveFault.FULL,
}  # fmt: skip
SECONDS, LONG_SECONDS = 30.0, 300.0  # for an answer; for one that carries much, or moves it


class WebDavRequests:
    """One connected server. All methods raise DriveError."""

    def __init__(self, connection: ConnectedService, settings: Settings) -> None:
        self._connection, self._settings = connection, settings

    @property
    def identity(self) -> tuple[int, int]:
        """Which connection it is, and how often its secret was written."""
        return self._connection.id, self._connection.version

    def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"", *,
        limit: int = 1_000_000, seconds: float = SECONDS, refused: Sequence[int] = (),
    ) -> FetchedResponse:  # fmt: skip
        """An answer of 2xx, or of one of `refused`. Redirects are followed on the same host, for what changes nothing."""
        for _hop in range(_HOPS):
            with as_drive_errors():
                answer = service_requests.request(
                    self._connection, self._settings, method, url, headers=headers, body=body, limit=limit, seconds=seconds
                )
            if answer.status not in _REDIRECTS:
                _judge(answer.status, url, refused)
                return answer
            url = _led_to(method, url, answer.headers)
        raise DriveError(DriveFault.NOT_UNDERSTOOD, "redirects without end")

    @contextmanager
    def download(self, url: str, headers: Mapping[str, str], limit: int) -> Iterator[StreamedResponse]:
        """A GET whose body is read in pieces; 416 (nothing is left) is an answer too. Redirects as above."""
        for _hop in range(_HOPS):
            with (
                as_drive_errors(),
                service_requests.stream(self._connection, self._settings, "GET", url, headers=headers, limit=limit) as answer,
            ):
                if answer.status not in _REDIRECTS:
                    _judge(answer.status, url, (416,))
                    yield answer
                    return
                url = _led_to("GET", url, answer.headers)
        raise DriveError(DriveFault.NOT_UNDERSTOOD, "redirects without end")

    def put(self, url: str, headers: Mapping[str, str], pieces: Callable[[], Iterable[bytes]], length: int) -> None:
        """A file from pieces; what they raise passes through."""
        with (
            as_drive_errors(),
            service_requests.stream(
                self._connection, self._settings, "PUT", url, headers=headers, pieces=pieces, length=length, limit=1_000_000
            ) as answer,
        ):
            if answer.status in _REDIRECTS:
                raise DriveError(DriveFault.ELSEWHERE, url)
            _judge(answer.status, url, ())


def _led_to(method: str, url: str, headers: Mapping[str, str]) -> str:
    try:
        there = urljoin(url, headers.get("location", "").strip())
        same = multistatus.origin(there) == multistatus.origin(url)
    except ValueError as error:
        raise DriveError(DriveFault.NOT_UNDERSTOOD, "a redirect to no address") from error
    if not same or method not in ("GET", "PROPFIND", "HEAD"):
        raise DriveError(DriveFault.ELSEWHERE, there)
    return there


def _judge(status: int, url: str, refused: Sequence[int]) -> None:
    if 200 <= status < 300 or status in refused:
        return
    fault = _FAULTS.get(status, DriveFault.AWAY if status >= 500 else DriveFault.REFUSED)
    raise DriveError(fault, f"{url}: {status}")
