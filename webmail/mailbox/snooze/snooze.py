"""Snooze: messages wait in a folder of their own and come back at their time, unread and at the top of the list.

Crash-safe: nothing is lost or duplicated at whatever point a process is killed. The row is written before the message is moved,
and matched by Message-ID if the response to MOVE never arrived. To appear at the top, a message needs a new internal date (RFC
3501 section 2.3.3), which only APPEND can set: a copy is appended to its mailbox, then the waiting one is expunged. Before that,
the target's UIDNEXT is stored in the row, so that a retry finds the copy and does not append it again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import peewee as pw

from webmail import imap, preferences, schedule
from webmail.account import Account
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.pieces import in_pieces
from webmail.database.prepared import Prepared, Slot
from webmail.errors import (
    MailboxChangedError,
    MailError,
    NoSuchMailboxError,
    NoSuchMessageError,
    NotAllowedError,
    OverQuotaError,
    RefusedError,
    ServerAwayError,
    SignInRefusedError,
    UnsafeValueError,
)
from webmail.imap.bulk import bulk_fetch
from webmail.imap.connections.commands import uid_set
from webmail.imap.connections.connection import Connection
from webmail.imap.connections.responses import fetched
from webmail.mail import Role
from webmail.mailbox.actions import ActionResult
from webmail.mailbox.selection import Selection, count
from webmail.mailbox.snooze import snooze_leases
from webmail.models import Snoozed, User, now
from webmail.schedule import BadTimeError

log = logging.getLogger(__name__)

MOST = 1000  # messages snoozed at once
_FRESH = timedelta(minutes=1)  # the message of a younger row may still be being moved
_LARGEST_COPY = 50_000_000  # bytes; larger messages come back with their old date
_FURTHEST = timedelta(days=5 * 366)


class TooManyToSnoozeError(MailError):
    """More than MOST messages at once."""

    status = 422


# --- when ------------------------------------------------------------------------------------------------------------


def choices(at: datetime) -> dict[str, datetime]:
    """The times offered, by name, in the time zone of `at`."""
    return schedule.choices(at, before_evening=timedelta(hours=1))


def chosen_time(name: str, day: str, hour: str, at: datetime) -> datetime:
    """The chosen time as naive UTC: a named choice, or else a date and an optional time of day. Raises BadTimeError."""
    offered = choices(at)
    if name in offered:
        return schedule.stored(offered[name], at, _FURTHEST)
    try:
        due = datetime.combine(date.fromisoformat(day), schedule.time_of_day(hour) if hour else schedule.MORNING, at.tzinfo)
    except ValueError as error:
        raise BadTimeError(f"{day!r} {hour!r} is no time") from error
    return schedule.stored(due, at, _FURTHEST)


def local(due: datetime, zone: ZoneInfo) -> datetime:
    """A stored time (naive UTC) in the time zone of a person."""
    return aware(due).astimezone(zone)


def aware(due: datetime) -> datetime:
    return due.replace(tzinfo=UTC)


# --- snoozing --------------------------------------------------------------------------------------------------------


def snooze(connection: Connection, user: User, chosen: Sequence[Selection], due: datetime) -> ActionResult:
    """Move messages to the snooze folder until `due` (naive UTC): FETCH and MOVE per mailbox. Snoozed ones are rescheduled.

    Raises TooManyToSnoozeError, and what `imap.actions.move` raises; after a partial success the error is in the result's
    `failed`.
    """
    if count(chosen) > MOST:
        raise TooManyToSnoozeError(f"{count(chosen)} messages to be put off at once")
    done = ActionResult("snooze")
    try:
        for group in chosen:
            connection.select(group.mailbox, group.uidvalidity)
            done.to = done.to or imap.mailboxes.for_role(connection, Role.SNOOZED)
            if group.mailbox == done.to:
                done.count += _put_off_again(connection, user, group, due)
            else:
                _put_off(connection, user, group, due, done)
    except MailError as error:
        if not done.count:
            raise
        done.failed = error
    return done


def _put_off(connection: Connection, user: User, group: Selection, due: datetime, done: ActionResult) -> None:
    told = bulk_fetch.identities(connection, group.mailbox, group.uids, group.uidvalidity)
    rows: dict[int, Snoozed] = {}
    for piece in in_pieces(list(told.items())):
        with db.atomic():
            rows |= {
                uid: Snoozed.create(
                    user=user, mailbox=group.mailbox, folder=done.to, due=due,
                    message_id=one.message_id, subject=one.subject, sender=", ".join(a.label for a in one.sender[:3]),
                )
                for uid, one in piece
            }  # fmt: skip
    if not rows:
        return
    try:
        moved = imap.actions.move(connection, group.mailbox, rows, done.to, group.uidvalidity)
    except (NoSuchMailboxError, NotAllowedError, OverQuotaError, RefusedError):  # a definite refusal: nothing was moved
        Snoozed.delete().where(Snoozed.id.in_([row.id for row in rows.values()])).execute()
        raise
    for pairs in in_pieces([pair for pair in zip(moved.sources, moved.uids, strict=False) if pair[0] in rows]):
        with db.atomic():
            for source, uid in pairs:
                Snoozed.update(uidvalidity=moved.uidvalidity, uid=uid).where(Snoozed.id == rows[source].id).execute()
    done.count += len(moved.uids) if connection.has("UIDPLUS") else len(rows)
    done.undo.unsnooze(moved.mailbox, moved.uidvalidity, moved.uids, group.mailbox)


def _put_off_again(connection: Connection, user: User, group: Selection, due: datetime) -> int:
    """Reschedule messages in the snooze folder; creates rows for those that were moved there manually."""
    told = bulk_fetch.identities(connection, group.mailbox, group.uids, group.uidvalidity)
    for piece in in_pieces(list(told.items())):
        with db.atomic():
            for uid, one in piece:
                where = (Snoozed.user == user) & (Snoozed.uidvalidity == connection.uidvalidity) & (Snoozed.uid == uid)
                if not Snoozed.update(due=due).where(where).execute():
                    Snoozed.create(
                        user=user, folder=group.mailbox, uidvalidity=connection.uidvalidity, uid=uid, due=due,
                        message_id=one.message_id, subject=one.subject, sender=", ".join(a.label for a in one.sender[:3]),
                    )  # fmt: skip
    return len(told)


def note_arrived(
    user: User, folder: str, uidvalidity: int, uid: int, fingerprint: bulk_fetch.MessageFingerprint, due: datetime
) -> None:
    """What a filter put into the folder of snoozed messages waits there like others; nothing changes where it does already."""
    with db.atomic():
        mine = (Snoozed.user == user) & (Snoozed.uidvalidity == uidvalidity) & (Snoozed.uid == uid)
        if not Snoozed.select().where(mine).exists():
            Snoozed.create(
                user=user, mailbox="INBOX", folder=folder, uidvalidity=uidvalidity, uid=uid, due=due,
                message_id=fingerprint.message_id, subject=fingerprint.subject, sender=", ".join(a.label for a in
                fingerprint.sender[:3]),
            )  # fmt: skip


def waiting(user: User) -> list[Snoozed]:
    """The user's snoozed messages, the next due first. 1 query."""
    return list(Snoozed.select().where(Snoozed.user == user).order_by(Snoozed.due, Snoozed.id))


