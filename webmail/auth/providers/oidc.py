"""OpenID Connect: asks a provider who somebody is, and checks its answer (Core 1.0, code flow with PKCE). No Flask here.

`begin` gives the address at the provider, and the `Attempt` that the browser keeps meanwhile; `finish` turns what comes back
into an `ProvenPerson`. State, nonce and PKCE's verifier derive from one secret of the attempt, so that an answer is good for the
browser that asked, once, and for the provider that was asked. `ended` reads a back-channel sign-out (Back-Channel Logout 1.0).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import peewee as pw

from webmail import vault
from webmail.auth.providers import oidc_server
from webmail.auth.providers.accounts import Claims
from webmail.auth.providers.oidc_server import ProviderAwayError, ProviderRefusedError
from webmail.config.providers import Oidc
from webmail.config.settings import Settings
from webmail.models import UsedToken, now

LIFETIME = timedelta(minutes=15)  # of an attempt
_LEEWAY = 60  # seconds between two clocks
_OLDEST = 600  # seconds since a token was made
_ENDED_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LONGEST_VALUE = 1000  # characters of what a provider tells or sends back
_MOST_GROUPS = 1000
_LONGEST_HINT = 1500  # characters: sealed and signed it has to fit into a cookie of 4 KB
_HINT = "id token hint"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the browser keeps while somebody is at the provider. `fresh`: they have to prove who they are there anew."""

    provider: str
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    at: int = field(default_factory=lambda: int(time.time()))
    fresh: bool = False

    @property
    def state(self) -> str:
        return self._derived("state")

    @property
    def nonce(self) -> str:
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        return self._derived("verifier")

    @property
    def is_over(self) -> bool:
        return not 0 <= time.time() - self.at + _LEEWAY <= LIFETIME.total_seconds() + _LEEWAY

    def _derived(self, what: str) -> str:
        return base64.urlsafe_b64encode(hmac.digest(self.secret.encode(), what.encode(), "sha256")).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class ProvenPerson:
    """Who signed in at a provider. `session`: the provider's own (`sid`), "" where it tells none. `fresh`: it says that they did
    so for this attempt; some never say it. `id_token`: what it said, for signing out there."""

    claims: Claims
    session: str = ""
    fresh: bool = False
    id_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Ended:
    """What a provider has ended: one session of it, or all of a person (`subject`)."""

    subject: str
    session: str


def find(name: str, settings: Settings) -> Oidc | None:
    """The provider of this name."""
    return next((one for one in settings.oidc if one.name == name), None)


def key_of(provider: Oidc) -> str:
    """What it is called in tables: `LinkedAccount.provider`, `Session.provider`."""
    return f"oidc:{provider.name}"


def session_hash(session: str) -> str:
    """For `Session.provider_session`; "" for none."""
    return hashlib.sha256(session.encode()).hexdigest() if session else ""


def begin(provider: Oidc, back: str, *, fresh: bool = False) -> tuple[Attempt, str]:
    """The attempt, and the address to go to. `back`: our callback for this provider, as it is registered. Raises
    ProviderAwayError."""
    here, attempt = oidc_server.metadata(provider), Attempt(provider.name, fresh=fresh)
    asked = {
        "response_type": "code", "client_id": provider.client_id, "redirect_uri": back, "scope": _scopes(provider),
        "state": attempt.state, "nonce": attempt.nonce, "code_challenge_method": "S256",
        "code_challenge": _challenge(attempt.verifier),
    }  # fmt: skip
    if fresh:
        asked |= {"prompt": "login", "max_age": "0"}
    return attempt, _with_query(here.authorization, asked)


