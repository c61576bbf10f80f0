"""Putting messages off: they wait in a folder of their own and come back, unread and on top, at their time.

Nothing is lost or shown twice whatever is killed when. The row is written before the message is moved, and found again by its
Message-ID if the move's answer never came. To come out on top a message needs a new date of arrival (RFC 3501 section 2.3.3),
which only APPEND gives: a copy is put into its mailbox, then the one that waited is expunged. Before that, the row notes from
which UID on the copy will be; whoever goes on after a kill looks for it there, and puts no second one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from webmail import imap, preferences, schedule
from webmail.account import Account
from webmail.config import Settings
from webmail.database.connection import db
from webmail.database.prepared import Prepared, Slot
from webmail.errors import (
    MailboxChanged,
    MailError,
    NoSuchMailbox,
    NoSuchMessage,
    NotAllowed,
    OverQuota,
    Refused,
    ServerAway,
    SignInRefused,
    UnsafeValue,
)
from webmail.imap import bulk
from webmail.imap.commands import uid_set
from webmail.imap.connection import Connection, fetched
from webmail.mail import Role
from webmail.mailbox import snooze_leases
from webmail.mailbox.actions import ActionResult
from webmail.mailbox.selection import Selection, count
from webmail.models import Snoozed, User, now
from webmail.schedule import BadTime

log = logging.getLogger(__name__)

MOST = 1000  # messages put off at once
_FRESH = timedelta(minutes=1)  # a row so young may be of a message that is being moved
_LARGEST_COPY = 50_000_000  # bytes; what is larger comes back with its old date
_FURTHEST = timedelta(days=5 * 366)


class TooManyToSnooze(MailError):
    """More than MOST messages at once."""

    status = 422


# --- when ------------------------------------------------------------------------------------------------------------


def choices(at: datetime) -> dict[str, datetime]:
    """The times that are offered, by name, in the zone of `at`."""
    return schedule.choices(at, before_evening=timedelta(hours=1))


def chosen_time(name: str, day: str, hour: str, at: datetime) -> datetime:
    """The time meant by the name of a choice, or by a date and an hour of one's own; UTC, naive. Raises BadTime."""
    offered = choices(at)
    if name in offered:
        return schedule.stored(offered[name], at, _FURTHEST)
    try:
        due = datetime.combine(date.fromisoformat(day), time.fromisoformat(hour) if hour else schedule.MORNING, at.tzinfo)
    except ValueError as error:
        raise BadTime(f"{day!r} {hour!r} is no time") from error
    return schedule.stored(due, at, _FURTHEST)


def local(due: datetime, settings: Settings) -> datetime:
    """A time of the table on the establishment's clocks."""
    return aware(due).astimezone(ZoneInfo(settings.timezone))


def aware(due: datetime) -> datetime:
    return due.replace(tzinfo=UTC)


# --- putting off -----------------------------------------------------------------------------------------------------


def snooze(connection: Connection, user: User, chosen: Sequence[Selection], due: datetime) -> ActionResult:
    """Move messages to where they wait until `due`: FETCH and MOVE for each mailbox. Those that wait already get the new time.

    Raises TooMany, and what `imap.actions.move` raises.
    """
    if count(chosen) > MOST:
        raise TooManyToSnooze(f"{count(chosen)} messages to be put off at once")
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
    told = bulk.identities(connection, group.mailbox, group.uids, group.uidvalidity)
    with db.atomic():
        rows = {
            uid: Snoozed.create(
                user=user, mailbox=group.mailbox, folder=done.to, due=due,
                message_id=one.message_id, subject=one.subject, sender=", ".join(a.label for a in one.sender[:3]),
            )
            for uid, one in told.items()
        }  # fmt: skip
    if not rows:
        return
    try:
        moved = imap.actions.move(connection, group.mailbox, rows, done.to, group.uidvalidity)
    except (NoSuchMailbox, NotAllowed, OverQuota, Refused):  # a plain no: nothing was moved
        Snoozed.delete().where(Snoozed.id.in_([row.id for row in rows.values()])).execute()
        raise
    with db.atomic():
        for source, uid in zip(moved.sources, moved.uids, strict=False):
            if source in rows:
                Snoozed.update(uidvalidity=moved.uidvalidity, uid=uid).where(Snoozed.id == rows[source].id).execute()
    done.count += len(moved.uids) if connection.has("UIDPLUS") else len(rows)
    done.undo.unsnooze(moved.mailbox, moved.uidvalidity, moved.uids, group.mailbox)


