"""Password hashing: Argon2id and verification, in the format that Dovecot reads from the same table (`{ARGON2ID}...`)."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

LONGEST = 1024  # characters; longer ones are refused without hashing
_NICE = 10  # pages of who is inside go first, whoever signs in
_UNUSABLE = re.compile("[\0\r\n\ud800-\udfff]")  # NUL separates the fields of SASL PLAIN (RFC 4616); surrogates have no UTF-8
_SCHEME = "{ARGON2ID}"
_hasher = PasswordHasher(time_cost=3, memory_cost=19456, parallelism=1, type=Type.ID)  # about 40 ms, 19 MiB
T = TypeVar("T")


class UnusablePasswordError(ValueError):
    """Empty, too long, or with a character that no authentication protocol can carry (NUL, CR, LF)."""


def usable(password: str) -> bool:
    """Whether a password is acceptable for checking or setting."""
    return 0 < len(password) <= LONGEST and not _UNUSABLE.search(password)


def hash_password(password: str) -> str:
    """Argon2id (RFC 9106) with t=3, m=19456 KiB, p=1. Raises UnusablePasswordError."""
    if not usable(password):
        raise UnusablePasswordError(f"a password has 1 to {LONGEST} characters, on one line")
    return _SCHEME + _aside(lambda: _hasher.hash(password))


def hash_many(passwords: Sequence[str]) -> list[str]:
    """Of these, in their order, on all cores. Raises UnusablePasswordError."""
    if not all(usable(password) for password in passwords):
        raise UnusablePasswordError(f"a password has 1 to {LONGEST} characters, on one line")
    with ThreadPoolExecutor(os.cpu_count() or 1, initializer=_step_back) as aside:
        return [_SCHEME + hashed for hashed in aside.map(_hasher.hash, passwords)]


def verify(stored: str, password: str) -> bool:
    """Whether `password` matches the hash `stored`.

    An empty or unknown hash never matches, but takes as long as a real check, so that timing does not reveal which users exist.
    """
    if not usable(password):
        return False
    known = stored.startswith(_SCHEME)
    try:
        right = _aside(lambda: _hasher.verify(stored.removeprefix(_SCHEME) if known else _nobody(), password))
    except (VerificationError, InvalidHashError):
        return False
    return right and known


def needs_rehash(stored: str) -> bool:
    """Whether `stored` was hashed with outdated parameters."""
    return _hasher.check_needs_rehash(stored.removeprefix(_SCHEME))


def _aside(work: Callable[[], T]) -> T:
    """Do it in a thread of lower priority: one that serves pages could not get its own back."""
    with ThreadPoolExecutor(1, initializer=_step_back) as aside:
        return aside.submit(work).result()


def _step_back() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + _NICE)


@cache
def _nobody() -> str:
    return _hasher.hash("the password of nobody")
