"""Keyring: one random secret a person, by which their private keys are sealed, and the locks that it comes out of.

A passphrase gives a key by Argon2id (RFC 9106) together with the installation's secret: a copy of the database alone can't be
searched for it. The code on the recovery sheet has 130 random bits and takes nothing of the installation, so it opens wherever
the database goes. What a passkey computes (WebAuthn's PRF extension) is random too. No Flask here.
"""

from __future__ import annotations

import os
import re
import secrets
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from argon2.low_level import Type, hash_secret_raw

from webmail import rate_limits, vault
from webmail.admission import Admission
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.keys.key_errors import (
    KeyringExistsError,
    NoKeyringError,
    OtherInstallationError,
    WrongPassphraseError,
)
from webmail.models import Keyring, KeyringLock, LockKind, OpenedKeyring, OwnKeyRow, SecurityKey, User, now
from webmail.rate_limits import RateLimit

SHORTEST, LONGEST = 10, 1024  # characters of a passphrase
GUESSES = RateLimit("keyring passphrase", 10, timedelta(minutes=15))
OPENINGS = Admission(2, of_one=1, waiting=8, waiting_of_one=2, patience=10.0)  # 64 MiB and a fifth of a second each
_TIME, _MEMORY = 3, 65536  # passes; KiB
_SECRET = 32  # bytes
_PURPOSE = "keyring lock"
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32
_CODE_LENGTH, _GROUP = 26, 4
_MISREAD = str.maketrans("OIL", "011")


def make(user: User, passphrase: str, settings: Settings) -> tuple[bytes, str]:
    """A keyring with nothing in it: its secret, and the code for the recovery sheet. Raises KeyringExistsError."""
    ring = os.urandom(_SECRET)
    lock = _passphrase_lock(user.id, ring, passphrase, settings)
    with db.atomic():
        in_turn(user)
        if exists(user.id):
            raise KeyringExistsError(f"{user.address} has a keyring")
        Keyring.create(user=user)
        KeyringLock.create(**lock)
        code = _put_sheet(user.id, ring)
        User.update(has_keys=1).where(User.id == user.id).execute()
    user.has_keys = 1
    return ring, code


def exists(user_id: int) -> bool:
    """One SELECT."""
    return bool(Keyring.select().where(Keyring.user == user_id).exists())


def find(user_id: int) -> Keyring | None:
    """One SELECT."""
    found: Keyring | None = Keyring.get_or_none(Keyring.user == user_id)
    return found


def delete(user: User) -> None:
    """The keyring with all that it holds: what was encrypted for it is unreadable from then on."""
    with db.atomic():
        in_turn(user)
        for table in (OpenedKeyring, KeyringLock, OwnKeyRow, Keyring):
            table.delete().where(table.user == user.id).execute()
        User.update(has_keys=None).where(User.id == user.id).execute()
    user.has_keys = None


# --- opening ---------------------------------------------------------------------------------------------------------


def by_passphrase(user_id: int, passphrase: str, settings: Settings) -> bytes:
    """The secret of the keyring.

    Raises NoKeyringError, WrongPassphraseError, OtherInstallationError, TooManyRequestsError, AdmissionRefusedError.
    """
    lock = _lock(user_id, LockKind.PASSPHRASE)
    time, memory, mark = (lock.cost.split() + ["", "", ""])[:3]
    with _guessing(user_id, settings):
        if not 0 < len(passphrase) <= LONGEST:
            raise WrongPassphraseError("an empty passphrase, or one too long")
        key = _stretched(passphrase, bytes(lock.salt), settings, int(time), int(memory), person=user_id)
        try:
            return vault.open_by(key, lock.sealed, _PURPOSE, user_id)
        except vault.CannotOpenError as error:
            if mark != _mark(settings):
                raise OtherInstallationError("sealed with another secret of the installation") from error
            raise WrongPassphraseError("the passphrase opens nothing") from error


def by_sheet(user_id: int, code: str, settings: Settings) -> bytes:
    """The secret, by the code of the recovery sheet as somebody typed it. Raises as `by_passphrase`."""
    lock = _lock(user_id, LockKind.SHEET)
    with _guessing(user_id, settings):
        return _by_random(lock, normalise(code).encode(), user_id)


def by_passkey(user_id: int, passkey: int, computed: bytes, settings: Settings) -> bytes:
    """The secret, by what a passkey computed from `passkey_salts`. Raises as `by_passphrase`."""
    locks = KeyringLock.select().where(KeyringLock.user == user_id, KeyringLock.kind == LockKind.PASSKEY)
    lock = locks.where(KeyringLock.passkey == passkey).first()
    if lock is None:
        raise NoKeyringError(f"passkey {passkey} opens no keyring of account {user_id}")
    with _guessing(user_id, settings):
        return _by_random(lock, computed if len(computed) == _SECRET else b"", user_id)


def passkey_salts(user_id: int) -> list[tuple[SecurityKey, bytes]]:
    """The passkeys that open it, each with what it computes from. One SELECT."""
    rows = (
        KeyringLock.select(KeyringLock, SecurityKey)
        .join(SecurityKey)
        .where(KeyringLock.user == user_id, KeyringLock.kind == LockKind.PASSKEY)
        .order_by(KeyringLock.id)
    )
    return [(row.passkey, bytes(row.salt)) for row in rows if row.passkey is not None]


def passkey_ids(user_id: int) -> set[int]:
    """The numbers of the passkeys that open it. One SELECT."""
    mine: Any = KeyringLock.select(KeyringLock.passkey).where(KeyringLock.user == user_id, KeyringLock.kind == LockKind.PASSKEY)
    return {number for (number,) in mine.tuples()}


