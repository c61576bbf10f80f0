"""App passwords: one for each telephone or mail program, so that none of them knows the account's own. No Flask here.

Dovecot checks them, for Postfix too (deploy/dovecot/dovecot.conf.in), and says when one was used. Only their SHA-256 is kept: of
24 random letters (108 bits) nobody finds it by trying.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from peewee import Expression

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.errors import LimitReachedError
from webmail.models import AppPassword, User, now

ALPHABET = "abcdefghjkmnpqrstuvwxyz"  # without i, l and o, which are taken for one another and for figures
GROUPS, GROUP = 4, 6
MOST = 50  # of one person
USES = ("imap", "smtp", "caldav", "carddav")
PROTOCOLS = ("imap", "smtp")  # which Dovecot tells of
_USED_STEP = timedelta(minutes=1)  # `used` is updated at most this often


def are_available(settings: Settings) -> bool:
    """Whether there can be app passwords: only a mail server that reads our tables knows them."""
    return settings.sign_in == "accounts"


def own_password_opens(user: User, settings: Settings) -> bool:
    """Whether the account's own password opens calendars and contacts on devices, as `own_password_on_devices` has it."""
    if user.must_change or settings.own_password_on_devices == "never":
        return False
    return settings.own_password_on_devices == "always" or not user.second_step


def add(user: User, name: str, uses: Collection[str], expires: datetime | None = None, kind: str = "") -> tuple[str, AppPassword]:
    """Make one; returns (the password, which is nowhere else, its row). `uses`: of USES. `expires`: naive UTC.

    `kind`: of a device, as in `AppPassword.kind`.

    Raises LimitReachedError. 3 queries.
    """
    letters = "".join(secrets.choice(ALPHABET) for _ in range(GROUPS * GROUP))
    with db.atomic():
        in_turn(user)
        if AppPassword.select().where(AppPassword.user == user).count() >= MOST:
            raise LimitReachedError(f"{user.address} has {MOST} app passwords")
        row = AppPassword.create(
            user=user,
            name=name,
            sha=hash_of(letters),
            kind=kind,
            expires=int(expires.replace(tzinfo=UTC).timestamp()) if expires else None,
            **{use: int(use in uses) for use in USES},
        )
    return letters, row


def groups(characters: str) -> list[str]:
    """The password in groups, as it is shown."""
    return [characters[start : start + GROUP] for start in range(0, len(characters), GROUP)]


def hash_of(typed: str) -> str:
    """SHA-256 in hex of the letters alone: spaces, dashes and capitals are forgiven, as Dovecot forgives them."""
    letters = "".join(typed.split()).replace("-", "").lower()
    return hashlib.sha256(letters.encode()).hexdigest()


def for_user(user: User) -> Sequence[AppPassword]:
    """Those of `user`, the latest first."""
    return list(AppPassword.select().where(AppPassword.user == user).order_by(AppPassword.created.desc(), AppPassword.id.desc()))


def uses_of(row: AppPassword) -> list[str]:
    return [use for use in USES if getattr(row, use)]


def ends(row: AppPassword) -> datetime | None:
    """Until when it may be used (naive UTC); None: for ever."""
    return None if row.expires is None else datetime.fromtimestamp(row.expires, UTC).replace(tzinfo=None)


def revoke(user: User, number: int) -> AppPassword | None:
    """Delete one; returns what it was, None if it is gone or not theirs. The caller ends its connections (mail_sessions.py)."""
    if not 0 < number < 2**63:
        return None
    row: AppPassword | None = AppPassword.get_or_none(AppPassword.id == number, AppPassword.user == user)
    if row is None or not row.delete_instance():
        return None
    mark_revoked(User.id == user.id)
    return row


def mark_revoked(whose: Expression) -> None:
    """A password of these people is good no more: mail that is sent by a connection from before is refused (deploy/milter)."""
    User.update(credential_ended=int(time.time())).where(whose).execute()


def note_expired() -> None:
    """The same for app passwords whose last day is over, each hour. One UPDATE."""
    at = int(time.time())
    over = AppPassword.select(AppPassword.user).where(AppPassword.expires.between(at - 2 * 3600, at))
    mark_revoked(User.id.in_(over))


def used(number: int, protocol: str, network: str) -> None:
    """Record that one was used just now. One query; two, once a minute."""
    at = now()
    mine = AppPassword.id == number
    due = AppPassword.used.is_null() | (AppPassword.used < at - _USED_STEP)
    if AppPassword.select().where(mine, due).exists():
        AppPassword.update(used=at, used_protocol=protocol, used_network=network[:64]).where(mine, due).execute()
