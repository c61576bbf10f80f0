"""Batches: messages moved, tagged or deleted by one command each, so that after a kill at any moment none is lost or doubled.

What is about to be done is a row before it is asked of the mail server: which messages, with date and size, and from which UID on
they will lie in the target (its UIDNEXT). After the answer the row says where they are (COPYUID), in the transaction that counts
them. A row that is still pending was interrupted: `settle` looks what became of its messages. One that is in both folders (a
server without MOVE, or one that broke in the middle of it) is removed from the first.

All of it within the person's lock, so a pending row belongs to nobody who lives; the mail server, though, may still be at it.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from webmail import imap
from webmail.database.connection import db
from webmail.errors import MailboxChangedError, MailError, NoSuchMailboxError, NotAllowedError, RefusedError, ServerAwayError
from webmail.imap.bulk import ageing, bulk_fetch
from webmail.imap.bulk.ageing import MessageMark
from webmail.imap.connections.commands import expand_uid_set, uid_set
from webmail.imap.connections.connection import Connection
from webmail.models import ArchiveBatch, ArchiveRun, BatchState, User, now

log = logging.getLogger(__name__)

MOST = 500  # messages of one command
SETTLES = timedelta(seconds=40)  # an interrupted command has ended by then: longer than its answer is waited for
_GONE = (NoSuchMailboxError, MailboxChangedError)


class NeedsUidplusError(RefusedError):
    """The server can neither MOVE nor delete messages by their UIDs: what others marked as deleted would go too."""


def move(
    connection: Connection, run: ArchiveRun, action: str, source: tuple[str, int], uids: Sequence[int], target: str,
    *, rule: str = "", marks: dict[int, MessageMark] | None = None, parents: Sequence[str] = (),
) -> int:  # fmt: skip
    """Move at most MOST messages of `source` (its name and UIDVALIDITY); returns how many. `parents`: folders to make before the
    target, should that be missing.

    4 round trips, 6 without MOVE. Raises OverQuotaError, NotAllowedError, RefusedError, NoSuchMailboxError, MailboxChangedError,
    NeedsUidplusError, ServerAwayError.
    """
    if not connection.has("UIDPLUS"):
        raise NeedsUidplusError("the server has no UIDPLUS")
    validity, floor = _floor(connection, target, parents)
    connection.select(*source)
    marks = marks or ageing.marks(connection, uids)
    wanted = sorted(uid for uid in uids if uid in marks)
    if not wanted:
        return 0
    batch = _noted(run, action, source, wanted, rule, target, validity, floor, marks)
    try:
        moved = imap.actions.move(connection, source[0], wanted, target, source[1])
    except ServerAwayError:
        raise  # it may have been done: whoever comes next looks
    except MailError as error:
        _settle_move(connection, batch)  # refused, at least in part
        if "EXPUNGEISSUED" in str(error):  # RFC 5530: somebody else removes messages at this moment
            raise ServerAwayError(str(error)) from error
        raise
    if len(moved.sources) != len(moved.uids) or not moved.uids:
        return _settle_move(connection, batch)
    pairs = sorted(zip(moved.sources, moved.uids, strict=True))
    return _done(batch, [uid for uid, _now in pairs], moved.uidvalidity, [uid for _was, uid in pairs])


def tag(
    connection: Connection, run: ArchiveRun, source: tuple[str, int], uids: Sequence[int], keyword: str, *, rule: str = ""
) -> int:
    """Set a keyword on at most MOST messages that do not have it. 2 round trips. Raises what `set_flags` does."""
    batch = _noted(run, "tagged", source, sorted(uids), rule, keyword)
    return _repeat(connection, batch)


def delete(connection: Connection, run: ArchiveRun, source: tuple[str, int], uids: Sequence[int], *, rule: str = "") -> int:
    """Delete at most MOST messages for good. 3 round trips. Raises NotAllowedError, NeedsUidplusError."""
    if not connection.has("UIDPLUS"):
        raise NeedsUidplusError("the server has no UIDPLUS")
    batch = _noted(run, "deleted", source, sorted(uids), rule)
    return _repeat(connection, batch)


def _floor(connection: Connection, target: str, parents: Sequence[str]) -> tuple[int, int]:
    """UIDVALIDITY and UIDNEXT of the target, which is made if it is missing, after its parents: a parent that a server makes by
    itself can't be opened. 1 round trip.
    """
    try:
        told = bulk_fetch.next_uid(connection, target)
    except (NoSuchMailboxError, RefusedError):
        for name in (*parents, target):
            imap.actions.make(connection, name)
        told = bulk_fetch.next_uid(connection, target)
    if not all(told):
        raise RefusedError(f"the server tells no UIDNEXT of {target}")
    return told


def _noted(
    run: ArchiveRun, action: str, source: tuple[str, int], uids: list[int], rule: str, target: str = "", validity: int = 0,
    floor: int = 0, marks: dict[int, MessageMark] | None = None,
) -> ArchiveBatch:  # fmt: skip
    kept = json.dumps([[marks[uid].when, marks[uid].size] for uid in uids]) if marks else ""
    return ArchiveBatch.create(
        user=run.user_id, run=run.id, action=action, rule=rule[:70], mailbox=source[0], uidvalidity=source[1],
        uids=uid_set(uids).decode(), target=target, target_uidvalidity=validity, floor=floor, marks=kept,
    )  # fmt: skip


def _done(batch: ArchiveBatch, uids: Sequence[int], validity: int = 0, now_at: Sequence[int] = ()) -> int:
    """The row says what was done, and its run counts it: together, once. 2 UPDATEs, or a DELETE for nothing."""
    with db.atomic():
        mine = (ArchiveBatch.id == batch.id) & (ArchiveBatch.state == BatchState.PENDING)
        if not uids:
            ArchiveBatch.delete().where(mine).execute()
            return 0
        values: dict[str, Any] = {
            "state": BatchState.DONE, "uids": uid_set(uids).decode(), "target_uids": _in_order(now_at),
            "target_uidvalidity": validity, "marks": "",
        }  # fmt: skip
        if ArchiveBatch.update(values).where(mine).execute():
            counter = getattr(ArchiveRun, batch.action)
            ArchiveRun.update({counter: counter + len(uids)}).where(ArchiveRun.id == batch.run_id).execute()
    return len(uids)


def _in_order(uids: Sequence[int]) -> str:
    """UIDs as they stand, ranges where they ascend: usually all of them."""
    ranges: list[list[int]] = []
    for uid in uids:
        if ranges and uid == ranges[-1][1] + 1:
            ranges[-1][1] = uid
        else:
            ranges.append([uid, uid])
    return ",".join(f"{first}" if first == last else f"{first}:{last}" for first, last in ranges)


# --- after a kill ----------------------------------------------------------------------------------------------------


def settle(connection: Connection, user: User) -> None:
    """Look what became of a person's interrupted batches. 1 query where there is none; else some 6 round trips for each.

    Raises ServerAwayError while the mail server may still be at one.
    """
    pending = ArchiveBatch.select().where((ArchiveBatch.user == user) & (ArchiveBatch.state == BatchState.PENDING))
    for batch in list(pending.order_by(ArchiveBatch.id)):
        if batch.began > now() - SETTLES:
            raise ServerAwayError(f"batch {batch.id} was interrupted a moment ago")
        try:
            if batch.floor:
                _settle_move(connection, batch)
            else:
                _repeat(connection, batch)
        except (*_GONE, NotAllowedError, RefusedError) as error:
            log.warning("batch %d of %s stays as it is: %s", batch.id, user.address, error)


def _repeat(connection: Connection, batch: ArchiveBatch) -> int:
    """Tagging and deleting may be done twice."""
    uids = expand_uid_set(batch.uids)
    try:
        there = imap.actions.with_flag(connection, batch.mailbox, uids, b"ALL", batch.uidvalidity)
        if batch.action == "tagged" and there:
            imap.actions.set_flags(connection, batch.mailbox, there, [batch.target], True, batch.uidvalidity)
        elif there:
            imap.actions.delete(connection, batch.mailbox, there, batch.uidvalidity)
    except (*_GONE, NotAllowedError, RefusedError):
        _done(batch, ())
        raise
    return _done(batch, there if batch.action == "tagged" else uids)


def _settle_move(connection: Connection, batch: ArchiveBatch) -> int:
    """Find each of its messages: in the first folder (then nothing happened to it), in the target, or in both. One that is in
    neither was moved on or deleted by somebody else.
    """
    uids = expand_uid_set(batch.uids)
    marks = {uid: (when, size) for uid, (when, size) in zip(uids, json.loads(batch.marks), strict=True)}
    try:
        here = set(imap.actions.with_flag(connection, batch.mailbox, uids, b"ALL", batch.uidvalidity))
    except _GONE:
        here = set()
    try:
        connection.select(batch.target, batch.target_uidvalidity)
        arrived = bulk_fetch.uids_from(connection, batch.floor)[: ageing.WINDOW]
        there = ageing.marks(connection, arrived) if arrived else {}
    except _GONE:
        there = {}
    free: dict[tuple[str, int], deque[int]] = defaultdict(deque)
    for uid, mark in sorted(there.items()):
        free[mark.when, mark.size].append(uid)
    places: dict[int, int] = {}
    for uid in [*(uid for uid in uids if uid not in here), *sorted(here)]:  # those that can be nowhere else first
        if candidates := free[marks[uid]]:
            places[uid] = candidates.popleft()
    twice = _the_same(connection, batch, {uid: places.pop(uid) for uid in here if uid in places})
    if twice:
        log.warning("%d messages of batch %d were in both folders", len(twice), batch.id)
        imap.actions.delete(connection, batch.mailbox, twice, batch.uidvalidity)
    places |= twice
    moved = sorted(places)
    return _done(batch, moved, batch.target_uidvalidity, [places[uid] for uid in moved])


def _the_same(connection: Connection, batch: ArchiveBatch, twins: dict[int, int]) -> dict[int, int]:
    """Those of (UID, UID in the target) that are one message, by Message-ID, sender and subject too: the first one goes then."""
    if not twins:
        return {}
    first = bulk_fetch.identities(connection, batch.mailbox, twins, batch.uidvalidity)
    second = bulk_fetch.identities(connection, batch.target, twins.values(), batch.target_uidvalidity)
    kept = {}
    for uid, other in twins.items():
        a, b = first.get(uid), second.get(other)
        if a and b and a.message_id and (a.message_id, a.subject, a.sender) == (b.message_id, b.subject, b.sender):
            kept[uid] = other
    return kept


def pieces(uids: Iterable[int]) -> list[list[int]]:
    """UIDs in pieces for one command each."""
    numbers = sorted(uids)
    each = [numbers[at : at + MOST] for at in range(0, len(numbers), MOST)]
    return [short for piece in each for short in imap.actions.pieces(piece)]
