"""Passwords hashed in a millisecond instead of forty: nearly every test makes an account and signs in, Dovecot checks it too.

A hash names its own cost, so whoever checks it later needs no setting. What real hashes cost is tested in
tests/unit/auth/test_passwords.py and by `python -m tests.attacks`.
"""

from __future__ import annotations

from argon2 import PasswordHasher, Type

REAL: PasswordHasher  # Traboule's own, once the light one is in its place
_LIGHT = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1, type=Type.ID)


def install() -> None:
    """Also from within the import of the module that hashes (every_python)."""
    global REAL
    from webmail.auth.passwords import hashing

    if hashing._hasher is not _LIGHT:
        REAL, hashing._hasher = hashing._hasher, _LIGHT
