"""Providers of OpenID Connect as servers: what they say of themselves (Discovery 1.0), their keys, their answers. No Flask here.

The issuer is the administrator's choice, and may be inside the establishment's network; everything it answers is bounded all the
same. One that is away is asked by few threads, and then left alone for some seconds, so that others still sign in otherwise.
"""

from __future__ import annotations

import base64
import json
import logging
import ssl
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode, urlsplit

from webmail.config.checks import ConfigError, web_address
from webmail.config.providers import Oidc
from webmail.errors import EnglishText as _l
from webmail.errors import MailError
from webmail.http_fetch import NotFetchedError, ask_named

if TYPE_CHECKING:
    from joserfc.jwk import Key

log = logging.getLogger(__name__)

SECONDS = 8.0  # for one answer, the whole of it
LIMIT = 256 * 1024  # bytes of an answer
KEPT_SECONDS = 3600.0  # what a provider says of itself
KEYS_AGAIN_SECONDS = 60.0  # at least between two looks for a key that is not known: anybody can name one
PAUSE_SECONDS = 5.0  # how long one that was away is left alone
AT_ONCE = 4  # threads that ask one provider
LONGEST_TOKEN = 32 * 1024  # characters
_PATIENCE = 1.0  # seconds to wait for others who ask it


class ProviderAwayError(MailError):
    """The provider does not answer, or not as providers do. A later try may help."""

    status = 503


class ProviderRefusedError(MailError):
    """What came from the provider, or in its name, is no proof of who somebody is."""

    status = 403


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a provider says of itself, as far as it matters here (Discovery 1.0 section 3). Addresses: "" for none."""

    issuer: str
    authorization: str
    token: str
    jwks: str
    userinfo: str = ""
    end_session: str = ""
    algorithms: tuple[str, ...] = ("RS256",)
    secret_by_post: bool = False  # the client's secret stands in the form, not in a header
    names_itself: bool = False  # in each answer, by the parameter `iss` (RFC 9207)


@dataclass(slots=True)
class _CachedProvider:
    """What is known of a provider in this process."""

    metadata: Metadata | None = None
    metadata_until: float = 0.0
    keys: tuple[Key, ...] = ()
    keys_read: float = float("-inf")
    away_until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)
    turns: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))


_known: defaultdict[Oidc, _CachedProvider] = defaultdict(_CachedProvider)


def forget_all() -> None:
    """For tests: as in a process that has asked nobody yet."""
    _known.clear()


def known_metadata(provider: Oidc) -> Metadata | None:
    """What this process knows already, without asking."""
    return _known[provider].metadata


def metadata(provider: Oidc) -> Metadata:
    """One request an hour. What was known is used on where the provider can't be asked. Raises ProviderAwayError."""
    known = _known[provider]
    if known.metadata is not None and time.monotonic() < known.metadata_until:
        return known.metadata
    if not known.lock.acquire(timeout=_PATIENCE):  # others ask: not every thread waits for a provider that is away
        raise ProviderAwayError(_l("%(name)s is being asked", name=provider.name))
    try:
        if known.metadata is None or time.monotonic() >= known.metadata_until:
            known.metadata = _discovered(provider)
            known.metadata_until = time.monotonic() + KEPT_SECONDS
    except ProviderAwayError:
        if known.metadata is None:
            raise
        known.metadata_until = time.monotonic() + KEYS_AGAIN_SECONDS
    finally:
        known.lock.release()
    return known.metadata


def tokens(provider: Oidc, form: dict[str, str]) -> dict[str, Any]:
    """What the token endpoint gives for a code (RFC 6749 section 4.1.3). Raises ProviderAwayError and ProviderRefusedError."""
    here = metadata(provider)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    fields = {**form, "client_id": provider.client_id}
    if provider.client_secret and here.secret_by_post:
        fields["client_secret"] = provider.client_secret
    elif provider.client_secret:
        pair = f"{quote_plus(provider.client_id)}:{quote_plus(provider.client_secret)}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    status, found = _ask(provider, "POST", here.token, urlencode(fields).encode(), headers)
    if status == 200:
        return found
    if 400 <= status < 500:
        raise ProviderRefusedError(_l("the code is refused: %(answer)s", answer=f"{status} {_word(found.get('error'))}"))
    raise ProviderAwayError(_l("the token endpoint answered %(status)s", status=status))


def userinfo(provider: Oidc, access_token: str) -> dict[str, Any]:
    """What the provider says of who signed in (Core 1.0 section 5.3), {} where it says nothing. Raises ProviderAwayError."""
    here = metadata(provider)
    if not here.userinfo or not access_token.isascii() or not access_token.isprintable():
        return {}
    headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
    status, found = _ask(provider, "GET", here.userinfo, b"", headers)
    return found if status == 200 else {}


