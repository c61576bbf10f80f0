"""Open keyring: a keyring that was opened in one session, for as long as the session or for an hour.

Its secret is sealed by a key that the session holds, itself sealed by the token in the browser's cookie and the installation's
secret; the two halves are in different tables, and deleting either closes it. What Python had in memory is not wiped: it goes
when the request has ended.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from webmail import vault
from webmail.config.settings import Settings
from webmail.models import OpenedKeyring, User, now

SESSION_KEY = "keyring"  # of the session's data
HOUR = timedelta(hours=1)
_PURPOSE = "open keyring"

SessionData = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class OpenKeyring:
    """The secret of somebody's keyring, for the time of a request."""

    user_id: int
    secret: bytes = field(repr=False)


def open_in_session(user: User, ring: bytes, session: SessionData, token: str, settings: Settings, *, lasts: timedelta) -> None:
    """Keep it open in this session for `lasts`, at most until the session ends. One DELETE where it was open, one INSERT.

    `token`: of the session's cookie.
    """
    close(session, token, settings, user.id)
    key = os.urandom(32)
    OpenedKeyring.create(
        reference=_reference(key), user=user.id, sealed=vault.seal_by(key, ring, _PURPOSE, user.id), until=now() + lasts
    )
    sealed = vault.seal_for_session(key.hex(), token, settings.secret_key, user.id)
    session[SESSION_KEY] = base64.b64encode(sealed).decode()


def opened(user_id: int, session: SessionData, token: str, settings: Settings) -> OpenKeyring | None:
    """The keyring, if it is open in this session. One SELECT where it was opened, none where not."""
    key = _key(user_id, session, token, settings)
    if key is None:
        return None
    mine = (OpenedKeyring.reference == _reference(key)) & (OpenedKeyring.user == user_id) & (OpenedKeyring.until > now())
    row = OpenedKeyring.get_or_none(mine)
    if row is None:
        session.pop(SESSION_KEY, None)
        return None
    try:
        return OpenKeyring(user_id, vault.open_by(key, row.sealed, _PURPOSE, user_id))
    except vault.CannotOpenError:
        session.pop(SESSION_KEY, None)
        return None


def is_open(session: SessionData) -> bool:
    """Whether it was opened in this session and not closed; its time may be over. No query."""
    return SESSION_KEY in session


def close(session: SessionData, token: str, settings: Settings, user_id: int) -> None:
    """Close it in this session. One DELETE where it was open."""
    key = _key(user_id, session, token, settings)
    session.pop(SESSION_KEY, None)
    if key is not None:
        OpenedKeyring.delete().where(OpenedKeyring.reference == _reference(key)).execute()


def close_everywhere(user_id: int) -> int:
    """Close it in all sessions of a person; returns in how many it was open."""
    return OpenedKeyring.delete().where(OpenedKeyring.user == user_id).execute()


def over() -> Any:
    """The query for those whose time is over."""
    return OpenedKeyring.select(OpenedKeyring.reference).where(OpenedKeyring.until <= now())


def expire() -> None:
    """Delete those whose time is over."""
    OpenedKeyring.delete().where(OpenedKeyring.until <= now()).execute()


def _key(user_id: int, session: SessionData, token: str, settings: Settings) -> bytes | None:
    held = session.get(SESSION_KEY)
    if not held or not token:
        return None
    try:
        return bytes.fromhex(vault.open_for_session(base64.b64decode(held), token, settings.secret_key, user_id))
    except (vault.CannotOpenError, ValueError, TypeError):
        session.pop(SESSION_KEY, None)
        return None


def _reference(key: bytes) -> str:
    return hashlib.sha256(b"reference of an open keyring" + key).hexdigest()
