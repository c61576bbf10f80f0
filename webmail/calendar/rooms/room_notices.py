"""Room notices: who is to be told by mail of a booking: whoever has to agree that it waits, who booked what was decided.

Rows are written in the transaction that books or decides, and taken out in the one that queues the mail: each is told once. A use
that goes takes its rows with it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import peewee as pw

from webmail.auth import account_management
from webmail.models import Resource, ResourceBooking, ResourceUse, RoomNotice, User, now

EVERY = timedelta(minutes=1)
ASKED, APPROVED, REFUSED = "asked", "approved", "refused"
LONGEST_NOTE = 1_000
_MOST_TIMES = 5  # that are told
_MOST_APPROVERS = 20  # who are told, where any administrator may agree
_PIECE = 200  # at a time: the rest comes in the next round


@dataclass(frozen=True, slots=True)
class RoomTimes:
    """The first times of a booking, in seconds since 1970, and how many there are."""

    first: list[tuple[int, int]]
    count: int


def ask(use: int) -> None:
    """Something of a use (by `id`) waits for approval."""
    key = [RoomNotice.use, RoomNotice.kind]
    RoomNotice.insert(use=use, kind=ASKED).on_conflict(conflict_target=key, update={"at": now()}).execute()


def decided(use: ResourceUse, by: User, times: Sequence[tuple[int, int]], note: str, *, agree: bool) -> None:
    """It waits no more: nobody has to be asked, and who booked is to be told."""
    RoomNotice.delete().where(RoomNotice.use == use.id).execute()
    if use.user_id is None or use.user_id == by.id:
        return
    told = json.dumps([len(times), *times[:_MOST_TIMES]])
    kind = APPROVED if agree else REFUSED
    RoomNotice.create(use=use, kind=kind, by=by, note=note[:LONGEST_NOTE], times=told)


def waiting() -> Any:
    """The query for what is to be told."""
    return RoomNotice.select(RoomNotice.id)


def listed() -> list[RoomNotice]:
    """With use, room and who booked. 1 query."""
    rows: Any = RoomNotice.select(RoomNotice, ResourceUse, Resource, User).join(ResourceUse).join(Resource)
    rows = rows.switch(ResourceUse).join(User, pw.JOIN.LEFT_OUTER)
    return list(rows.order_by(RoomNotice.id).limit(_PIECE))


def taken(notice: RoomNotice) -> bool:
    """Take one out, once, whoever else does: in the transaction that queues the mail."""
    return bool(RoomNotice.delete().where(RoomNotice.id == notice.id).execute())


def times_of(notice: RoomNotice) -> RoomTimes:
    """What waits now, or what was decided of. At most 1 query."""
    if notice.times:
        count, *first = json.loads(notice.times)
        return RoomTimes([(start, end) for start, end in first], count)
    rows: Any = ResourceBooking.select(ResourceBooking.start, ResourceBooking.end)
    mine = (ResourceBooking.use == notice.use_id) & (ResourceBooking.pending == 1) & (ResourceBooking.end > int(time.time()))
    found = list(rows.where(mine).order_by(ResourceBooking.start).tuples())
    return RoomTimes(found[:_MOST_TIMES], len(found))


def approvers(resource: Resource) -> list[User]:
    """Who is asked: whoever was named, else administrators. 1 query."""
    if resource.approver_id:
        named: User | None = resource.approver
        return [named] if named is not None and named.active else []
    return account_management.administrators(_MOST_APPROVERS)