def get(user: User, id_: int) -> Snoozed:
    """The user's row. Raises NoSuchMessageError, also for somebody else's."""
    known = 0 < id_ < 2**63
    row = Snoozed.get_or_none((Snoozed.id == id_) & (Snoozed.user == user)) if known else None
    if row is None:
        raise NoSuchMessageError("nothing waits under this number")
    return row


def still_waits(row: Snoozed) -> bool:
    """Whether the row still exists: if it could not be leased, another worker is waking it, or an attempt has just failed."""
    return bool(Snoozed.select().where(Snoozed.id == row.id).exists())


def change(row: Snoozed, due: datetime) -> None:
    Snoozed.update(due=due).where(Snoozed.id == row.id).execute()


def tidy(connection: Connection, user: User) -> None:
    """Delete rows whose message was moved or deleted by other means, and update UIDs that changed.

    SELECT and SEARCH per snooze folder (usually one), and a SEARCH per message whose UID changed.
    """
    rows = [row for row in waiting(user) if row.created < now() - _FRESH]
    for folder in dict.fromkeys(row.folder for row in rows):
        group = [row for row in rows if row.folder == folder]
        for row in _missing(connection, folder, group):
            uid = _current_uid(connection, row)
            if uid is None:
                Snoozed.delete().where(Snoozed.id == row.id).execute()
            else:
                Snoozed.update(uid=uid, uidvalidity=connection.uidvalidity).where(Snoozed.id == row.id).execute()