def verified(provider: Oidc, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a signed token, whose signature is the provider's. Nothing else of it is checked here.

    A key that is not known is looked for once more, at most once in KEYS_AGAIN_SECONDS. Raises ProviderAwayError and
    ProviderRefusedError.
    """
    if len(token) > LONGEST_TOKEN:
        raise ProviderRefusedError("a token that is too long")
    from webmail.auth.providers import signed_tokens

    try:
        header = signed_tokens.header_of(token)
    except signed_tokens.BadTokenError as error:
        raise ProviderRefusedError(str(error)) from error
    algorithm, kid = header.get("alg"), header.get("kid")
    allowed = [one for one in metadata(provider).algorithms if one in signed_tokens.ALGORITHMS]
    if algorithm not in allowed or "crit" in header:
        raise ProviderRefusedError(f"a token signed by {_word(algorithm)}")
    fitting = partial(signed_tokens.fitting, algorithm=algorithm, kid=kid)
    for key in fitting(_keys(provider)) or fitting(_keys(provider, again=True)):
        try:
            return header, signed_tokens.claims_of(token, key, algorithm)
        except signed_tokens.BadTokenError as error:
            log.info("%s: a token is not signed by its key %r: %s", provider.name, key.kid, error)
    raise ProviderRefusedError("a token that is signed by none of the provider's keys")


def usable_keys(provider: Oidc) -> int:
    """How many of its keys can check a signature that it announces. Raises ProviderAwayError."""
    from webmail.auth.providers.signed_tokens import ALGORITHMS

    kinds = {ALGORITHMS[one] for one in metadata(provider).algorithms if one in ALGORITHMS}
    return sum(type(key) in kinds for key in _keys(provider))


def _keys(provider: Oidc, *, again: bool = False) -> tuple[Key, ...]:
    """The provider's public keys, asked for once an hour, and with `again` where one is missing. Raises ProviderAwayError."""
    known = _known[provider]
    if time.monotonic() - known.keys_read < (KEYS_AGAIN_SECONDS if again else KEPT_SECONDS):
        return known.keys
    address = metadata(provider).jwks
    status, found = _ask(provider, "GET", address, b"", {"Accept": "application/json"})
    if status != 200:
        raise ProviderAwayError(_l("the keys are not there: %(status)s", status=status))
    from webmail.auth.providers.signed_tokens import public_keys

    known.keys, known.keys_read = public_keys(found.get("keys")), time.monotonic()
    return known.keys


def _discovered(provider: Oidc) -> Metadata:
    address = provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
    status, told = _ask(provider, "GET", address, b"", {"Accept": "application/json"})
    if status != 200:
        raise ProviderAwayError(_l("%(address)s answered %(status)s", address=address, status=status))
    issuer = told.get("issuer")
    if not isinstance(issuer, str) or issuer.rstrip("/") != provider.issuer.rstrip("/"):
        raise ProviderAwayError(_l("%(issuer)s calls itself %(name)s", issuer=provider.issuer, name=_word(issuer)))
    places = {
        name: _endpoint(provider, told.get(key), needed=needed)
        for name, key, needed in (
            ("authorization", "authorization_endpoint", True), ("token", "token_endpoint", True), ("jwks", "jwks_uri", True),
            ("userinfo", "userinfo_endpoint", False), ("end_session", "end_session_endpoint", False),
        )
    }  # fmt: skip
    methods = _strings(told.get("token_endpoint_auth_methods_supported")) or ("client_secret_basic",)
    return Metadata(
        issuer, **places,
        algorithms=_strings(told.get("id_token_signing_alg_values_supported")) or ("RS256",),
        secret_by_post="client_secret_basic" not in methods and "client_secret_post" in methods,
        names_itself=told.get("authorization_response_iss_parameter_supported") is True,
    )  # fmt: skip


def _endpoint(provider: Oidc, told: Any, *, needed: bool) -> str:
    """An address that the provider tells: as safe as the issuer's own. Raises ProviderAwayError."""
    address = told if isinstance(told, str) else ""
    try:
        if address:
            web_address("endpoint", address)
        if address and urlsplit(provider.issuer).scheme == "https" and urlsplit(address).scheme != "https":
            raise ConfigError("an endpoint without TLS")
    except ConfigError as error:
        raise ProviderAwayError(f"{provider.issuer}: {error}") from error
    if needed and not address:
        raise ProviderAwayError(_l("%(issuer)s does not tell all its addresses", issuer=provider.issuer))
    return address


def _ask(provider: Oidc, method: str, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of an answer, {} where it is none. Raises ProviderAwayError."""
    known = _known[provider]
    if time.monotonic() < known.away_until:
        raise ProviderAwayError(_l("%(name)s did not answer a moment ago", name=provider.name))
    if not known.turns.acquire(timeout=_PATIENCE):
        raise ProviderAwayError(_l("%(count)s others wait for %(name)s already", count=AT_ONCE, name=provider.name))
    try:
        answer = ask_named(method, url, body, headers, limit=LIMIT, seconds=SECONDS, tls=_tls(provider.ca_file))
    except (NotFetchedError, OSError) as error:
        known.away_until = time.monotonic() + PAUSE_SECONDS
        log.warning("%s can't be asked at %s: %s", provider.name, urlsplit(url).netloc, error)
        raise ProviderAwayError(f"{provider.name}: {error}") from error
    finally:
        known.turns.release()
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError):
        found = None
    return answer.status, found if isinstance(found, dict) else {}


@lru_cache(maxsize=16)
def _tls(ca_file: str) -> ssl.SSLContext | None:
    """Raises OSError for a file that can't be read."""
    return ssl.create_default_context(cafile=ca_file) if ca_file else None


def _strings(told: Any) -> tuple[str, ...]:
    return tuple(one for one in told if isinstance(one, str)) if isinstance(told, list) else ()


def _word(told: Any) -> str:
    """What somebody else wrote, for our log."""
    return repr(told)[:100]
