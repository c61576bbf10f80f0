"""OAuth 2 with providers (RFC 6749, with PKCE of RFC 7636): the consent page, and what tokens it leads to.

`consent_address` is where somebody agrees, while the session keeps a `ConsentAttempt`; `finish` turns the answer into tokens.
State and PKCE's verifier derive from one secret of the attempt: an answer is good for the session that asked, once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import math
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from webmail import http_fetch
from webmail.collections.following.faults import seconds_to_wait
from webmail.http_fetch import FetchedResponse, NotFetchedError
from webmail.models import now
from webmail.services.providers import ServiceProvider
from webmail.services.service_errors import ConsentEndedError, ServiceAwayError, ServiceSetupError, TryLaterError

LIFETIME = 900  # seconds of an attempt
SECONDS = 15.0  # for one answer
_LIMIT = 64 * 1024  # bytes of an answer
_LONGEST = 16_000  # characters of a token
_ENDED = frozenset(["invalid_grant", "interaction_required", "consent_required", "login_required"])
_SHORTEST_LIFE, _USUAL_LIFE, _LONGEST_LIFE = 30, 3600, 7 * 86_400  # seconds


class ConsentRefusedError(ServiceSetupError):
    """The person, or their administrator there, did not agree: `code` is the provider's word, such as access_denied."""


@dataclass(frozen=True, slots=True)
class ConsentAttempt:
    """What the session keeps while somebody is at the provider. `connection`: the one that more is asked for; 0: a new one."""

    provider: str
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    at: int = field(default_factory=lambda: int(time.time()))
    purposes: tuple[str, ...] = ()
    connection: int = 0
    next: str = ""  # a path here, to go on at

    @property
    def state(self) -> str:
        return self._derived("state")

    @property
    def verifier(self) -> str:
        return self._derived("verifier")

    @property
    def is_over(self) -> bool:
        return not -60 <= time.time() - self.at <= LIFETIME

    def _derived(self, what: str) -> str:
        return base64.urlsafe_b64encode(hmac.digest(self.secret.encode(), what.encode(), "sha256")).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class ServiceGrant:
    """What a provider gave. `refresh`: "" where it gave no new one; `scopes`: what was granted, which may be less than asked."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires: datetime
    scopes: str
    login: str = ""
    answer: Mapping[str, Any] = field(default_factory=dict, repr=False)


def consent_address(
    provider: ServiceProvider, attempt: ConsentAttempt, back: str, scopes: str, login: str = "", **more: str
) -> str:
    """Where somebody agrees to these scopes. `back`: our callback, as it is registered. `more`: further parameters."""
    asked = {
        "response_type": "code", "client_id": provider.client_id, "redirect_uri": back,
        "scope": " ".join(dict.fromkeys([*provider.base, *scopes.split()])), "state": attempt.state,
        "code_challenge": challenge(attempt.verifier), "code_challenge_method": "S256", **provider.extra, **more,
    }  # fmt: skip
    if login:  # no choice among several: the rights are for this one
        asked["login_hint"] = login
        if asked.get("prompt") == "select_account":
            del asked["prompt"]
    return f"{provider.authorize}{'&' if '?' in provider.authorize else '?'}{urlencode(asked)}"


def finish(provider: ServiceProvider, attempt: ConsentAttempt, answer: Mapping[str, str], back: str) -> ServiceGrant:
    """The tokens that an answer to `attempt` leads to; one request.

    The caller has used the attempt up. Raises ConsentRefusedError, ConsentEndedError (not an answer to it, or too late),
    ServiceSetupError, ServiceAwayError, TryLaterError.
    """
    if attempt.provider != provider.key or attempt.is_over or not hmac.compare_digest(attempt.state, answer.get("state", "")):
        raise ConsentEndedError("an answer to a question that was not asked, or too late")
    if code := answer.get("error", ""):
        raise ConsentRefusedError(code[:60])
    form = {
        "grant_type": "authorization_code", "code": answer.get("code", "")[:_LONGEST], "redirect_uri": back,
        "code_verifier": attempt.verifier,
    }  # fmt: skip
    if not form["code"]:
        raise ConsentEndedError("an answer without a code")
    return ask(provider, form)


def renew(provider: ServiceProvider, refresh: str, scopes: str) -> ServiceGrant:
    """New tokens; one request. Raises ConsentEndedError, ServiceSetupError, ServiceAwayError, TryLaterError."""
    return ask(provider, {"grant_type": "refresh_token", "refresh_token": refresh}, scopes)


def ask(provider: ServiceProvider, form: Mapping[str, str], scopes: str = "") -> ServiceGrant:
    """Tokens for a form (RFC 6749 section 3.2); `scopes`: those before, where the answer does not say. Raises as above."""
    told = _judged(post(provider, provider.token, form))
    access, refresh, granted = told.get("access_token"), told.get("refresh_token", ""), told.get("scope", scopes)
    if not _is_token(access) or str(told.get("token_type", "")).lower() != "bearer":
        raise ServiceAwayError(f"{provider.key} answers without a token")
    return ServiceGrant(
        str(access), str(refresh) if _is_token(refresh) else "", now() + timedelta(seconds=_life(told.get("expires_in"))),
        granted if isinstance(granted, str) else scopes, _login(told.get("id_token")), told,
    )  # fmt: skip


def revoke(provider: ServiceProvider, token: str) -> bool:
    """Take a consent back at the provider (RFC 7009); whether it said so. One request. Never raises."""
    if not provider.revoke or not token:
        return False
    try:
        answer = post(provider, provider.revoke, {"token": token})
    except ServiceAwayError:
        return False
    return answer.status == 200 or (answer.status == 400 and error_word(answer) == "invalid_token")  # it was over already


def challenge(verifier: str) -> str:
    """Of RFC 7636 section 4.2, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def post(provider: ServiceProvider, url: str, form: Mapping[str, str]) -> FetchedResponse:
    body = urlencode({**form, "client_id": provider.client_id, "client_secret": provider.client_secret}).encode()
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    checks = http_fetch.ANYWHERE if provider.named else {}
    try:
        return http_fetch.ask_guarded("POST", url, body, headers, limit=_LIMIT, seconds=SECONDS, **checks)
    except NotFetchedError as error:
        raise ServiceAwayError(f"{provider.key}: {error}") from error


