"""Security keys and passkeys (WebAuthn level 2): registering one, and verifying what it answers. No Flask here.

The library `webauthn` verifies; it is imported where it is used, since it takes 14 MB and most people have no key. We ask for no
attestation (which make of key it is), so what comes of one is left out unread.
"""

from __future__ import annotations

import ipaddress
import json
import logging
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from typing import Any, cast
from urllib.parse import urlsplit

from peewee import IntegrityError

from webmail import vault
from webmail.auth.factors import challenges
from webmail.auth.factors.challenges import ChallengeExpiredError, ChallengeRefusedError, ChallengeSubject
from webmail.auth.factors.second_step import changing
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.mime.headers.address_input import ascii_domain
from webmail.models import SecurityKey, User, now

log = logging.getLogger(__name__)

MOST = 20  # of one person
LONGEST_NAME = 60
LARGEST_ANSWER = 16 * 1024  # characters; a key of today answers with about 1,000
_LONGEST_ID = 1023  # bytes of a credential's identifier (WebAuthn section 4)
_LARGEST_PUBLIC_KEY = 1024  # bytes: RSA of 4,096 bits has 530
_TRANSPORTS = ("usb", "nfc", "ble", "internal", "hybrid", "smart-card", "cable")
_LONGEST_COMPUTED = 100  # characters: 32 bytes have 43
_TIMEOUT = int(challenges.LIFE.total_seconds() * 1000)


@dataclass(frozen=True, slots=True)
class Site:
    """For whom keys answer: `rp_id` is the host, `origin` what browsers call the address of these pages."""

    rp_id: str
    origin: str
    name: str


class KeyFault(StrEnum):
    """Why an answer was refused."""

    INVALID = "invalid"  # not of this site, session or purpose, wrongly signed, or no answer at all
    EXPIRED = "expired"  # the page was open for too long, or its answer was sent twice
    UNKNOWN = "unknown"  # no key of this person; of anybody, where the key alone signs in
    UNVERIFIED = "unverified"  # the key asked for no PIN or fingerprint, which has to take the place of a password
    COUNTER = "counter"  # its counter went backwards: there may be a copy of it
    REGISTERED = "registered"  # already, for somebody
    MOST = "most"


class KeyRefusedError(ValueError):
    """`key` only where it was proven that the key answered."""

    def __init__(self, fault: KeyFault, key: SecurityKey | None = None) -> None:
        super().__init__(fault.value)
        self.fault, self.key = fault, key


def site(settings: Settings) -> Site | None:
    """From `public_url` alone, never from a request. None where it is not set, not https (but for localhost) or an IP address."""
    parts = urlsplit(settings.public_url)
    try:
        host, port = ascii_domain(parts.hostname or ""), parts.port
    except (UnicodeError, ValueError):
        return None
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host == "localhost")) or _is_ip(host):
        return None
    usual = {"https": 443, "http": 80}[parts.scheme]
    return Site(host, f"{parts.scheme}://{host}" + (f":{port}" if port and port != usual else ""), settings.name or host)


def keys_of(user: User) -> list[SecurityKey]:
    """The oldest first. One SELECT."""
    return list(SecurityKey.select().where(SecurityKey.user == user).order_by(SecurityKey.id))


# --- registering one -------------------------------------------------------------------------------------------------


def registration_options(user: User, here: Site, challenge: ChallengeSubject, settings: Settings) -> dict[str, Any]:
    """For navigator.credentials.create(), as JSON with base64url: a passkey with a PIN or fingerprint, if the key can be one."""
    from webauthn import generate_registration_options
    from webauthn.helpers import options_to_json_dict
    from webauthn.helpers.structs import AuthenticatorSelectionCriteria, ResidentKeyRequirement, UserVerificationRequirement

    options = generate_registration_options(
        rp_id=here.rp_id,
        rp_name=here.name,
        user_id=_handle(user, settings),
        user_name=user.address,
        user_display_name=user.name or user.address,
        challenge=challenges.issue(challenge, settings.secret_key),
        timeout=_TIMEOUT,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
        exclude_credentials=_described(user),
    )
    return {**options_to_json_dict(options), "extensions": {"credProps": True, "prf": {}}}  # some keys can only if asked for now


