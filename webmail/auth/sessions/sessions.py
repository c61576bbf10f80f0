"""Sessions: rows of `models.Session`, looked up by the token in the cookie: start, find, expire and revoke. No Flask here.

The token is 256 random bits that only the browser has; the table holds its SHA-256. The row alone is the sign-in: losing its
`data`, or having it overwritten by another tab, does not sign anybody out.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from peewee import PostgresqlDatabase, Query

from webmail import vault
from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.database.prepared import Prepared, PreparedInsert, Slot
from webmail.models import Session, User, now

log = logging.getLogger(__name__)
_made = PreparedInsert(Session)

_SEEN_STEP = timedelta(minutes=1)  # `seen` is updated at most this often
_LONGEST_TOKEN = 128
PENDING = timedelta(minutes=15)  # how long somebody may take for the second step


def _as_looked_at(placeholder: Slot) -> Any:
    same = User.select(User.id).where(User.id == placeholder("user"), User.password == placeholder("password"), User.active == 1)
    return same.for_update() if isinstance(db.obj, PostgresqlDatabase) else same


_standing = Prepared(_as_looked_at)


def may_begin(user: User) -> bool:
    """Whether the account still has the password that was looked at, and is not disabled: asked in the transaction of `start`.

    Who changes that and ends all sessions was before, and is seen here, or waits for the transaction's end and then ends this one
    too; so nobody comes in by a password that is good no more. One SELECT, on PostgreSQL a lock on the person.
    """
    return bool(_standing.plain(user=user.id, password=user.password))


def start(
    user: User,
    settings: Settings,
    *,
    shared: bool = False,
    lasting: bool = False,
    pending: bool = False,
    password: str | None = None,
    data: Callable[[str], str] | None = None,
    user_agent: str = "",
    network: str = "",
    provider: str = "",
    provider_session: str = "",
) -> tuple[str, Session]:
    """Sign `user` in, always with a new token and a new row. Returns (token for the cookie, row).

    `data`: gives what the session holds, as it is stored, for its token. `password` is sealed into the row if the mail servers
    need it, and dropped with token authentication. One INSERT.
    """
    token = secrets.token_urlsafe(32)
    keep = password is not None and not settings.token_key_file
    row = _made(
        id_hash=hash_token(token),
        user=user,
        credential=vault.seal_for_session(password, token, settings.secret_key, user.get_id()) if password and keep else None,
        data=data(token) if data else "{}",
        shared=shared,
        lasting=lasting and not shared and settings.lasting_days > 0,
        pending=pending,
        user_agent=user_agent[:255],
        network=network[:64],
        provider=provider[:40],
        provider_session=provider_session,
    )
    return token, row


_Beside = Callable[[Slot, Any], Any]  # one more column, made of the placeholders and of whose session it is


@lru_cache(maxsize=100)
def _of_token(beside: _Beside | None) -> Prepared:
    def build(placeholder: Slot) -> Any:
        this = Session.id_hash == placeholder("id_hash")
        more = [] if beside is None else [beside(placeholder, Session.select(Session.user).where(this)).alias("beside")]
        return Session.select(Session, User, *more).join(User).where(this)

    return Prepared(build)


def find(token: str, settings: Settings, *, visiting: bool = True, beside: _Beside | None = None) -> Session | None:
    """The row of this token with its user, in 1 query; None if it is unknown or expired, or the user is inactive. What is asked
    `beside` it is the row's `beside`.

    With `visiting=False` (background requests of pages) the session is not extended. Invalid rows are deleted, and `seen` is
    updated when it is more than a minute old; if the database rejects these writes, that is only logged.
    """
    if not 0 < len(token) <= _LONGEST_TOKEN:
        return None
    at = now()
    row: Session | None = _of_token(beside).first(id_hash=hash_token(token), now=at)
    if row is None:
        return None
    if not row.user.active or at > _ends(row, settings):
        _if_possible(Session.delete().where(Session.id_hash == row.id_hash))
        return None
    if visiting and row.seen < at - _SEEN_STEP:
        _if_possible(Session.update(seen=at).where(Session.id_hash == row.id_hash, Session.seen < at - _SEEN_STEP))
        row.seen = at
    return row


def _if_possible(change: Query) -> None:
    try:
        change.execute()
    except DATABASE_AWAY as error:
        log.warning("a visit is not recorded: %s", error)


_data = Prepared(lambda slot: Session.select(Session.data).where(Session.id_hash == slot("id_hash")))
_changed = Prepared(
    lambda slot: Session.update(data=slot("after")).where(Session.id_hash == slot("id_hash"), Session.data == slot("before"))
)


def update_data(id_hash: str, change: Callable[[str], str]) -> None:
    """Apply `change` to the row's current data (compare-and-swap, 10 tries): another tab may have written in between.

    Does nothing if the row is gone, so that a concurrent request can't revive a revoked session.
    """
    for _ in range(10):
        found = _data.plain(id_hash=id_hash)
        if not found or (after := change(found[0][0])) == found[0][0]:
            return
        if _changed.change(id_hash=id_hash, before=found[0][0], after=after):
            return


def credential(row: Session, token: str, settings: Settings) -> str | None:
    """The mail password of this session, or None if none is stored. Raises vault.CannotOpenError."""
    if row.credential is None:
        return None
    return vault.open_for_session(row.credential, token, settings.secret_key, row.user.get_id())


def begin_again(row: Session) -> None:
    """Let a pending session begin now, so that it lasts PENDING from here."""
    row.created = row.seen = now()
    Session.update(created=row.created, seen=row.seen).where(Session.id_hash == row.id_hash, Session.pending == True).execute()  # noqa: E712


def renew(row: Session, token: str, settings: Settings, reseal: Callable[[str, str, str], str]) -> str:
    """Give a session another token, so that copies of its cookie are over; returns it, "" if the session has ended meanwhile.

    `reseal(data, before, after)`: the stored data, with what is sealed by the token sealed by the other one.
    """
    password, new = credential(row, token, settings), secrets.token_urlsafe(32)
    sealed = vault.seal_for_session(password, new, settings.secret_key, row.user.get_id()) if password is not None else None
    for _ in range(10):
        before = Session.select(Session.data).where(Session.id_hash == row.id_hash).scalar()
        if before is None:
            return ""
        changed = {"id_hash": hash_token(new), "credential": sealed, "data": reseal(before, token, new), "whereabouts": None}
        mine = (Session.id_hash == row.id_hash) & (Session.data == before)  # another tab may write in between
        if Session.update(**changed).where(mine).execute():
            return new
    return ""


def revoke(id_hash: str, user: User | None = None) -> bool:
    """Revoke one session, effective at its next request; with `user`, only if it is theirs. Returns whether it existed."""
    query = Session.delete().where(Session.id_hash == id_hash)
    if user is not None:
        query = query.where(Session.user == user)
    return bool(query.execute())


def revoke_all(user: User, except_: str = "") -> int:
    """Revoke all sessions of `user` except the one with this `id_hash`; returns how many."""
    return Session.delete().where(Session.user == user, Session.id_hash != except_).execute()


def sessions_of(user: User, settings: Settings) -> Sequence[Session]:
    """The active sessions of `user`, the most recently seen first."""
    rows = Session.select().where(Session.user == user, Session.pending == False).order_by(Session.seen.desc())  # noqa: E712
    at = now()
    return [row for row in rows if at <= _ends(row, settings)]


def of_provider(provider: str, provider_session: str) -> Sequence[Session]:
    """The rows that began with this session at this provider, with their users; before the second step too. One SELECT."""
    theirs = (Session.provider_session == provider_session) & (Session.provider == provider)
    return [*Session.select(Session, User).join(User).where(theirs)] if provider_session else []


def revoke_of_provider(user: User, provider: str, except_: str = "") -> int:
    """Revoke the sessions of `user` that began at this provider, except the one with this `id_hash`; returns how many."""
    return Session.delete().where(Session.user == user, Session.provider == provider, Session.id_hash != except_).execute()


def expire(settings: Settings) -> int:
    """Delete all rows that have expired, which `find` and `sessions_of` leave out; returns how many."""
    at = now()
    lasting, days = Session.lasting == True, timedelta(days=settings.lasting_days)  # noqa: E712
    return (
        Session.delete()
        .where(
            (Session.created < at - timedelta(hours=settings.session_absolute_hours)) & (~lasting | (Session.created < at - days))
            | (Session.seen < at - timedelta(hours=settings.session_idle_hours)) & ~lasting
            | ((Session.pending == True) & (Session.created < at - PENDING))  # noqa: E712
            | ((Session.shared == True) & (Session.seen < at - timedelta(minutes=settings.shared_idle_minutes)))  # noqa: E712
        )
        .execute()
    )


def hash_token(token: str) -> str:
    """SHA-256 in hex. Needs neither salt nor stretching, because the token has 256 bits of entropy."""
    return hashlib.sha256(token.encode()).hexdigest()


def network_of(remote_address: str | None) -> str:
    """The network for session lists and rate limits: the IPv4 address, the /64 of an IPv6 address, or "" if unknown."""
    try:
        address = ipaddress.ip_address((remote_address or "").split("%", 1)[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def longest(row: Session, settings: Settings) -> timedelta:
    """How long this session may last at most, from its beginning."""
    if row.pending:
        return PENDING
    usual = timedelta(hours=settings.session_absolute_hours)
    return max(usual, timedelta(days=settings.lasting_days)) if row.lasting else usual


def _ends(row: Session, settings: Settings) -> datetime:
    end = row.created + longest(row, settings)
    if row.lasting:
        return end
    idle = timedelta(minutes=settings.shared_idle_minutes) if row.shared else timedelta(hours=settings.session_idle_hours)
    return min(end, row.seen + idle)