def _judged(answer: FetchedResponse) -> dict[str, Any]:
    if answer.status == 200:
        return _object(answer)
    if answer.status == 429 or (answer.status == 503 and "retry-after" in answer.headers):
        raise TryLaterError(seconds_to_wait(answer.headers) or 60)
    word = error_word(answer)
    if word in _ENDED:
        raise ConsentEndedError(f"the provider says {word}")
    if 400 <= answer.status < 500 and word and word != "temporarily_unavailable":
        raise ServiceSetupError(word)
    raise ServiceAwayError(f"the provider answers {answer.status}")


def error_word(answer: FetchedResponse) -> str:
    """The `error` of an answer (RFC 6749 section 5.2)."""
    try:
        said = _object(answer).get("error", "")
    except ServiceAwayError:
        return ""
    return said[:60] if isinstance(said, str) and said.isascii() and said.isprintable() else ""


def _object(answer: FetchedResponse) -> dict[str, Any]:
    try:
        told = json.loads(answer.content)
    except (ValueError, RecursionError) as error:
        raise ServiceAwayError("the provider does not answer with JSON") from error
    if not isinstance(told, dict):
        raise ServiceAwayError("the provider does not answer with an object")
    return told


def _is_token(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isascii() and value.isprintable() and " " not in value


def _life(seconds: Any) -> int:
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit() and len(seconds) < 10:
        seconds = int(seconds)
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not math.isfinite(seconds):
        return _USUAL_LIFE
    return int(min(max(seconds, _SHORTEST_LIFE), _LONGEST_LIFE))


def _login(token: Any) -> str:
    """Who it is there, as an ID token says that came with the tokens, by TLS from the provider itself (OpenID Connect Core 1.0
    section 3.1.3.7): it is shown, and proves nothing here."""
    try:
        part = str(token).split(".")[1]
        told = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        found = told.get("email") or told.get("preferred_username") or ""
    except (IndexError, ValueError, AttributeError, binascii.Error, RecursionError):
        return ""
    return found[:254] if isinstance(found, str) and found.isprintable() else ""