def _missing(connection: Connection, folder: str, rows: list[Snoozed]) -> list[Snoozed]:
    try:
        connection.select(folder)
    except NoSuchMailboxError:
        return rows
    uids = [row.uid for row in rows if row.uid and row.uidvalidity == connection.uidvalidity]
    there = {uid for piece in imap.actions.pieces(uids) for uid in imap.actions.with_flag(connection, folder, piece, b"ALL")}
    return [row for row in rows if row.uid not in there or row.uidvalidity != connection.uidvalidity]


# --- waking ----------------------------------------------------------------------------------------------------------


def cancel(connection: Connection, row: Snoozed) -> bool:
    """Move a message back unchanged. 1 round trip after the SELECT. Returns whether this call did it."""
    with _claimed(row) as mine:
        uid = _current_uid(connection, row) if mine else None
        if uid is not None:
            _move_back(connection, row, uid)
        if mine:
            Snoozed.delete().where(Snoozed.id == row.id).execute()
    return uid is not None


def wake(connection: Connection, row: Snoozed, after_copy: Callable[[], None] = lambda: None) -> bool:
    """Bring a message back, unread and at the top. About 6 round trips. Returns whether this call did it.

    `after_copy` is called between APPEND and EXPUNGE. If interrupted, a later call resumes where it stopped.
    """
    with _claimed(row) as mine:
        uid = _current_uid(connection, row) if mine else None
        if uid is not None and _copied(connection, row, uid):
            after_copy()
            imap.actions.delete(connection, row.folder, [uid])
        elif uid is not None:
            imap.actions.set_flags(connection, row.folder, [uid], ["\\Seen"], add=False)
            _move_back(connection, row, uid)
        if mine:
            Snoozed.delete().where(Snoozed.id == row.id).execute()
    return uid is not None


@contextmanager
def _claimed(row: Snoozed) -> Iterator[bool]:
    """Lease the row; yields whether that succeeded. An error releases it at once; a killed process's lease expires."""
    mine = snooze_leases.lease(row)
    try:
        yield mine
    except MailError:
        if mine:
            snooze_leases.give_back([row])
        raise


def _current_uid(connection: Connection, row: Snoozed) -> int | None:
    """The message's current UID in the snooze folder, or None. 1 round trip after the SELECT, 2 if UIDs changed."""
    try:
        connection.select(row.folder)
        if row.uid and connection.uidvalidity == row.uidvalidity:
            return row.uid if imap.actions.with_flag(connection, row.folder, [row.uid], b"ALL") else None
        found = imap.messages.find_message_id(connection, row.folder, row.message_id) if row.message_id else []
    except (NoSuchMailboxError, UnsafeValueError):
        return None
    others = {other.uid for other in Snoozed.select(Snoozed.uid).where(Snoozed.user == row.user, Snoozed.id != row.id)}
    free = [uid for uid in found if uid not in others]
    return max(free, default=None)


def _copied(connection: Connection, row: Snoozed, uid: int) -> bool:
    """Append a copy with today's date to its mailbox, unless an earlier attempt did. False if it has to be moved instead."""
    if not row.message_id:
        return False  # a retry could not find the copy
    if row.target_uidnext and _is_there(connection, row):
        row.mailbox = row.target
        return True
    connection.select(row.folder)
    values = fetched(connection.run((b"UID FETCH", uid_set([uid]), b"(UID FLAGS RFC822.SIZE)"))).get(uid, {})
    if not 0 < values.get(b"RFC822.SIZE", 0) <= _LARGEST_COPY:
        return False
    content = imap.messages.raw(connection, row.folder, uid)
    gone = ("\\seen", "\\recent", "\\deleted")
    flags = [name for flag in values.get(b"FLAGS", ()) if (name := flag.decode("ascii", "replace")).lower() not in gone]
    for target in dict.fromkeys((row.mailbox, "INBOX")):
        try:
            validity, uidnext = bulk_fetch.next_uid(connection, target)
            if not uidnext:
                return False
            row.target, row.target_uidvalidity, row.target_uidnext = target, validity, uidnext
            row.save(only=[Snoozed.target, Snoozed.target_uidvalidity, Snoozed.target_uidnext])
            imap.messages.append(connection, target, content, flags, datetime.now(UTC))
            row.mailbox = target
            return True
        except (NoSuchMailboxError, NotAllowedError):  # deleted, or rights were revoked
            continue
        except (OverQuotaError, RefusedError) as error:
            log.info("snoozed %d is moved, not copied: %s", row.id, error)
            return False
    return False


