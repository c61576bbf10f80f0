"""Temporary passwords on paper: easy to type, good for some days, replaced at the first sign-in. No Flask here.

Sixteen of 23 letters (72 bits). Only these are forgiving: spaces, hyphens and capitals don't matter, since somebody copies them
from a sheet of paper.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from webmail.auth.devices.app_passwords import ALPHABET
from webmail.errors import SignInRefusedError
from webmail.models import User, now

VALID = timedelta(days=7)
GROUPS, GROUP = 4, 4
_CONSONANTS, _VOWELS = "bdfghjkmnprstvz", "aeuy"  # of ALPHABET; none that French or English speakers write in two ways


class TemporaryPasswordOverError(SignInRefusedError):
    """The password is right, but it is a temporary one that is good no more."""


def make() -> str:
    """New letters, without spaces."""
    return "".join(secrets.choice(ALPHABET) for _ in range(GROUPS * GROUP))


def make_pronounceable(shortest: int = 0) -> str:
    """New letters that can be read aloud, for children and for people who hand out many: eight syllables (47 bits), or more where
    passwords have to be longer."""
    groups_needed = max(GROUPS, -(-shortest // GROUP))
    syllables = range(groups_needed * GROUP // 2)
    return "".join(secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in syllables)


def groups(characters: str) -> list[str]:
    """The password in groups, as it is printed."""
    return [characters[start : start + GROUP] for start in range(0, len(characters), GROUP)]


def as_kept(user: User | None, typed: str) -> str:
    """What was typed as it is hashed: of somebody with a temporary password from a sheet the letters alone, else as it is."""
    if user is None or not user.must_change or user.temporary_until is None or len(typed) > 100:
        return typed
    letters = "".join(mark for mark in typed.lower() if not mark.isspace() and mark not in "-‐‑–")
    is_whole = len(letters) >= GROUPS * GROUP and len(letters) % GROUP == 0
    return letters if is_whole and set(letters) <= set(ALPHABET) else typed


def is_over(user: User) -> bool:
    """Whether the password of `user` is a temporary one that is good no more."""
    return bool(user.must_change) and user.temporary_until is not None and user.temporary_until <= now()
