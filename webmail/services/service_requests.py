"""Requests to connected services: guarded as all that a person can point our server at, signed with what the service gave them.

A token goes to the provider's own places alone, a password to the host (and port) that the person gave: never to where a service
sends us on. Servers are asked on the internet by TLS, and in the networks of the establishment where `service_networks` names
them. Redirects are answered, not followed.
"""

from __future__ import annotations

import base64
import ipaddress
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from webmail import http_fetch
from webmail.collections.following.faults import seconds_to_wait
from webmail.collections.following.turns import named_inside
from webmail.config.settings import Settings
from webmail.http_fetch import (
    AddressForbiddenError,
    AnswerTooLargeError,
    FetchedResponse,
    NotFetchedError,
    StreamedResponse,
    is_global,
)
from webmail.models import ConnectedService
from webmail.services import connections, tokens
from webmail.services.providers import ServiceProvider, origin_of
from webmail.services.service_errors import ConsentEndedError, ServiceAwayError, ServiceProblem, TryLaterError

LIMIT = 5_000_000  # bytes of an answer that is read whole
SECONDS = 30.0
STREAM_SECONDS = 3600.0  # for a body in pieces, all of it
IDLE_SECONDS = 60.0  # for each piece
_USUAL_WAIT = 30  # seconds, where a service says only that it is too much
_AWAY = (500, 502, 503, 504)
_RATE_WORDS = frozenset(["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"])  # of Google, with 403

Pieces = Callable[[], Iterable[bytes]]  # called again where a request is


def request(
    connection: ConnectedService, settings: Settings, method: str, url: str, *, headers: Mapping[str, str] | None = None,
    body: bytes = b"", limit: int = LIMIT, seconds: float = SECONDS, signed: bool = True, own_faults: bool = True,
) -> FetchedResponse:  # fmt: skip
    """Ask once, and once more with a fresh token after a 401. Not to be called in a transaction.

    Without `signed` nothing of ours goes with it: for addresses that hold their own secret, such as those of uploads. Any status
    is returned but 401, 429, and faults of the service; without `own_faults` its 500 too, which may be of one item alone.
    Raises ConsentEndedError, NotOfferedError, TryLaterError, ServiceAwayError, ServiceSetupError, AddressForbiddenError,
    AnswerTooLargeError.
    """
    provider = tokens.provider_of(connection, settings)

    def asked(signature: Mapping[str, str]) -> FetchedResponse:
        sent = {"Accept": "*/*", **(headers or {}), **signature}
        checks = checks_for(url, settings, named=_is_named(url, provider, settings))
        return http_fetch.ask_guarded(method, url, body, sent, limit=limit, seconds=seconds, **checks)

    refused = ""
    for again in (False, True):
        signature, token = _signature(connection, provider, settings, url, refused) if signed else ({}, "")
        with _told_away(connection):
            answer = asked(signature)
        if answer.status == 401 and signed and token and not again:
            refused = token
            continue
        if answer.status != 500 or own_faults:
            _judge(connection, answer.status, answer.headers, answer.content, signed=signed, token=token)
        return answer
    raise AssertionError("unreachable")


@contextmanager
def stream(
    connection: ConnectedService, settings: Settings, method: str, url: str, *, headers: Mapping[str, str] | None = None,
    pieces: Pieces | None = None, length: int = 0, limit: int, seconds: float = STREAM_SECONDS, signed: bool = True,
) -> Iterator[StreamedResponse]:  # fmt: skip
    """The same with bodies in pieces, both ways: `pieces()` gives `length` bytes in all, `limit` is of the answer.

    What is read may still raise NotFetchedError.
    """
    provider = tokens.provider_of(connection, settings)
    refused = ""
    for again in (False, True):
        signature, token = _signature(connection, provider, settings, url, refused) if signed else ({}, "")
        sent = {"Accept": "*/*", **(headers or {}), **signature}
        checks = checks_for(url, settings, named=_is_named(url, provider, settings))
        opened = http_fetch.streamed(
            method,
            url,
            pieces() if pieces else (),
            sent,
            length=length,
            limit=limit,
            seconds=seconds,
            idle=IDLE_SECONDS,
            **checks,
        )
        with _told_away(connection):
            response = opened.__enter__()
        try:
            if response.status == 401 and signed and token and not again:
                refused = token
                continue
            _judge(connection, response.status, response.headers, b"", signed=signed, token=token)
            yield response
            return
        finally:
            opened.__exit__(None, None, None)


