"""Handover: the address at which a telephone fetches the profile with its app password, once and for a few minutes.

Whoever opens the address need not be signed in: the telephone is not. Its last part is a random key (192 bits), of which the
database has the hash alone, and by which, with the installation's secret, the app password is sealed meanwhile.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from webmail import vault
from webmail.config.settings import Settings
from webmail.models import AppPassword, User, now

VALID = timedelta(minutes=15)  # also how long the password is shown
_PURPOSE = "profile "  # what is sealed for this is not what is sealed for a session
_LONGEST = 64  # characters of a key


class HandoverOverError(Exception):
    """There is no such address: it was used, its time is over, or it never was."""


def offer(row: AppPassword, characters: str, settings: Settings) -> str:
    """The key of a new address, in place of one before it. One UPDATE."""
    key = secrets.token_urlsafe(24)
    sealed = vault.seal_for_session(characters, _PURPOSE + key, settings.secret_key, row.user_id)
    AppPassword.update(profile_hash=_hash(key), profile_sealed=sealed, profile_until=now() + VALID).where(
        AppPassword.id == row.id
    ).execute()
    return key


def holder(key: str) -> AppPassword:
    """Whose profile is there to be fetched. Changes nothing. Raises HandoverOverError."""
    if len(key) <= _LONGEST:
        found = (
            AppPassword.select(AppPassword, User)
            .join(User)
            .where(AppPassword.profile_hash == _hash(key), AppPassword.profile_until > now(), User.active == 1)
            .first()
        )
        if found is not None and (found.expires is None or found.expires > now().timestamp()):
            return found
    raise HandoverOverError


def take(key: str, network: str, settings: Settings) -> tuple[AppPassword, str]:
    """The app password and its letters; the address is no more, whoever comes second. Raises HandoverOverError."""
    row = holder(key)
    taken = (
        AppPassword.update(
            profile_hash=None, profile_sealed=None, profile_until=None, profile_taken=now(), profile_network=network[:64]
        )
        .where(AppPassword.id == row.id, AppPassword.profile_hash == _hash(key))
        .execute()
    )
    if not taken or row.profile_sealed is None:
        raise HandoverOverError
    try:
        return row, vault.open_for_session(row.profile_sealed, _PURPOSE + key, settings.secret_key, row.user_id)
    except vault.CannotOpenError as error:  # the installation's secret was changed since
        raise HandoverOverError from error


def withdraw(row: AppPassword) -> None:
    """There is no address for this app password any more."""
    AppPassword.update(profile_hash=None, profile_sealed=None, profile_until=None).where(AppPassword.id == row.id).execute()


def expire() -> int:
    """Remove what was sealed and not fetched in time; returns how many."""
    over = AppPassword.profile_until.is_null(False) & (AppPassword.profile_until < now())
    return AppPassword.update(profile_hash=None, profile_sealed=None, profile_until=None).where(over).execute()


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