def _put_off_again(connection: Connection, user: User, group: Selection, due: datetime) -> int:
    """Those of the folder of what waits: another time, and a row for one that somebody put there by hand."""
    told = bulk.identities(connection, group.mailbox, group.uids, group.uidvalidity)
    with db.atomic():
        for uid, one in told.items():
            where = (Snoozed.user == user) & (Snoozed.uidvalidity == connection.uidvalidity) & (Snoozed.uid == uid)
            if not Snoozed.update(due=due).where(where).execute():
                Snoozed.create(
                    user=user, folder=group.mailbox, uidvalidity=connection.uidvalidity, uid=uid, due=due,
                    message_id=one.message_id, subject=one.subject, sender=", ".join(a.label for a in one.sender[:3]),
                )  # fmt: skip
    return len(told)


def waiting(user: User) -> list[Snoozed]:
    """What waits, the next to come first."""
    return list(Snoozed.select().where(Snoozed.user == user).order_by(Snoozed.due, Snoozed.id))


def get(user: User, id_: int) -> Snoozed:
    """Raises NoSuchMessage for what is not there, or not theirs."""
    known = 0 < id_ < 2**63
    row = Snoozed.get_or_none((Snoozed.id == id_) & (Snoozed.user == user)) if known else None
    if row is None:
        raise NoSuchMessage("nothing waits under this number")
    return row


def still_waits(row: Snoozed) -> bool:
    """Whether a message that could not be taken waits nevertheless: somebody is at it, or a try failed just now."""
    return bool(Snoozed.select().where(Snoozed.id == row.id).exists())


def change(row: Snoozed, due: datetime) -> None:
    Snoozed.update(due=due).where(Snoozed.id == row.id).execute()


def tidy(connection: Connection, user: User) -> None:
    """Forget what no longer waits because it was moved or deleted in its folder, and find what has another UID now.

    SELECT and SEARCH for each folder that messages wait in (there is one), and SEARCH for each whose UID changed.
    """
    rows = [row for row in waiting(user) if row.created < now() - _FRESH]
    for folder in dict.fromkeys(row.folder for row in rows):
        group = [row for row in rows if row.folder == folder]
        for row in _missing(connection, folder, group):
            uid = _place(connection, row)
            if uid is None:
                Snoozed.delete().where(Snoozed.id == row.id).execute()
            else:
                Snoozed.update(uid=uid, uidvalidity=connection.uidvalidity).where(Snoozed.id == row.id).execute()


def _missing(connection: Connection, folder: str, rows: list[Snoozed]) -> list[Snoozed]:
    try:
        connection.select(folder)
    except NoSuchMailbox:
        return rows
    uids = [row.uid for row in rows if row.uid and row.uidvalidity == connection.uidvalidity]
    there = {uid for piece in imap.actions.pieces(uids) for uid in imap.actions.with_flag(connection, folder, piece, b"ALL")}
    return [row for row in rows if row.uid not in there or row.uidvalidity != connection.uidvalidity]


# --- coming back -----------------------------------------------------------------------------------------------------


def cancel(connection: Connection, row: Snoozed) -> bool:
    """Back to where it was, as it was: 1 round trip after the SELECT. Whether this call did it."""
    with _claimed(row) as mine:
        uid = _place(connection, row) if mine else None
        if uid is not None:
            _move_back(connection, row, uid)
        if mine:
            Snoozed.delete().where(Snoozed.id == row.id).execute()
    return uid is not None


def wake(connection: Connection, row: Snoozed, after_copy: Callable[[], None] = lambda: None) -> bool:
    """Back to where it was, unread and on top: about 6 round trips. Whether this call did it.

    `after_copy` is called between the two steps. Whatever breaks off, another call later goes on from there.
    """
    with _claimed(row) as mine:
        uid = _place(connection, row) if mine else None
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
    """Whether the row is ours for a while. An error gives it back at once, a kill when the lease is over."""
    mine = snooze_leases.claim(row)
    try:
        yield mine
    except MailError:
        if mine:
            snooze_leases.give_back([row])
        raise


