"""Challenges of security keys (WebAuthn): signed rather than stored, good for one answer within five minutes. No Flask here.

A challenge is 64 bytes: the time in seconds, 24 random bytes, and an HMAC-SHA256 that binds both to what is asked for, the
session that asks, and the person, where one is known. So asking writes nothing to the database, however often somebody asks; the
hash of what was answered is kept until the challenge would have expired anyway.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from peewee import IntegrityError

from webmail import vault
from webmail.database.connection import db
from webmail.models import UsedChallenge, now

LIFE = timedelta(minutes=5)
_LENGTH = 64
_TIME, _RANDOM = 8, 24  # bytes
_AHEAD = 60  # seconds that the clock of another machine of ours may be ahead


class Purpose(StrEnum):
    """What a key is asked for. A challenge of one purpose is none of another."""

    ADD = "webauthn add"
    SECOND_STEP = "webauthn second step"
    CONFIRM = "webauthn confirm"
    KEYRING = "webauthn keyring"  # to compute what opens the keys of encryption
    SIGN_IN = "webauthn sign-in"  # a passkey alone: nobody is known yet


@dataclass(frozen=True, slots=True)
class ChallengeSubject:
    """Who is asked for what: `session` is a text that only this browser's session has, `user_id` is 0 while nobody is known."""

    purpose: Purpose
    session: str
    user_id: int = 0


class ChallengeRefusedError(ValueError):
    """Not a challenge of ours, or of another purpose, session or person."""


class ChallengeExpiredError(ChallengeRefusedError):
    """One of ours that is too old."""


class ChallengeUsedError(ChallengeRefusedError):
    """One that was answered already."""


def issue(challenge: ChallengeSubject, secret_key: str) -> bytes:
    """A new challenge. No query."""
    head = int(time.time()).to_bytes(_TIME, "big") + secrets.token_bytes(_RANDOM)
    return head + _proof(head, challenge, secret_key)


def check(challenge: bytes, requested: ChallengeSubject, secret_key: str) -> None:
    """Raises ChallengeRefusedError unless it was issued for this. Does not use it up. No query."""
    head, proof = challenge[: _TIME + _RANDOM], challenge[_TIME + _RANDOM :]
    if len(challenge) != _LENGTH or not hmac.compare_digest(proof, _proof(head, requested, secret_key)):
        raise ChallengeRefusedError("not a challenge of this session for this purpose")
    age = time.time() - int.from_bytes(head[:_TIME], "big")
    if not -_AHEAD <= age <= LIFE.total_seconds():
        raise ChallengeExpiredError(f"issued {age:.0f} s ago")


def use(challenge: bytes) -> None:
    """Use it up, in the transaction of what it is good for. Raises ChallengeUsedError. Also forgets those that have expired."""
    UsedChallenge.delete().where(UsedChallenge.at < now() - LIFE - timedelta(seconds=2 * _AHEAD)).execute()
    try:
        with db.atomic():
            UsedChallenge.create(hash=hashlib.sha256(challenge).hexdigest())
    except IntegrityError as error:
        raise ChallengeUsedError("answered already") from error


def _proof(head: bytes, challenge: ChallengeSubject, secret_key: str) -> bytes:
    return bytes.fromhex(vault.keyed_hash(f"{challenge.session}\n{head.hex()}", secret_key, challenge.purpose, challenge.user_id))