def _is_there(connection: Connection, row: Snoozed) -> bool:
    try:
        connection.select(row.target, row.target_uidvalidity)
    except (NoSuchMailboxError, NotAllowedError, MailboxChangedError):
        return False
    found = imap.messages.find_message_id(connection, row.target, row.message_id)
    return any(uid >= row.target_uidnext for uid in found)


def _move_back(connection: Connection, row: Snoozed, uid: int) -> None:
    """Move to its mailbox, or to the inbox if that is impossible (deleted, rights revoked, over quota); sets `row.mailbox`."""
    try:
        imap.actions.move(connection, row.folder, [uid], row.mailbox)
    except (NoSuchMailboxError, NotAllowedError, OverQuotaError, RefusedError) as error:
        if row.mailbox == "INBOX":
            raise
        log.info("snoozed %d comes back to the inbox: %s", row.id, error)
        imap.actions.move(connection, row.folder, [uid], "INBOX")
        row.mailbox = "INBOX"


# --- due messages ----------------------------------------------------------------------------------------------------


def _due_rows(placeholder: Slot) -> Any:
    free = Snoozed.lease.is_null() | (Snoozed.lease < placeholder("at"))
    rows = Snoozed.select(Snoozed, User).join(User).where(Snoozed.due <= placeholder("by"), free, User.active == 1)
    return rows.order_by(Snoozed.due, Snoozed.id).limit(MOST)


_due = Prepared(_due_rows)
_due_of_one = Prepared(lambda slot: _due_rows(slot).where(Snoozed.user == slot("user")))


def due(user: User | None = None, late: timedelta = timedelta(0)) -> list[Snoozed]:
    """Rows due (by at least `late`) of one user, or of all active users, the most overdue first; at most MOST. 1 query."""
    at = now()
    return _due(at=at, by=at - late) if user is None else _due_of_one(at=at, by=at - late, user=user.id)


def pending(_settings: Settings) -> list[pw.Query]:
    """What `sweep` wakes, or somebody has at this moment."""
    return [Snoozed.select(Snoozed.id).where(Snoozed.due <= now())]


def wake_due(account: Account, rows: Sequence[Snoozed]) -> int:
    """Wake these messages of one user; returns how many. Failures are retried after a lease, so that they don't delay others."""
    woken, left = 0, list(rows)
    try:
        with imap.connect(account) as connection:
            while left:
                woken += _woken(connection, left[0])
                left.pop(0)
    except (ServerAwayError, SignInRefusedError) as error:
        snooze_leases.put_aside(left)
        log.warning("snoozed messages of %s wait for another try: %s", account.address, error)
    return woken


def _woken(connection: Connection, row: Snoozed) -> bool:
    """Wake one message. A refusal by the server is logged and retried later, so that the others are still woken."""
    try:
        return wake(connection, row)
    except (ServerAwayError, SignInRefusedError):
        raise
    except MailError as error:
        snooze_leases.put_aside([row])
        log.warning("snoozed %d waits for another try: %s", row.id, error)
        return False


def sweep(settings: Settings) -> int:
    """Wake all due messages; returns how many. Needs token authentication: otherwise no password is available."""
    if not settings.token_key_file:
        return 0
    by_person: dict[int, list[Snoozed]] = {}
    for row in due():
        by_person.setdefault(row.user.id, []).append(row)
    woken = 0
    for rows in by_person.values():
        user = rows[0].user
        woken += wake_due(preferences.with_roles(settings.account(user.address), user), rows)
    return woken