def normalise(text: str) -> str:
    """The code of what was typed, "" if it can't be one. Letters that look like digits are taken for them."""
    code = re.sub(r"[\s\-\u2010-\u2015.]", "", text[:100].upper()).translate(_MISREAD)
    return code if len(code) == _CODE_LENGTH and not set(code) - set(_ALPHABET) else ""


# --- changing --------------------------------------------------------------------------------------------------------


def change_passphrase(user: User, ring: bytes, passphrase: str, settings: Settings) -> None:
    """Another passphrase from now on; it closes where it is open in any session. Keys stay as they are."""
    lock = _passphrase_lock(user.id, ring, passphrase, settings)
    with db.atomic():
        in_turn(user)
        _replace(lock)
        Keyring.update(changed=now()).where(Keyring.user == user).execute()
        OpenedKeyring.delete().where(OpenedKeyring.user == user).execute()


def new_sheet(user: User, ring: bytes) -> str:
    """The code of a new recovery sheet; that of before opens nothing any more."""
    with db.atomic():
        in_turn(user)
        return _put_sheet(user.id, ring)


def note_sheet(user: User) -> None:
    """The person has the sheet. One UPDATE."""
    Keyring.update(sheet_printed=now()).where(Keyring.user == user).execute()


def add_passkey(user: User, ring: bytes, passkey: SecurityKey, salt: bytes, computed: bytes) -> None:
    """Let a passkey open it too. Raises WrongPassphraseError where it computed nothing that could."""
    if len(computed) != _SECRET or len(salt) != _SECRET:
        raise WrongPassphraseError("the passkey computed nothing")
    sealed = vault.seal_by(computed, ring, _PURPOSE, user.id)
    row = {"user": user.id, "kind": LockKind.PASSKEY, "passkey": passkey.id, "salt": salt, "sealed": sealed}
    with db.atomic():
        in_turn(user)
        remove_passkey(user, passkey.id)
        KeyringLock.create(**row)


def remove_passkey(user: User, passkey: int) -> bool:
    """Whether it opened the keyring until now. One DELETE."""
    mine = (KeyringLock.user == user) & (KeyringLock.kind == LockKind.PASSKEY) & (KeyringLock.passkey == passkey)
    return bool(KeyringLock.delete().where(mine).execute())


def new_salt() -> bytes:
    """For `add_passkey`."""
    return os.urandom(_SECRET)


# --- locks -----------------------------------------------------------------------------------------------------------


def _lock(user_id: int, kind: LockKind) -> KeyringLock:
    row: KeyringLock | None = KeyringLock.get_or_none(KeyringLock.user == user_id, KeyringLock.kind == kind)
    if row is None:
        raise NoKeyringError(f"account {user_id} has no keyring")
    return row


def _guessing(user_id: int, settings: Settings) -> AbstractContextManager[None]:
    wrong = (WrongPassphraseError, OtherInstallationError)
    return rate_limits.attempt(settings, GUESSES.by(user_id), counts=lambda error: isinstance(error, wrong))


def _by_random(lock: KeyringLock, key: bytes, user_id: int) -> bytes:
    if not key:
        raise WrongPassphraseError("not what opens a keyring")
    try:
        return vault.open_by(key, lock.sealed, _PURPOSE, user_id)
    except vault.CannotOpenError as error:
        raise WrongPassphraseError(f"the {lock.kind} opens nothing") from error


def _passphrase_lock(user_id: int, ring: bytes, passphrase: str, settings: Settings) -> dict[str, object]:
    salt = os.urandom(16)
    key = _stretched(passphrase, salt, settings, _TIME, _MEMORY, person=user_id)
    cost = f"{_TIME} {_MEMORY} {_mark(settings)}"
    sealed = vault.seal_by(key, ring, _PURPOSE, user_id)
    return {"user": user_id, "kind": LockKind.PASSPHRASE, "salt": salt, "cost": cost, "sealed": sealed}


def _put_sheet(user_id: int, ring: bytes) -> str:
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    sealed = vault.seal_by(code.encode(), ring, _PURPOSE, user_id)
    _replace({"user": user_id, "kind": LockKind.SHEET, "salt": b"", "sealed": sealed})
    Keyring.update(sheet_printed=None).where(Keyring.user == user_id).execute()
    return "-".join(code[at : at + _GROUP] for at in range(0, _CODE_LENGTH, _GROUP))


def _replace(lock: dict[str, object]) -> None:
    KeyringLock.delete().where(KeyringLock.user == lock["user"], KeyringLock.kind == lock["kind"]).execute()
    KeyringLock.create(**lock)


def _stretched(passphrase: str, salt: bytes, settings: Settings, time: int, memory: int, *, person: int) -> bytes:
    """32 bytes that take a fifth of a second for each guess, and the installation's secret."""
    with OPENINGS.admit(person):
        stretched = hash_secret_raw(
            passphrase.encode("utf-8", "surrogatepass"), salt, time_cost=time, memory_cost=memory, parallelism=1, hash_len=32,
            type=Type.ID,
        )  # fmt: skip
    return bytes.fromhex(vault.keyed_hash(stretched.hex(), settings.secret_key, "keyring passphrase", person))


def _mark(settings: Settings) -> str:
    """Tells whether the installation still has the secret that a passphrase was sealed with, and nothing about it."""
    return vault.keyed_hash("", settings.secret_key, "keyring mark", 0)[:16]
