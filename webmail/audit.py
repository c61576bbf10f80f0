"""Audit log: writes who did what to whom, finds it again, and forgets it in time.

An entry never holds a secret, nor the subject or text of a message: only words of `AuditAct`, addresses, names of folders and
browsers, the network, and the few details that `DETAILS` allows. Writing never disturbs what is written about: a failure is
logged, and on SQLite the write lock is waited for no longer than a second: then the entry waits in a file (audit_late.py).
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import peewee as pw

from webmail.config.settings import Settings
from webmail.database import audit_late
from webmail.database.connection import DATABASE_AWAY, LOCK_PATIENCE, db
from webmail.database.pieces import give_way
from webmail.database.prepared import PreparedInsert
from webmail.models import AuditAct, AuditEntry, User, now

log = logging.getLogger(__name__)

DETAILS = (
    "by",  # "command": the administrator at the command line
    "address",  # another address that is concerned
    "name",  # that somebody was allowed to write under
    "factor",  # a kind of second factor: app, key, passkey, code, mail, voucher, provider
    "uses",  # of an app password: imap, smtp, caldav, carddav, api
    "version",  # of the terms of use
    "phone",  # a number, masked
    "before",  # what the target was before
    "after",  # what it is now: of a setting, where it is a number or a choice
    "establishment",  # whose setting it is, where several share the installation
    "change",  # of a group: made, renamed, deleted; of the people in it: added, removed
    "group",
    "folder",
    "inside",  # how many folders inside it
    "collection",  # a calendar or address book
    "level",  # of rights
    "role",
    "room",  # for mail
    "until",  # a day
    "establishment",
    "reason",  # why a deputy removed somebody's factors, or an administrator closed a transfer, as they typed it
    "transfer",  # its number
    "sessions",  # how many ended
    "shared",  # a computer that others use too
    "new",  # a browser that was not known, and the person was told
    "sent",  # whether a report left
    "undo",
    "messages",  # how many
    "kind",  # of a request: support, space, deletion, phishing, abuse
    "case",  # its number on the desk
    "hour",
    "day",
)
UNKNOWN = "unknown"  # the target of a refused sign-in without an account
MANY = "many"  # the target of the refused sign-ins of a minute beyond MOST_REFUSED
MOST_REFUSED = 100  # entries of one act within a minute
LARGEST_PAGE = 1000
_LAST_PAGE = 10_000
_PIECE = 500  # rows deleted at once
_PIECES = 200  # in an hour: other periodic work waits meanwhile
_MINUTE = timedelta(minutes=1)
_LONGEST = 254  # of a text
_LARGEST = 2**53  # of a number: what JSON readers keep exact
_PATIENCE = 1000  # milliseconds
_written = PreparedInsert(AuditEntry)
_COUNTED = (AuditAct.SIGN_IN_REFUSED, AuditAct.SIGN_IN_BLOCKED)


def record(act: AuditAct, *, actor: User | None = None, target: str = "", network: str = "", **details: str | int | None) -> None:
    """Write an entry, in the transaction of the caller if there is one. Never raises. One INSERT.

    `network`: see sessions.py, `network_of`. `details`: those of `DETAILS`; None is left out. Refused sign-ins of one
    address and network within a minute are one entry that counts them (one SELECT more).
    """
    row: dict[str, Any] = {}
    try:
        row = {
            "at": now(), "actor": actor, "actor_address": _clean(actor.address if actor else ""), "act": AuditAct(act),
            "target": _clean(target), "network": _clean(network)[:64], "details": _json(details),
        }  # fmt: skip
        with _short_wait(), db.atomic():  # a savepoint within a transaction, which goes on if this fails
            if row["act"] in _COUNTED:
                _count(row)
            else:
                _written(**row)
    except Exception as error:
        if not _is_kept(row, error):
            unexpected = not isinstance(error, DATABASE_AWAY)
            log.error("an act is not in the audit log: %s on %s: %s", act, _clean(target), error, exc_info=unexpected)
    else:
        take_in_late()


def take_in_late() -> None:
    """Write the entries that a locked database did not take. Never raises. One system call where there are none."""
    if db.in_transaction() or not audit_late.are_waiting():
        return
    try:
        with _short_wait():
            audit_late.take_in(_write_late)
    except (OSError, *DATABASE_AWAY) as error:
        log.warning("late entries of the audit log wait: %s", error)


def _is_kept(row: dict[str, Any], error: Exception) -> bool:
    """Whether an entry that was refused for a lock alone is kept for later."""
    if not (isinstance(error, DATABASE_AWAY) and "locked" in str(error) and row):
        return False
    try:
        return audit_late.keep(row)
    except OSError as trouble:
        log.error("late entries of the audit log can't be kept: %s", trouble)
        return False


def _write_late(row: dict[str, Any], number: str) -> None:
    if row["actor"] is not None and not User.select().where(User.id == row["actor"]).exists():
        row["actor"] = None  # the account has gone since
    if row["act"] in _COUNTED:
        _count(row)
    else:
        AuditEntry.insert(fold=f"late {number}", **row).on_conflict_ignore().execute()


def search(
    *,
    act: str = "",
    actor: str = "",
    target: str = "",
    who: str = "",
    network: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before: tuple[datetime, int] | None = None,
    within: pw.Expression | None = None,
    page: int = 1,
    size: int = 50,
) -> tuple[list[AuditEntry], bool]:
    """A page (from 1) of the entries for which all of this is true, newest first, and whether there are more. One SELECT.

    `actor` and `target` are whole texts; `who` is the address of either. `since` (inclusive) and `until` (exclusive) are naive
    UTC. Pages have at most LARGEST_PAGE entries. `before`: older than this entry, by its time and number, which costs the same on
    every page. `within`: a further condition (`concerning`). With `who`, two SELECTs of numbers more, each from an index.
    """
    take_in_late()
    size = min(max(size, 1), LARGEST_PAGE)
    rows = AuditEntry.select().order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    if act:
        rows = rows.where(AuditEntry.act == act)
    if actor:
        rows = rows.where(AuditEntry.actor_address == actor)
    if target:
        rows = rows.where(AuditEntry.target == target)
    if network:
        rows = rows.where(AuditEntry.network == network)
    if within is not None:
        rows = rows.where(within)
    if before:
        at, number = before
        rows = rows.where((AuditEntry.at < at) | ((AuditEntry.at == at) & (AuditEntry.id < number)))
    if since:
        rows = rows.where(AuditEntry.at >= since)
    if until:
        rows = rows.where(AuditEntry.at < until)
    start = (min(max(page, 1), _LAST_PAGE) - 1) * size
    if who:  # one condition for both columns would read all entries where there are few of somebody, or none
        columns = (AuditEntry.actor_address, AuditEntry.target)
        numbers = {
            one.id for column in columns for one in rows.select(AuditEntry.id).where(column == who).limit(start + size + 1)
        }
        if not numbers:
            return [], False
        rows = AuditEntry.select().where(AuditEntry.id.in_(numbers)).order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    found = list(rows.limit(size + 1).offset(start))
    return found[:size], len(found) > size


def concerning(people: pw.Query, domains: Collection[str], everybody: pw.Query) -> Any:
    """The condition that one of these people did it, or it was done to them; or to an address in these domains that is nobody's
    any more. `people` and `everybody`: queries of addresses."""
    found = AuditEntry.actor_address.in_(people) | AuditEntry.target.in_(people)
    for domain in domains:
        gone = AuditEntry.target.endswith(f"@{domain}") & AuditEntry.target.not_in(everybody)
        found |= gone
    return found


def has_done(actor: User, acts: Sequence[AuditAct], targets: Collection[str], since: datetime) -> bool:
    """Whether somebody has done one of these to one of these targets, as far as entries are kept. 1 SELECT."""
    mine = (AuditEntry.actor == actor) & AuditEntry.act.in_(list(acts)) & AuditEntry.target.in_(list(targets))
    return bool(AuditEntry.select().where(mine, AuditEntry.at >= since).exists())


def count_since(acts: Sequence[AuditAct], since: datetime) -> int:
    """How often one of these was done, counted ones as often as they were. 1 SELECT."""
    chosen = AuditEntry.select(pw.fn.COALESCE(pw.fn.SUM(AuditEntry.times), 0))
    return int(chosen.where(AuditEntry.act.in_(acts), AuditEntry.at >= since).scalar())


def details_of(entry: AuditEntry) -> dict[str, str | int]:
    """The details of an entry, with `times` if it stands for more than one."""
    found = dict(json.loads(entry.details))
    return found | {"times": entry.times} if entry.times > 1 else found


def expire(settings: Settings) -> int:
    """Delete what is older than `audit_days`, in pieces so that others can write in between; returns how many.

    At most a hundred thousand: where more is old (the setting was changed), the rest is for the next hour.
    """
    if not settings.audit_days:
        return 0
    end, deleted = now() - timedelta(days=settings.audit_days), 0
    for _ in range(_PIECES):
        began = time.monotonic()
        old = AuditEntry.select(AuditEntry.id).where(AuditEntry.at < end).limit(_PIECE)
        gone = AuditEntry.delete().where(AuditEntry.id.in_(old)).execute()
        deleted += gone
        give_way(time.monotonic() - began)
        if gone < _PIECE:
            break
    return deleted


# --- writing ---------------------------------------------------------------------------------------------------------


def _count(row: dict[str, Any]) -> None:
    """Add to this minute's entry of the same act, actor, target and network, or make it.

    Somebody with many networks or names could make an entry for each: beyond MOST_REFUSED in a minute, new ones are one entry.
    """
    minute = row["at"].replace(second=0, microsecond=0)
    key = _fold(row, minute)
    this_minute = (AuditEntry.act == row["act"]) & (AuditEntry.at >= minute) & (AuditEntry.at < minute + _MINUTE)
    full = AuditEntry.select().where(this_minute).count() >= MOST_REFUSED
    if full and not AuditEntry.select().where(AuditEntry.fold == key).exists():
        row |= {"actor": None, "actor_address": "", "target": MANY, "network": "", "details": "{}"}
        key = _fold(row, minute)
    added = AuditEntry.insert(fold=key, **row)
    # one statement decides, so that two at once are counted too
    added.on_conflict(conflict_target=[AuditEntry.fold], update={AuditEntry.times: AuditEntry.times + 1}).execute()


def _fold(row: dict[str, Any], minute: datetime) -> str:
    words = json.dumps([row["act"], row["actor_address"], row["target"], row["network"], minute.isoformat()])
    return hashlib.sha256(words.encode()).hexdigest()


def _json(details: dict[str, str | int | None]) -> str:
    kept: dict[str, str | int] = {}
    for name, value in details.items():
        if name not in DETAILS:
            log.error("the audit log has no detail called %s", _clean(name))
        elif isinstance(value, str):
            kept[name] = _clean(value)
        elif isinstance(value, int) and abs(value) < _LARGEST:
            kept[name] = value
    return json.dumps(kept, ensure_ascii=False)


def _clean(text: str) -> str:
    """One line of printable characters, so that nobody can forge a line of what is printed, nor write to a terminal."""
    kept = (c if c.isprintable() else " " if c.isspace() else "" for c in text[: 4 * _LONGEST])
    return "".join(kept)[:_LONGEST]


@contextmanager
def _short_wait() -> Iterator[None]:
    """On SQLite, wait a second at most for the write lock, which a transaction holds already: people wait for this too."""
    if not isinstance(db.obj, pw.SqliteDatabase) or db.in_transaction():
        yield
        return
    db.execute_sql(f"PRAGMA busy_timeout = {_PATIENCE}")
    try:
        yield
    finally:
        db.execute_sql(f"PRAGMA busy_timeout = {LOCK_PATIENCE}")
