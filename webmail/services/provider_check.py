"""Check of a provider: whether this installation is registered there as its settings say. For administrators; nobody signs in.

A code that nobody was given is exchanged: a provider looks at the client first, and then says that the code is unknown, which is
good. The consent page is asked for too, without a visitor: some providers say there that the way back is not registered.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from webmail import http_fetch
from webmail.http_fetch import FetchedResponse, NotFetchedError
from webmail.services import oauth
from webmail.services.oauth import ConsentAttempt
from webmail.services.providers import ServiceProvider
from webmail.services.service_errors import ServiceAwayError

_LARGEST_GAP = 60  # seconds between two clocks
_PAGE = 500_000  # bytes of a consent page


class ServiceFault(StrEnum):
    UNKNOWN_NAME = "name"  # no DNS, no route, refused, no TLS
    AWAY = "away"
    BUSY = "busy"
    CLIENT = "client"  # the client id is not known there
    SECRET = "secret"  # the client id or its secret is wrong
    REDIRECT = "redirect"  # our address is not registered as the way back
    TENANT = "tenant"
    CLOCK = "clock"
    OTHER = "other"  # its own word is told


# what providers write on their pages, or in the address that they send to, where the client or the way back is not registered
_ON_PAGE = {
    "redirect_uri_mismatch": ServiceFault.REDIRECT, "AADSTS50011": ServiceFault.REDIRECT, "AADSTS500113": ServiceFault.REDIRECT,
    "invalid_client": ServiceFault.CLIENT, "deleted_client": ServiceFault.CLIENT, "AADSTS700016": ServiceFault.CLIENT,
    "AADSTS90002": ServiceFault.TENANT,
}  # fmt: skip
_OF_ERROR = {
    "invalid_client": ServiceFault.SECRET, "unauthorized_client": ServiceFault.CLIENT, "deleted_client": ServiceFault.CLIENT,
    "redirect_uri_mismatch": ServiceFault.REDIRECT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ServiceFinding:
    """What is wrong. `said`: the provider's own word, or how far a clock is off, or what the network says."""

    fault: ServiceFault
    said: str = ""


def check(provider: ServiceProvider, back: str) -> list[ServiceFinding]:
    """What is wrong with how a provider is set up; empty where nothing is found. At most two requests."""
    try:
        answer = _exchange(provider, back)
    except ServiceAwayError as error:
        return [ServiceFinding(ServiceFault.UNKNOWN_NAME, str(error.__cause__ or error)[:200])]
    found = [*_clock(answer), *_of_token(answer)]
    if not any(one.fault in (ServiceFault.CLIENT, ServiceFault.REDIRECT, ServiceFault.TENANT) for one in found):
        found += _of_page(provider, back)
    return found


def _exchange(provider: ServiceProvider, back: str) -> FetchedResponse:
    form = {
        "grant_type": "authorization_code", "code": f"connection-test-{secrets.token_hex(8)}", "redirect_uri": back,
        "code_verifier": secrets.token_urlsafe(48),
    }  # fmt: skip
    return oauth.post(provider, provider.token, form)


def _clock(answer: FetchedResponse) -> list[ServiceFinding]:
    try:
        there = parsedate_to_datetime(answer.headers.get("date", ""))
        gap = round((datetime.now(UTC) - there).total_seconds())
    except (ValueError, TypeError):
        return []
    return [ServiceFinding(ServiceFault.CLOCK, str(gap))] if abs(gap) > _LARGEST_GAP else []


def _of_token(answer: FetchedResponse) -> list[ServiceFinding]:
    if answer.status == 429:
        return [ServiceFinding(ServiceFault.BUSY)]
    word = oauth.error_word(answer)
    text = answer.content[:4000].decode(errors="replace")
    if fault := next((fault for sign, fault in _ON_PAGE.items() if sign.startswith("AADSTS") and sign in text), None):
        return [ServiceFinding(fault, word)]
    if word == "invalid_grant":  # the client is right, and the code is nobody's
        return []
    if not word or answer.status >= 500:
        return [ServiceFinding(ServiceFault.AWAY, str(answer.status))]
    return [ServiceFinding(_OF_ERROR.get(word, ServiceFault.OTHER), word)]


def _of_page(provider: ServiceProvider, back: str) -> list[ServiceFinding]:
    address = oauth.consent_address(provider, ConsentAttempt(provider.key), back, "")
    checks = http_fetch.ANYWHERE if provider.named else {}
    try:
        answer = http_fetch.ask_guarded(
            "GET", address, b"", {"Accept": "text/html"}, limit=_PAGE, seconds=oauth.SECONDS, **checks
        )
    except NotFetchedError as error:
        return [ServiceFinding(ServiceFault.UNKNOWN_NAME, str(error)[:200])]
    text = answer.content.decode(errors="replace") + _unpacked(answer.headers.get("location", ""))
    fault = next((fault for sign, fault in _ON_PAGE.items() if sign in text), None)
    return [ServiceFinding(fault)] if fault else []


def _unpacked(location: str) -> str:
    """Where it sends to, with what stands there in Base64: Google packs the error so (`authError`)."""
    found = [location]
    for packed in re.findall(r"[?&]authError=([\w%+/=-]{8,4000})", location):
        plain = packed.replace("%3D", "").replace("%2B", "-").replace("%2F", "_").replace("+", "-").replace("/", "_").rstrip("=")
        try:
            found.append(base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4)).decode(errors="replace"))
        except (binascii.Error, ValueError):
            continue
    return " ".join(found)