def finish(provider: Oidc, attempt: Attempt, answer: Mapping[str, str], back: str) -> ProvenPerson:
    """Who the answer to `attempt` proves; at most two requests.

    The caller has found the attempt by `answer["state"]` and used it up, and has seen that the provider tells no error.
    Raises ProviderAwayError and ProviderRefusedError.
    """
    here = oidc_server.metadata(provider)
    if attempt.provider != provider.name or attempt.is_over or not hmac.compare_digest(attempt.state, answer.get("state", "")):
        raise ProviderRefusedError("an answer to a question that was not asked")
    sender = answer.get("iss")
    if (here.names_itself and sender is None) or sender not in (None, here.issuer):
        raise ProviderRefusedError("an answer in the name of another provider")
    code = answer.get("code", "")
    if not 0 < len(code) <= 4 * _LONGEST_VALUE:
        raise ProviderRefusedError("an answer without a code")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": attempt.verifier}
    found = oidc_server.tokens(provider, form)
    token, access_token = found.get("id_token"), found.get("access_token")
    if not isinstance(token, str):
        raise ProviderRefusedError("an answer without an ID token")
    access_token = access_token if isinstance(access_token, str) else ""
    told = _checked_id_token(provider, token, attempt, access_token)
    claims = _claims(provider, told, access_token)
    return ProvenPerson(claims, _text(told.get("sid")), _is_fresh(attempt, told), token)


def ended(provider: Oidc, token: str) -> Ended:
    """What a logout token ends (Back-Channel Logout 1.0 section 2.6).

    It is good once: who holds on to one can't sign anybody out again. Raises ProviderAwayError, ProviderRefusedError and one of
    DATABASE_AWAY.
    """
    header, told = oidc_server.verified(provider, token)
    kind = header.get("typ")
    if kind is not None and str(kind).lower().removeprefix("application/") not in ("logout+jwt", "jwt"):
        raise ProviderRefusedError("another kind of token")
    events, subject, session, name = told.get("events"), told.get("sub", ""), told.get("sid", ""), told.get("jti")
    if not isinstance(events, dict) or not isinstance(events.get(_ENDED_EVENT), dict) or "nonce" in told:
        raise ProviderRefusedError("no logout token")
    if not _is_text(name) or not all(isinstance(one, str) for one in (subject, session)) or not (subject or session):
        raise ProviderRefusedError("a logout token that ends nothing")
    options = {"iss": {"essential": True, "value": oidc_server.metadata(provider).issuer}, "iat": {"essential": True}}
    _validate({"exp": int(time.time()) + _LEEWAY, "sub": subject or "-", **told}, header, options, {})
    _check_audience(provider, told)
    _use_up(provider, str(name), told.get("exp"))
    return Ended(str(subject), str(session))


def forget_used_tokens() -> int:
    """Delete what is over by itself; returns how many."""
    return UsedToken.delete().where(UsedToken.expires < now()).execute()


def _use_up(provider: Oidc, name: str, expires: Any) -> None:
    at = now()
    try:
        end = min(datetime.fromtimestamp(float(expires), UTC).replace(tzinfo=None), at + timedelta(days=1))
    except (TypeError, ValueError, OverflowError, OSError):
        end = at
    forget_used_tokens()
    hashed = hashlib.sha256(f"{key_of(provider)}\n{name}".encode()).hexdigest()
    try:
        UsedToken.create(hash=hashed, expires=end + timedelta(seconds=_OLDEST + 2 * _LEEWAY))
    except pw.IntegrityError as error:
        raise ProviderRefusedError("a logout token that was used already") from error


