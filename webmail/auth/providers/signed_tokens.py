"""Signed tokens of OpenID Connect: their signatures and claims. Imported when a token comes, with the libraries that check it."""

from __future__ import annotations

import logging
import time
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

log = logging.getLogger(__name__)

_MOST = 50  # keys of a provider
_SMALLEST_RSA = 2048  # bits
ALGORITHMS = {  # signatures that only the provider can make: never HS256, whose secret we hold too, nor none
    "RS256": RSAKey, "RS384": RSAKey, "RS512": RSAKey, "PS256": RSAKey, "PS384": RSAKey, "PS512": RSAKey,
    "ES256": ECKey, "ES384": ECKey, "ES512": ECKey, "EdDSA": OKPKey,
}  # fmt: skip


class BadTokenError(Exception):
    """It is no token, or not signed by this key, or says what it must not."""


def header_of(token: str) -> dict[str, Any]:
    try:
        return dict(jws.extract_compact(token.encode()).headers())
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BadTokenError(f"no signed token: {type(error).__name__}") from error


def claims_of(token: str, key: Key, algorithm: str) -> dict[str, Any]:
    """What it says, if this key has signed it."""
    try:
        return dict(jwt.decode(token, key, algorithms=[algorithm]).claims)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise BadTokenError(type(error).__name__) from error


def validate(
    told: dict[str, Any],
    header: dict[str, Any],
    options: dict[str, Any],
    expected: dict[str, Any],
    *,
    leeway: int,
    oldest: int,
) -> None:
    """Check the claims of an ID token. `leeway`, `oldest`: seconds."""
    claims = CodeIDToken(told, header, options, expected)
    try:
        claims.validate(leeway=leeway)
        if not time.time() - oldest <= float(claims["iat"]):
            raise BadTokenError("a token that was made long ago")
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadTokenError(f"a token that is not right: {error}"[:200]) from error


def fitting(keys: tuple[Key, ...], algorithm: str, kid: Any) -> list[Key]:
    """The keys that a token may be signed with: the one that it names, else all of the right kind."""
    fit = [key for key in keys if isinstance(key, ALGORITHMS[algorithm]) and key.get("alg", algorithm) == algorithm]
    return fit if kid is None else [key for key in fit if key.kid == kid]


def public_keys(told: Any) -> tuple[Key, ...]:
    """Those that can be used, of what the provider told (RFC 7517): for signatures, public, and large enough."""
    found: list[Key] = []
    for one in told[:_MOST] if isinstance(told, list) else []:
        if not isinstance(one, dict) or one.get("use", "sig") != "sig" or one.get("kty") not in ("RSA", "EC", "OKP"):
            continue
        try:
            [key] = KeySet.import_key_set({"keys": [one]}).keys
            if isinstance(key, RSAKey) and key.public_key.key_size < _SMALLEST_RSA:
                continue
        except (JoseError, ValueError, TypeError, AttributeError, KeyError) as error:
            log.info("a provider tells a key that can't be read: %s", type(error).__name__)
            continue
        found.append(key)
    return tuple(found)