def checks_for(url: str, settings: Settings, *, named: bool = False) -> Mapping[str, Any]:
    """How an address is checked (`http_fetch`): one that the administrator named may be anywhere; others are on the internet, by
    TLS, or in `service_networks`. Raises AddressForbiddenError."""
    if named:
        return http_fetch.ANYWHERE
    own = _networks(settings.service_networks)
    try:
        parts = urlsplit(url)
        public = parts.scheme == "https" and (parts.port or 443) == 443
    except ValueError as error:
        raise AddressForbiddenError("not an address of the web") from error
    if not own:
        if not public:
            raise AddressForbiddenError("only https addresses are asked")
        return {}

    def allowed(address: http_fetch.Address) -> bool:
        return any(address in network for network in own) or (public and is_global(address))

    return {**http_fetch.ANYWHERE, "allowed": allowed}


def _is_named(url: str, provider: ServiceProvider, settings: Settings) -> bool:
    """Whether the administrator named this place: as where a provider is, or in `dav_servers`."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)
        return (provider.named and origin_of(url) in provider.origins) or named_inside(settings, host, port)
    except ValueError:
        return False


@lru_cache(maxsize=16)
def _networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(word.strip()) for word in text.split(",") if word.strip())


def _signature(
    connection: ConnectedService, provider: ServiceProvider, settings: Settings, url: str, refused: str
) -> tuple[dict[str, str], str]:
    """The header that opens the service, and the token in it ("" for a password)."""
    allowed = provider.origins if provider.consent else {origin_of(connection.address)}
    try:
        there = origin_of(url)
    except ValueError as error:
        raise AddressForbiddenError("not an address of the web") from error
    if there not in allowed:
        raise AddressForbiddenError(f"{urlsplit(url).hostname} is not a place of {provider.key}")
    if provider.consent:
        token = tokens.access_token(connection, settings, refused)
        return {"Authorization": f"Bearer {token}"}, token
    password = connections.secret_of(connection, settings).get("password", "")
    return {"Authorization": "Basic " + base64.b64encode(f"{connection.login}:{password}".encode()).decode()}, ""


@contextmanager
def _told_away(connection: ConnectedService) -> Iterator[None]:
    try:
        yield
    except (AddressForbiddenError, AnswerTooLargeError):
        raise
    except NotFetchedError as error:
        connections.away(connection)
        raise ServiceAwayError(f"connected service {connection.id}: {error}") from error


def _judge(
    connection: ConnectedService, status: int, headers: Mapping[str, str], content: bytes, *, signed: bool, token: str
) -> None:
    if status == 401 and signed:
        connections.refused(connection, ServiceProblem.CONSENT if token else ServiceProblem.PASSWORD)
        raise ConsentEndedError(f"connected service {connection.id} answers 401")
    if status == 429 or (status == 503 and "retry-after" in headers) or (status == 403 and _is_rate(content)):
        raise TryLaterError(seconds_to_wait(headers) or _USUAL_WAIT)
    if status in _AWAY:
        connections.away(connection)
        raise ServiceAwayError(f"connected service {connection.id} answers {status}")
    connections.works(connection)


def _is_rate(content: bytes) -> bool:
    """Whether Google refuses for the number of requests, which it says by a word in the answer."""
    try:
        errors = json.loads(content)["error"]["errors"] if content else []
        return any(one.get("reason") in _RATE_WORDS for one in errors)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False
