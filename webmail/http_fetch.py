"""HTTP fetch: requests URLs found in messages, guarded against server-side request forgery (SSRF).

The sender of a message chooses the URL. So: only http and https on their default ports, only globally routable addresses, the
checked IP address is the one connected to (no second DNS lookup), each redirect is checked again, and time, size and headers
are limited. Nothing about the reader is disclosed: no cookies, no Referer, no language, a generic User-Agent.

Uses `http.client` of the standard library: it uses no proxy, keeps no cookies, decodes no content encoding, and accepts a
connected socket, which pinning the address needs.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from webmail.errors import MailError

URL_LIMIT = 4000  # characters
SIZE_LIMIT = 5_000_000  # bytes of a response body, both encoded and decoded
HEADER_LIMIT = 32_768  # bytes of status line and headers
SECONDS = 10.0  # for everything: DNS, connecting, redirects, the whole body
REDIRECTS = 3
PORTS = frozenset((80, 443))

_AGENT = "Mozilla/5.0 (compatible)"
_REDIRECTS = (301, 302, 303, 307, 308)
_LOOKUPS = threading.BoundedSemaphore(16)  # threads that may wait for DNS at once

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]


class NotFetchedError(MailError):
    """The web server was unreachable or too slow, or its response was too large or invalid."""

    status = 502


class AnswerTooLargeError(NotFetchedError):
    """The response has more bytes than may be."""


class AddressForbiddenError(NotFetchedError):
    """A URL or IP address that our server must not request."""

    status = 403


@dataclass(frozen=True, slots=True)
class FetchedResponse:
    """`type` is the media type without parameters, in lower case; `url` the final URL; names of `headers` are in lower case."""

    url: str
    status: int
    type: str
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)


# --- address checks --------------------------------------------------------------------------------------------------

# IANA's special-purpose registries (RFC 6890 and its successors), and a cloud's internal service at a public address
_NOT_GLOBAL_4 = [
    ipaddress.IPv4Network(net)
    for net in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
    )
]  # fmt: skip
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
# protocol assignments with Teredo and ORCHID, documentation, 6to4, direct delegation of AS112
_NOT_GLOBAL_6 = [ipaddress.IPv6Network(n) for n in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")]


def is_global(address: Address) -> bool:
    """Whether this address is globally routable. IPv6 that embeds an IPv4 address (mapped, NAT64, 6to4, Teredo) is not:
    it would bypass the check."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in net for net in _NOT_GLOBAL_4)
    return address in _GLOBAL_6 and not any(address in net for net in _NOT_GLOBAL_6)


# at least two labels, the last one beginning with a letter: anything else is an IP address or invalid
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_OWN_NAME = re.compile(rf"{_NAME.pattern}|[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")  # inside an establishment: one label is enough


# checks for a server that the administrator named: wherever it is, on any port
ANYWHERE: Mapping[str, Any] = {"allowed": lambda _address: True, "ports": None, "names": _OWN_NAME}


@dataclass(frozen=True, slots=True)
class _Target:
    """A checked URL: the host to resolve and the path to request."""

    scheme: str
    host: str  # in ASCII, without brackets
    port: int
    path: str

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"http": 80, "https": 443}[self.scheme] else f"{host}:{self.port}"


def _target(url: str, ports: Iterable[int] | None, names: re.Pattern[str] = _NAME) -> _Target:
    """Parse a URL strictly: what parsers could interpret differently is refused. Raises AddressForbiddenError.

    `ports`: None for any. `names`: what the host may be called, if it is not an IP address.
    """
    if len(url) > URL_LIMIT or not url.isprintable() or " " in url or "\\" in url:
        raise AddressForbiddenError("not an address of the web")
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError as error:  # unmatched brackets, an invalid port
        raise AddressForbiddenError("not an address of the web") from error
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or "%" in parts.netloc:
        raise AddressForbiddenError("only plain http and https addresses are asked")
    if ports is not None and port not in ports:
        raise AddressForbiddenError(f"port {port} is not asked")
    path = quote(parts.path or "/", safe="/:@!$&'()*+,;=~%-._") + (f"?{_quoted(parts.query)}" if parts.query else "")
    return _Target(parts.scheme, _host(parts.hostname or "", names, bracketed="[" in parts.netloc), port, path)