def register(answer: str, name: str, user: User, here: Site, requested: ChallengeSubject, settings: Settings) -> SecurityKey:
    """Keep the key that answered. Raises KeyRefusedError."""
    from webauthn import verify_registration_response
    from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography

    told = _parsed(answer)
    challenge = _challenge(told, requested, settings)
    try:
        response = {**told["response"], "attestationObject": _without_attestation(told["response"]["attestationObject"])}
        found = verify_registration_response(
            credential={**told, "response": response},
            expected_challenge=challenge,
            expected_rp_id=here.rp_id,
            expected_origin=here.origin,
        )
        # one that can't be loaded would be a factor that nobody can use
        decoded_public_key_to_cryptography(decode_credential_public_key(found.credential_public_key))
    except Exception as error:  # hostile bytes: the library has kinds of its own, and lets those of parsers through
        raise _invalid(error) from error
    if len(found.credential_id) > _LONGEST_ID or len(found.credential_public_key) > _LARGEST_PUBLIC_KEY:
        raise KeyRefusedError(KeyFault.INVALID)
    with changing(user):
        _use(challenge)
        if SecurityKey.select().where(SecurityKey.user == user).count() >= MOST:
            raise KeyRefusedError(KeyFault.MOST)
        try:
            with db.atomic():
                return SecurityKey.create(
                    user=user,
                    name=name[:LONGEST_NAME],
                    credential_hash=_hash(found.credential_id),
                    credential_id=found.credential_id,
                    public_key=found.credential_public_key,
                    sign_count=found.sign_count,
                    transports=_transports(told),
                    passkey=found.user_verified and _is_resident(told),
                )
        except IntegrityError as error:
            raise KeyRefusedError(KeyFault.REGISTERED) from error


def rename(user: User, number: int, name: str) -> bool:
    """Give a key of this person another name; returns whether there is such a key."""
    mine = (SecurityKey.id == number) & (SecurityKey.user == user)
    return bool(SecurityKey.update(name=name[:LONGEST_NAME]).where(mine).execute())


def remove(user: User, number: int) -> SecurityKey | None:
    """Forget a key of this person; returns what it was, None if there is no such key."""
    with changing(user):
        key = SecurityKey.get_or_none((SecurityKey.id == number) & (SecurityKey.user == user))
        if key is not None:
            key.delete_instance()
    return key


# --- being answered by one -------------------------------------------------------------------------------------------


def assertion_options(user: User | None, here: Site, challenge: ChallengeSubject, settings: Settings) -> dict[str, Any]:
    """For navigator.credentials.get(): one of this person's keys; without a person, any passkey, which proves who touches it."""
    from webauthn import generate_authentication_options
    from webauthn.helpers import options_to_json_dict
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=here.rp_id,
        challenge=challenges.issue(challenge, settings.secret_key),
        timeout=_TIMEOUT,
        allow_credentials=_described(user) if user else [],
        user_verification=UserVerificationRequirement.PREFERRED if user else UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def computing_options(
    salts: Sequence[tuple[SecurityKey, bytes]], here: Site, challenge: ChallengeSubject, settings: Settings
) -> dict[str, Any]:
    """For navigator.credentials.get(): one of these keys, which asks for its PIN or fingerprint, is to compute 32 bytes from the
    salt beside it (the extension PRF, WebAuthn level 3 section 10.1.4): always the same, and other ones from another salt."""
    from webauthn import generate_authentication_options
    from webauthn.helpers import bytes_to_base64url, options_to_json_dict
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=here.rp_id,
        challenge=challenges.issue(challenge, settings.secret_key),
        timeout=_TIMEOUT,
        allow_credentials=[_descriptor(key) for key, _salt in salts],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    asked = {bytes_to_base64url(bytes(key.credential_id)): {"first": bytes_to_base64url(salt)} for key, salt in salts}
    return {**options_to_json_dict(options), "extensions": {"prf": {"evalByCredential": asked}}}


def computed(answer: str) -> bytes:
    """What the key computed, as its browser tells beside a verified answer; b"" where browser or key can't."""
    results = _parsed(answer).get("clientExtensionResults")
    told = results.get("prf") if isinstance(results, dict) else None
    try:
        return _bytes(told) if isinstance(told, str) and len(told) <= _LONGEST_COMPUTED else b""
    except ValueError:
        return b""


def verify(
    answer: str, user: User | None, here: Site, requested: ChallengeSubject, settings: Settings, *, verified: bool = False
) -> SecurityKey:
    """The key that answered, with its person as `key.user`; noted as used. Raises KeyRefusedError.

    Without a person it must be a passkey that names one, and has asked for its PIN or fingerprint; `verified`: that alone.
    """
    from webauthn import verify_authentication_response

    told = _parsed(answer)
    challenge = _challenge(told, requested, settings)
    key = _key(told, user)
    try:
        found = verify_authentication_response(
            credential=told,
            expected_challenge=challenge,
            expected_rp_id=here.rp_id,
            expected_origin=here.origin,
            credential_public_key=bytes(key.public_key),
            credential_current_sign_count=0,  # compared below: here it would be judged before the signature is
        )
    except Exception as error:  # as above
        raise _invalid(error) from error
    if not _names(told, key.user, settings, needed=user is None):
        raise KeyRefusedError(KeyFault.INVALID)
    if (user is None or verified) and not found.user_verified:
        raise KeyRefusedError(KeyFault.UNVERIFIED)
    with db.atomic():
        _use(challenge)
        _count(key, found.new_sign_count, is_passkey=user is None)
    return key


