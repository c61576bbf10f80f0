"""Session keyring: somebody's keyring as it is open in the session of their request, for whichever page asks.

It is looked up once in a request, and is never open for longer than the session may last.
"""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from webmail.auth.sessions import sessions
from webmail.auth.sessions.cookies import WebSession
from webmail.config.settings import Settings
from webmail.keys import open_keyring
from webmail.keys.open_keyring import OpenKeyring
from webmail.models import User, now

_NOTED = "keyring"  # in what is noted of a request


def opened(user: User, visit: WebSession, settings: Settings) -> OpenKeyring | None:
    """It, None while it is closed. One SELECT in a request where it was opened, none where not, nor for people without keys."""
    if not user.has_keys:
        return None
    if _NOTED not in visit.noted:
        visit.noted[_NOTED] = open_keyring.opened(user.id, visit, visit.token, settings)
    found = cast("OpenKeyring | None", visit.noted[_NOTED])
    return found if found is not None and found.user_id == user.id else None


def keep_open(user: User, ring: bytes, visit: WebSession, settings: Settings, *, lasts: timedelta | None = None) -> None:
    """Open it in this session for `lasts`, or (None) as long as the session may last, which is the most it can be."""
    left = _left(visit, settings)
    span = left if lasts is None else min(lasts, left)
    open_keyring.open_in_session(user, ring, visit, visit.token, settings, lasts=span)
    visit.noted[_NOTED] = OpenKeyring(user.id, ring)


def close(user: User, visit: WebSession, settings: Settings) -> None:
    open_keyring.close(visit, visit.token, settings, user.id)
    visit.noted[_NOTED] = None


def _left(visit: WebSession, settings: Settings) -> timedelta:
    """How long the session may last from now; nothing where nobody is signed in."""
    row = visit.row
    if row is None:
        return timedelta()
    return max(timedelta(), row.created + sessions.longest(row, settings) - now())