def _challenge(verifier: str) -> str:
    """Of RFC 7636 section 4.2, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _checked_id_token(provider: Oidc, token: str, attempt: Attempt, access_token: str) -> dict[str, Any]:
    """The claims of an ID token for us, made now, and for this attempt (Core 1.0 section 3.1.3.7)."""
    header, told = oidc_server.verified(provider, token)
    options = {"iss": {"essential": True, "value": oidc_server.metadata(provider).issuer}, "sub": {"essential": True}}
    expected = {"nonce": attempt.nonce, "client_id": provider.client_id, "access_token": access_token}
    _validate(told, header, options, expected)
    _check_audience(provider, told)
    if not _is_text(told["sub"]):
        raise ProviderRefusedError("an ID token of nobody")
    if attempt.fresh and "auth_time" in told and not _is_fresh(attempt, told):
        raise ProviderRefusedError("signed in there too long ago")
    return told


def _is_fresh(attempt: Attempt, told: Mapping[str, Any]) -> bool:
    """Whether it says that they signed in there for this attempt."""
    return attempt.at - _LEEWAY <= _time(told.get("auth_time")) <= time.time() + _LEEWAY


def _validate(told: dict[str, Any], header: dict[str, Any], options: dict[str, Any], expected: dict[str, Any]) -> None:
    from webmail.auth.providers import signed_tokens

    try:
        signed_tokens.validate(told, header, options, expected, leeway=_LEEWAY, oldest=_OLDEST)
    except signed_tokens.BadTokenError as error:
        raise ProviderRefusedError(str(error)) from error


def _check_audience(provider: Oidc, told: Mapping[str, Any]) -> None:
    """For us; and for others too only where it names us as who asked for it."""
    audience = told.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    party = told.get("azp", provider.client_id if len(listed) == 1 else None)
    if provider.client_id not in listed or party != provider.client_id:
        raise ProviderRefusedError("a token for somebody else")


def _claims(provider: Oidc, told: dict[str, Any], access_token: str) -> Claims:
    wanted = [provider.address_claim, provider.name_claim, provider.groups_claim]
    if any(name and name not in told for name in wanted) and access_token:
        more = _asked_for(provider, access_token)
        if more.get("sub") == told["sub"]:
            if told.get("email", more.get("email")) != more.get("email"):
                more.pop("email_verified", None)  # it is said of another address
            told = {**more, **told}
    address, name = _text(told.get(provider.address_claim)), _text(told.get(provider.name_claim))
    known_as = _text(told.get("preferred_username"))
    groups = _groups(told.get(provider.groups_claim)) if provider.groups_claim else None
    return Claims(
        provider=key_of(provider), subject=told["sub"], address=address, proven=_is_proven(provider, told), name=name,
        groups=groups, shown=address or known_as,
    )  # fmt: skip


def _asked_for(provider: Oidc, access_token: str) -> dict[str, Any]:
    try:
        return oidc_server.userinfo(provider, access_token)
    except ProviderAwayError:  # the proof is there; a link is enough to be let in by
        return {}


def _is_proven(provider: Oidc, told: Mapping[str, Any]) -> bool:
    """`email_verified` speaks of `email` alone; one that says no is believed in any case."""
    said = told.get("email_verified")
    if said is False or said == "false":
        return False
    return provider.addresses_proven or (provider.address_claim == "email" and (said is True or said == "true"))


def _groups(told: Any) -> list[str] | None:
    """None where the provider says nothing: groups then stay as they are."""
    if isinstance(told, str):
        told = [told]
    if not isinstance(told, list):
        return None
    return [one.strip("/") for one in told[:_MOST_GROUPS] if isinstance(one, str) and len(one) <= _LONGEST_VALUE]


def _scopes(provider: Oidc) -> str:
    return " ".join(dict.fromkeys(["openid", *provider.scopes.split()]))


def _with_query(address: str, values: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(values)}"


def keep_hint(id_token: str, settings: Settings) -> str:
    """An ID token as a session keeps it, for `sign_out_address`; "" where it is too long for a cookie afterwards."""
    if not 0 < len(id_token) <= _LONGEST_HINT:
        return ""
    return base64.b64encode(vault.seal_secret(id_token.encode(), settings.secret_key, _HINT, 0)).decode()


def sign_out_address(provider: Oidc, back: str, stored: str, settings: Settings) -> str:
    """Where somebody ends the provider's own session (RP-Initiated Logout 1.0), "" where there is none. Raises ProviderAwayError.

    `stored`: as of `keep_hint`, by which the provider knows whose session it is, and need not ask; "" for none.
    """
    here = oidc_server.metadata(provider)
    asked = {"client_id": provider.client_id, "post_logout_redirect_uri": back}
    with suppress(vault.CannotOpenError, ValueError):
        if stored:
            asked["id_token_hint"] = vault.open_secret(base64.b64decode(stored), settings.secret_key, _HINT, 0).decode()
    return _with_query(here.end_session, asked) if here.end_session else ""


def _is_text(told: Any) -> bool:
    return isinstance(told, str) and 0 < len(told) <= _LONGEST_VALUE


def _text(told: Any) -> str:
    return str(told) if _is_text(told) else ""


def _time(told: Any) -> float:
    return float(told) if isinstance(told, int | float) and not isinstance(told, bool) else float("-inf")