def _quoted(query: str) -> str:
    return quote(query, safe="/?:@!$&'()*+,;=~%-._[]|^`{}")


def _host(host: str, names: re.Pattern[str], *, bracketed: bool) -> str:
    """A host name in ASCII, or an IP address in its usual form; forms like 0x7f.1 or 2130706433 raise AddressForbiddenError."""
    try:
        if bracketed:
            return str(ipaddress.IPv6Address(host))
        if re.fullmatch(r"[0-9.]+", host):
            return str(ipaddress.IPv4Address(host))
        name = host.encode("idna").decode("ascii").lower().removesuffix(".")
    except (UnicodeError, ValueError) as error:
        raise AddressForbiddenError("not a name of a host") from error
    if len(name) > 253 or not names.fullmatch(name):
        raise AddressForbiddenError("not a name of a host")
    return name


def _resolve(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _checked_addresses(target: _Target, allowed: Callable[[Address], bool], resolve: Resolve, end: float) -> list[str]:
    """The IP addresses of a host. Raises AddressForbiddenError if any of them is not allowed, NotFetchedError if there is
    none."""
    literal = ":" in target.host or re.fullmatch(r"[0-9.]+", target.host) is not None
    texts = [target.host] if literal else _looked_up(target, resolve, end)
    for text in texts:
        try:
            address = ipaddress.ip_address(text)
        except ValueError as error:
            raise AddressForbiddenError(f"{target.host} has no usable address") from error
        if not allowed(address):
            raise AddressForbiddenError(f"{target.host} is at {address}, which is not on the internet")
    if not texts:
        raise NotFetchedError(f"{target.host} has no address")
    return texts


def _looked_up(target: _Target, resolve: Resolve, end: float) -> list[str]:
    """Call `resolve` with a timeout, in a thread: getaddrinfo() has none that we could set. Raises NotFetchedError."""
    found: list[str] = []
    failed: list[Exception] = []

    def look() -> None:
        try:
            found.extend(resolve(target.host, target.port))
        except (OSError, UnicodeError) as error:
            failed.append(error)
        finally:
            _LOOKUPS.release()

    if not _LOOKUPS.acquire(timeout=_left(end)):
        raise NotFetchedError("too many names are being looked up")
    thread = threading.Thread(target=look, daemon=True, name="lookup")
    thread.start()
    thread.join(_left(end))
    if thread.is_alive():
        raise NotFetchedError(f"{target.host}: the DNS does not answer")
    if failed:
        raise NotFetchedError(f"{target.host} is not known") from failed[0]
    return found


# --- requests --------------------------------------------------------------------------------------------------------


def get(url: str, *, accept: str, limit: int = SIZE_LIMIT, seconds: float = SECONDS, **checks: Any) -> FetchedResponse:
    """Fetch `url`, following at most 3 redirects. Raises AddressForbiddenError and NotFetchedError, but not for any HTTP status.

    `limit` is in bytes of the body, both encoded and decoded; `seconds` is the total. `checks` are for tests: `allowed` (which
    IP addresses), `resolve` (names to addresses), `ports`, `tls`.
    """
    end = time.monotonic() + seconds
    for _hop in range(REDIRECTS + 1):
        answer, location = _ask("GET", url, b"", {"Accept": accept}, limit, end, **checks)
        if not location:
            return answer
        url = location
    raise NotFetchedError("too many redirects")


def post(url: str, form: bytes, *, limit: int = 65_536, seconds: float = SECONDS, **checks: Any) -> FetchedResponse:
    """Send a form (application/x-www-form-urlencoded); a redirect is returned, not followed. Raises as `get` does."""
    headers = {"Accept": "*/*", "Content-Type": "application/x-www-form-urlencoded"}
    return _ask("POST", url, form, headers, limit, time.monotonic() + seconds, **checks)[0]


def ask_named(
    method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None, *,
    limit: int, seconds: float, tls: ssl.SSLContext | None = None,
) -> FetchedResponse:  # fmt: skip
    """Ask a server that the administrator named, such as a provider to sign in with: it may be inside, and on any port.

    A redirect is returned, with its status and no content. Raises as `get` does.
    """
    end = time.monotonic() + seconds
    sent = {"Accept": "*/*", **(headers or {})}
    return _ask(method, url, body, sent, limit, end, **ANYWHERE, tls=tls)[0]


def ask_guarded(
    method: str, url: str, body: bytes, headers: dict[str, str], *, limit: int, seconds: float, **checks: Any
) -> FetchedResponse:
    """Ask a server that a person named, only where `get` would. A redirect is returned: a password goes to nobody else."""
    return _ask(method, url, body, headers, limit, time.monotonic() + seconds, **checks)[0]


def _ask(
    method: str, url: str, body: bytes, headers: dict[str, str], limit: int, end: float, **checks: Any
) -> tuple[FetchedResponse, str]:
    """One request: the response, and the target of a redirect ("" if it is none)."""
    with (
        _opened(method, url, (body,) if body else (), len(body), headers, end, **checks) as (target, connection, response),
        _told(target),
    ):
        told = {name.lower(): value for name, value in response.getheaders()}
        location = told.get("location", "") if response.status in _REDIRECTS else ""
        if location:
            return FetchedResponse(target.url, response.status, "", b"", told), urljoin(target.url, location.strip())
        connection.allow(limit + 65_536)  # overhead of chunked encoding and buffering
        content = _content(response, limit)
        kind = told.get("content-type", "").partition(";")[0].strip().lower()
        return FetchedResponse(target.url, response.status, kind, content, told), ""


@contextmanager
def streamed(
    method: str, url: str, pieces: Iterable[bytes], headers: dict[str, str], *,
    length: int = 0, limit: int, seconds: float, **checks: Any,
) -> Iterator[StreamedResponse]:  # fmt: skip
    """Ask a server that a person named, only where `get` would, with a body in pieces (`length` bytes of it in all), and read
    its answer in pieces. A redirect is returned. `checks` as of `get`, and `idle`: seconds for each piece.

    Raises as `get` does; what `pieces` raises goes on.
    """
    with _opened(method, url, pieces, length, headers, time.monotonic() + seconds, **checks) as (target, connection, response):
        connection.allow(limit + limit // 64 + 65_536)
        yield StreamedResponse(target, response, limit)


class StreamedResponse:
    """A response whose body is read in pieces, as it is sent (nothing is decoded); names of `headers` are in lower case."""

    def __init__(self, target: _Target, response: http.client.HTTPResponse, limit: int) -> None:
        self.url, self.status = target.url, response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.length = response.length  # of the body; None where it isn't told
        self._target, self._response, self._left = target, response, limit
        if (response.length or 0) > limit:
            raise AnswerTooLargeError("the answer is too large")

    def read(self, size: int) -> bytes:
        """At most so many bytes; b"" at the end. Raises NotFetchedError where it broke off, and AnswerTooLargeError."""
        with _told(self._target):
            piece = self._response.read(min(size, self._left + 1))
            if not piece and self._response.length:
                raise NotFetchedError("the answer broke off")
        self._left -= len(piece)
        if self._left < 0:
            raise AnswerTooLargeError("the answer is too large")
        return piece


@contextmanager
def _opened(
    method: str, url: str, pieces: Iterable[bytes], length: int, headers: dict[str, str], end: float, *,
    allowed: Callable[[Address], bool] = is_global, resolve: Resolve = _resolve, ports: Iterable[int] | None = PORTS,
    names: re.Pattern[str] = _NAME, tls: ssl.SSLContext | None = None, idle: float = float("inf"),
) -> Iterator[tuple[_Target, _Connection, http.client.HTTPResponse]]:  # fmt: skip
    """A request that was sent, and the head of its response."""
    target = _target(url, ports, names)
    connection = _Connection(target, _checked_addresses(target, allowed, resolve, end), end, tls or _tls(), idle)
    try:
        with _told(target):
            connection.putrequest(method, target.path, skip_host=True, skip_accept_encoding=True)
            sent = {
                "Host": target.authority,
                "User-Agent": _AGENT,
                "Accept-Encoding": "identity",
                "Connection": "close",
            } | headers
            if length or method in ("PUT", "POST", "PATCH"):
                sent["Content-Length"] = str(length)
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders()
        for piece in pieces:
            with _told(target):
                if not connection.takes(piece):
                    break  # it has answered already, such as that the body is too large
        with _told(target):
            response = connection.getresponse()
        yield target, connection, response
    finally:
        connection.hang_up()


@contextmanager
def _told(target: _Target) -> Iterator[None]:
    """What goes wrong on the way, as NotFetchedError."""
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
        raise NotFetchedError(f"{target.host}: {type(error).__name__}") from error


def _content(response: http.client.HTTPResponse, limit: int) -> bytes:
    """The decoded body, never more than `limit` bytes. Raises NotFetchedError."""
    if (response.length or 0) > limit:
        raise AnswerTooLargeError("the answer is too large")
    raw = response.read(limit + 1)
    if response.length:
        raise NotFetchedError("the answer broke off")
    if len(raw) > limit:
        raise AnswerTooLargeError("the answer is too large")
    match response.getheader("Content-Encoding", "").strip().lower():
        case "" | "identity":
            return raw
        case "gzip" | "x-gzip":  # some servers send it unasked
            decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
            content = decoder.decompress(raw, limit + 1)
            if len(content) > limit:
                raise AnswerTooLargeError("the answer is too large")
            if not decoder.eof:
                raise NotFetchedError("the answer broke off")
            return content
        case _:
            raise NotFetchedError("the answer is encoded in a way that was not asked for")


class _Connection(http.client.HTTPConnection):
    """A connection to addresses that were checked; reading from it is limited in bytes and time."""

    def __init__(self, target: _Target, addresses: list[str], end: float, tls: ssl.SSLContext, idle: float) -> None:
        super().__init__(target.host, target.port)
        self._target, self._addresses, self._end, self._tls, self._idle = target, addresses, end, tls, idle
        self._socket: socket.socket | None = None
        self._source: _Timed | None = None

    def connect(self) -> None:
        """Try the addresses in order, each but the last with half of the remaining time."""
        for place, address in enumerate(self._addresses):
            left = _left(self._end)
            try:
                plain = socket.create_connection((address, self._target.port), left if self._is_last(place) else left / 2)
            except OSError:
                if self._is_last(place):
                    raise
                continue
            self._socket = plain
            break
        assert self._socket is not None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # headers and body go one after the other
        self._socket.settimeout(_left(self._end))
        if self._target.scheme == "https":
            self._socket = self._tls.wrap_socket(self._socket, server_hostname=self._target.host)
            self._socket.settimeout(_left(self._end))
        self.sock = self._socket

    def _is_last(self, position: int) -> bool:
        return position == len(self._addresses) - 1

    def takes(self, piece: bytes) -> bool:
        """Send a piece of the body; False where the server takes no more of it."""
        self.sock.settimeout(min(_left(self._end), self._idle))
        try:
            self.send(piece)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def getresponse(self) -> http.client.HTTPResponse:
        self._source = _Timed(self.sock, HEADER_LIMIT, self._end, self._idle)
        self.sock = _Readable(self._source)
        return super().getresponse()

    def hang_up(self) -> None:
        """Close the socket. Not named `close`, which http.client calls once it has read the headers."""
        if self._socket is not None:
            self._socket.close()

    def allow(self, more: int) -> None:
        """Allow `more` bytes to be read."""
        if self._source is not None:
            self._source.budget += more


class _Timed(io.RawIOBase):
    """A socket read with a deadline and a byte budget: trickling bytes do not keep it open."""

    def __init__(self, sock: socket.socket, budget: int, end: float, idle: float) -> None:
        self.sock, self.budget, self.end, self.idle = sock, budget, end, idle

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.budget <= 0:
            raise http.client.HTTPException("more than is read")
        self.sock.settimeout(min(_left(self.end), self.idle))
        count = self.sock.recv_into(buffer, min(len(buffer), self.budget))
        self.budget -= count
        return count


class _Readable:
    """The part of the socket interface that http.client uses to read a response."""

    def __init__(self, source: _Timed) -> None:
        self._source = source

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._source, 8192)

    def close(self) -> None:
        """Does nothing, since the body is still to be read: see `hang_up`."""


def _left(end: float) -> float:
    """Seconds until `end`. Raises NotFetchedError if it has passed."""
    left = end - time.monotonic()
    if left <= 0:
        raise NotFetchedError("the answer took too long")
    return left


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """TLS with the system's certificate authorities and host name check. Cached: creating it reads some 200 certificates."""
    return ssl.create_default_context()
