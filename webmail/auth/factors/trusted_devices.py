"""Trusted devices: browsers that are not asked for the second step for a while. No Flask here.

The cookie holds a random token for each of the last few people of this browser; the table its hash, whose it is and until when.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import timedelta

from webmail.auth.sessions.sessions import hash_token
from webmail.config.settings import Settings
from webmail.models import TrustedDevice, User, now

_PEOPLE = 5
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def trust(cookie: str, user: User, settings: Settings, *, user_agent: str = "", network: str = "") -> str:
    """The cookie after `user` has chosen to trust this browser, for `trust_days`."""
    token = secrets.token_urlsafe(32)
    TrustedDevice.delete().where(TrustedDevice.expires < now()).execute()
    TrustedDevice.create(
        token_hash=hash_token(token),
        user=user,
        user_agent=user_agent[:255],
        network=network[:64],
        expires=now() + timedelta(days=settings.trust_days),
    )
    mine = {row.token_hash for row in _rows(cookie, user)}
    TrustedDevice.delete().where(TrustedDevice.token_hash.in_(mine)).execute()  # the same browser, trusted anew
    others = [other for other in _tokens(cookie) if hash_token(other) not in mine]
    return ".".join([token, *others[: _PEOPLE - 1]])


def is_trusted(cookie: str, user: User, settings: Settings) -> bool:
    """Whether `user` trusts the browser with this cookie. No query without one, else one."""
    return settings.trust_days > 0 and any(row.expires > now() for row in _rows(cookie, user))


def for_user(user: User) -> Sequence[TrustedDevice]:
    """The browsers that `user` trusts, the latest first."""
    mine = (TrustedDevice.user == user) & (TrustedDevice.expires > now())
    return list(TrustedDevice.select().where(mine).order_by(TrustedDevice.created.desc()))


def end(user: User, token_hash: str) -> TrustedDevice | None:
    """Trust one browser no more; returns what it was, None if it is not theirs."""
    row: TrustedDevice | None = TrustedDevice.get_or_none(TrustedDevice.token_hash == token_hash, TrustedDevice.user == user)
    return row if row is not None and row.delete_instance() else None


def end_all(user: User) -> int:
    """Trust no browser any more; returns how many there were. Called by every change of a password or a factor."""
    return int(TrustedDevice.delete().where(TrustedDevice.user == user).execute())


def _rows(cookie: str, user: User) -> Sequence[TrustedDevice]:
    hashes = [hash_token(token) for token in _tokens(cookie)]
    if not hashes:
        return []
    return list(TrustedDevice.select().where(TrustedDevice.user == user, TrustedDevice.token_hash.in_(hashes)))


def _tokens(cookie: str) -> list[str]:
    return [token for token in cookie[:1000].split(".") if _TOKEN.fullmatch(token)][:_PEOPLE]