def _count(key: SecurityKey, count: int, *, is_passkey: bool) -> None:
    """Note the use. One UPDATE decides, so of two copies of a key at once one is found out. 0 stays 0: passkeys do not count."""
    further = (SecurityKey.sign_count < count) | ((SecurityKey.sign_count == 0) & (count == 0))
    new = {SecurityKey.sign_count: count, SecurityKey.used: now()} | ({SecurityKey.passkey: True} if is_passkey else {})
    if not SecurityKey.update(new).where((SecurityKey.id == key.id) & further).execute():
        raise KeyRefusedError(KeyFault.COUNTER, key)


# --- what is sent ----------------------------------------------------------------------------------------------------


def _parsed(answer: str) -> dict[str, Any]:
    """The JSON of an answer, bounded before it is read. Only its outline is known to be right."""
    if not 0 < len(answer) <= LARGEST_ANSWER:
        raise KeyRefusedError(KeyFault.INVALID)
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise _invalid(error) from error
    if not isinstance(told, dict) or not isinstance(told.get("response"), dict):
        raise KeyRefusedError(KeyFault.INVALID)
    return cast("dict[str, Any]", told)


def _challenge(told: dict[str, Any], requested: ChallengeSubject, settings: Settings) -> bytes:
    """The challenge that was answered, which must be one of ours for this; whether the answer is right is not known yet."""
    try:
        client = json.loads(_bytes(told["response"]["clientDataJSON"]))
        challenge = _bytes(client["challenge"])
        if client.get("crossOrigin"):
            raise ValueError("asked for within a page of another site")
        challenges.check(challenge, requested, settings.secret_key)
    except ChallengeExpiredError as error:
        raise KeyRefusedError(KeyFault.EXPIRED) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _invalid(error) from error
    return challenge


def _use(challenge: bytes) -> None:
    try:
        challenges.use(challenge)
    except ChallengeRefusedError as error:
        raise KeyRefusedError(KeyFault.EXPIRED) from error


def _key(told: dict[str, Any], user: User | None) -> SecurityKey:
    """The key that claims to answer, with its person: of `user`, if one is known."""
    try:
        identifier = _bytes(told["rawId"])
    except (ValueError, KeyError, TypeError) as error:
        raise _invalid(error) from error
    query = SecurityKey.select(SecurityKey, User).join(User).where(SecurityKey.credential_hash == _hash(identifier))
    query = query.where(User.active == 1) if user is None else query.where(SecurityKey.user == user)
    if (key := query.first()) is None:
        raise KeyRefusedError(KeyFault.UNKNOWN)
    return cast(SecurityKey, key)


def _names(told: dict[str, Any], user: User, settings: Settings, *, needed: bool) -> bool:
    """Whether the key names this person: it must where it is the only one to say who signs in (section 7.2, step 6)."""
    if not (handle := told["response"].get("userHandle")):
        return not needed
    try:
        return compare_digest(_bytes(handle), _handle(user, settings))
    except (ValueError, TypeError):
        return False


def _without_attestation(encoded: Any) -> str:
    """The attestation object without what a maker attests: nobody asks for it, and its parsers are the largest part of all."""
    from webauthn.helpers import bytes_to_base64url, encode_cbor, parse_cbor

    told = parse_cbor(_bytes(encoded))
    return bytes_to_base64url(encode_cbor({"fmt": "none", "attStmt": {}, "authData": told["authData"]}))


def _transports(told: dict[str, Any]) -> str:
    """How the browser can reach the key, as it says itself; it is told so the next time."""
    given = told["response"].get("transports")
    return ",".join(word for word in _TRANSPORTS if word in given) if isinstance(given, list) else ""


def _is_resident(told: dict[str, Any]) -> bool:
    """Whether the browser says that the key holds the account's name: only a label, a sign-in by the key alone shows it too."""
    try:
        return told["clientExtensionResults"]["credProps"]["rk"] is True
    except (KeyError, TypeError):
        return False


def _described(user: User) -> list[Any]:
    return [_descriptor(key) for key in keys_of(user)]


def _descriptor(key: SecurityKey) -> Any:
    from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

    return PublicKeyCredentialDescriptor(
        id=bytes(key.credential_id),
        transports=[AuthenticatorTransport(word) for word in key.transports.split(",") if word] or None,
    )


def _handle(user: User, settings: Settings) -> bytes:
    """What the key calls the person: always the same, and nothing that names them (section 14.6.1)."""
    return bytes.fromhex(vault.keyed_hash("", settings.secret_key, "webauthn user handle", user.get_id()))


def _hash(identifier: bytes) -> str:
    return sha256(identifier).hexdigest()


def _bytes(encoded: Any) -> bytes:
    """Decode base64url without padding. Raises ValueError or TypeError."""
    if not isinstance(encoded, str):
        raise TypeError("not a text")
    return urlsafe_b64decode(encoded + "==")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _invalid(error: Exception) -> KeyRefusedError:
    log.info("the answer of a security key is refused: %s", repr(error)[:200])
    return KeyRefusedError(KeyFault.INVALID)