def _place(connection: Connection, row: Snoozed) -> int | None:
    """The UID under which it waits now: 1 round trip after the SELECT, 2 where UIDs changed."""
    try:
        connection.select(row.folder)
        if row.uid and connection.uidvalidity == row.uidvalidity:
            return row.uid if imap.actions.with_flag(connection, row.folder, [row.uid], b"ALL") else None
        found = imap.messages.find_message_id(connection, row.folder, row.message_id) if row.message_id else []
    except (NoSuchMailbox, UnsafeValue):
        return None
    others = {other.uid for other in Snoozed.select(Snoozed.uid).where(Snoozed.user == row.user, Snoozed.id != row.id)}
    free = [uid for uid in found if uid not in others]
    return max(free, default=None)


def _copied(connection: Connection, row: Snoozed, uid: int) -> bool:
    """Put a copy of today into its mailbox, unless an earlier try did. False where it has to be moved instead."""
    if not row.message_id:
        return False  # it could not be found again
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
            validity, uidnext = bulk.next_uid(connection, target)
            if not uidnext:
                return False
            row.target, row.target_uidvalidity, row.target_uidnext = target, validity, uidnext
            row.save(only=[Snoozed.target, Snoozed.target_uidvalidity, Snoozed.target_uidnext])
            imap.messages.append(connection, target, content, flags, datetime.now(UTC))
            row.mailbox = target
            return True
        except (NoSuchMailbox, NotAllowed):  # gone, or shared with fewer rights than before
            continue
        except (OverQuota, Refused) as error:
            log.info("snoozed %d is moved, not copied: %s", row.id, error)
            return False
    return False


def _is_there(connection: Connection, row: Snoozed) -> bool:
    try:
        connection.select(row.target, row.target_uidvalidity)
    except (NoSuchMailbox, NotAllowed, MailboxChanged):
        return False
    found = imap.messages.find_message_id(connection, row.target, row.message_id)
    return any(uid >= row.target_uidnext for uid in found)


def _move_back(connection: Connection, row: Snoozed, uid: int) -> None:
    """To its mailbox; to the inbox where that one takes it no longer (it is gone, shared with fewer rights, or its owner has no
    room), and `row.mailbox` says so then."""
    try:
        imap.actions.move(connection, row.folder, [uid], row.mailbox)
    except (NoSuchMailbox, NotAllowed, OverQuota, Refused) as error:
        if row.mailbox == "INBOX":
            raise
        log.info("snoozed %d comes back to the inbox: %s", row.id, error)
        imap.actions.move(connection, row.folder, [uid], "INBOX")
        row.mailbox = "INBOX"


# --- whose time has come ---------------------------------------------------------------------------------------------


def _due_rows(slot: Slot) -> Any:
    free = Snoozed.lease.is_null() | (Snoozed.lease < slot("at"))
    rows = Snoozed.select(Snoozed, User).join(User).where(Snoozed.due <= slot("by"), free, User.active == 1)
    return rows.order_by(Snoozed.due, Snoozed.id).limit(MOST)


_due = Prepared(_due_rows)
_due_of_one = Prepared(lambda slot: _due_rows(slot).where(Snoozed.user == slot("user")))


def due(user: User | None = None, late: timedelta = timedelta(0)) -> list[Snoozed]:
    """Rows whose time has come (by at least `late`), of one person or of everybody with an open account, the latest first."""
    at = now()
    return _due(at=at, by=at - late) if user is None else _due_of_one(at=at, by=at - late, user=user.id)


def wake_due(account: Account, rows: Sequence[Snoozed]) -> int:
    """Wake these messages of one person; returns how many. What fails is tried again when its lease is over, so that
    it keeps nobody else's asleep."""
    woken, left = 0, list(rows)
    try:
        with imap.connect(account) as connection:
            while left:
                woken += _woken(connection, left[0])
                left.pop(0)
    except (ServerAway, SignInRefused) as error:
        snooze_leases.put_aside(left)
        log.warning("snoozed messages of %s wait for another try: %s", account.address, error)
    return woken


def _woken(connection: Connection, row: Snoozed) -> bool:
    """One that its server refuses does not keep the others asleep."""
    try:
        return wake(connection, row)
    except (ServerAway, SignInRefused):
        raise
    except MailError as error:
        snooze_leases.put_aside([row])
        log.warning("snoozed %d waits for another try: %s", row.id, error)
        return False


def sweep(settings: Settings) -> int:
    """Wake whatever is due, where the servers take our tokens: without the person there is no password. Returns how many."""
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
