"""Recovery codes: ten codes to print, each good once in the place of a second factor. No Flask here.

A code has ten letters and digits of Crockford's base32, which are 50 bits. What is kept is a hash keyed with the installation's
secret (vault.py), so that a stolen table can't be searched through.
"""

from __future__ import annotations

import re
import secrets

from webmail import vault
from webmail.config.settings import Settings
from webmail.models import RecoveryCode, User, now

COUNT = 10
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # without i, l, o and u
_LENGTH = 10
_CODE = re.compile(f"[{_ALPHABET}]{{{_LENGTH}}}")
_MISREAD = str.maketrans("oil", "011")
_PURPOSE = "recovery code"


def make(user: User, settings: Settings) -> list[str]:
    """A new set of codes as people read them; those before are good no more. Within `second_step.changing`."""
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(COUNT)]
    forget(user)
    at = now()
    RecoveryCode.insert_many(
        [{"user": user.id, "code_hash": _hash(code, user, settings), "created": at} for code in codes]
    ).execute()
    return [readable(code) for code in codes]


def readable(code: str) -> str:
    """In groups: `xxxx-xxxx-xx`."""
    return "-".join((code[:4], code[4:8], code[8:]))


def normalise(text: str) -> str:
    """The ten characters of what was typed, "" if it can't be such a code. Letters that look like digits are taken for them."""
    code = re.sub(r"[\s\-\u2010-\u2015.]", "", text[:60].lower()).translate(_MISREAD)
    return code if _CODE.fullmatch(code) else ""


def accept(user: User, code: str, settings: Settings) -> bool:
    """Use a code up; whether it was one of theirs and not used before. One UPDATE, so that of two at once one wins."""
    if not (code := normalise(code)):
        return False
    mine = (RecoveryCode.user == user) & (RecoveryCode.code_hash == _hash(code, user, settings)) & RecoveryCode.used.is_null()
    return bool(RecoveryCode.update(used=now()).where(mine).execute())


def are_of(user: User, codes: list[str], settings: Settings) -> bool:
    """Whether all of these are codes of `user`, used or not."""
    hashes = {_hash(normalise(code), user, settings) for code in codes}
    kept = RecoveryCode.select(RecoveryCode.code_hash).where(RecoveryCode.user == user)
    return bool(hashes) and hashes <= {row.code_hash for row in kept}


def left(user: User) -> int:
    """How many are still good. One SELECT."""
    return int(RecoveryCode.select().where(RecoveryCode.user == user, RecoveryCode.used.is_null()).count())


def forget(user: User) -> None:
    RecoveryCode.delete().where(RecoveryCode.user == user).execute()


def _hash(code: str, user: User, settings: Settings) -> str:
    return vault.keyed_hash(code, settings.secret_key, _PURPOSE, user.id)
