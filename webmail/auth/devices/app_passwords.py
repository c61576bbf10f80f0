"""App passwords: one for each telephone or mail program, so that none of them knows the account's own. No Flask here.

Dovecot checks them, for Postfix too (deploy/dovecot/dovecot.conf.in), and says when one was used. Only their SHA-256 is kept: of
24 random letters (108 bits) nobody finds it by trying.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from peewee import Expression

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.errors import LimitReachedError
from webmail.models import AppPassword, User, now

ALPHABET = "abcdefghjkmnpqrstuvwxyz"  # without i, l and o, which are taken for one another and for figures
GROUPS, GROUP = 4, 6
MOST = 50  # of one person
USES = ("imap", "smtp", "caldav", "carddav", "api")
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


def find(typed: str, use: str) -> AppPassword | None:
    """The one that was typed, with its owner: good today for this use, of somebody who is not disabled. 1 query."""
    mine = (AppPassword.sha == hash_of(typed)) & (getattr(AppPassword, use) == 1) & (User.active == 1)
    row: AppPassword | None = AppPassword.select(AppPassword, User).join(User).where(mine).first()
    return None if row is None or (row.expires is not None and row.expires <= time.time()) else row


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


def unused_since(when: datetime, people: Callable[[Any], Any], after: int, most: int) -> list[AppPassword]:
    """Those of these people (a condition of a column) that nobody has used since, nor made, by their number. 1 SELECT."""
    idle = (AppPassword.used < when) | (AppPassword.used.is_null() & (AppPassword.created < when))
    found = AppPassword.select().where(idle, AppPassword.created < when, people(AppPassword.user), AppPassword.id > after)
    return list(found.order_by(AppPassword.id).limit(most))


def revoke_several(numbers: Collection[int], people: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """Delete those of these numbers that belong to these people; returns what they were, for `put_back`. 1 transaction."""
    columns = (AppPassword.id, AppPassword.user, AppPassword.name, AppPassword.sha, AppPassword.expires, AppPassword.kind)
    with db.atomic():
        chosen: Any = AppPassword.select(
            *columns, AppPassword.created, AppPassword.used, *(getattr(AppPassword, use) for use in USES)
        )
        rows = chosen.where(AppPassword.id.in_(list(numbers)), people(AppPassword.user)).dicts()
        found = [{name: str(value) if isinstance(value, datetime) else value for name, value in row.items()} for row in rows]
        AppPassword.delete().where(AppPassword.id.in_([one["id"] for one in found])).execute()
        mark_revoked(User.id.in_([one["user"] for one in found]))
    return found


def put_back(found: Sequence[dict[str, Any]]) -> None:
    """Those that were revoked work again, but those of people who have gone. 1 transaction."""
    with db.atomic():
        there = {row.id for row in User.select(User.id).where(User.id.in_([one["user"] for one in found]))}
        for one in found:
            if one["user"] in there:
                AppPassword.insert(one).on_conflict_ignore().execute()
