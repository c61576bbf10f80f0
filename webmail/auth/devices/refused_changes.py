"""Refused changes: what telephones and programs wanted to write into calendars and books, and were refused, for their owner.

A telephone tries again every quarter of an hour: each item is one row, with a count. No Flask here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from webmail.database.connection import db
from webmail.models import RefusedChange, User, now

MOST = 20  # of one person: the oldest go
KEPT = timedelta(days=30)
LONGEST_PLACE, _LONGEST_TITLE, _LONGEST_NAME = 255, 200, 100
_STEP = timedelta(seconds=20)  # the same is noted at most this often


class RefusalReason(StrEnum):
    """Why."""

    LARGE = "large"
    FULL = "full"  # no room, or too many items
    READ_ONLY = "read-only"  # and what else devices may not do
    NO_COLLECTION = "no-collection"
    NAME_TAKEN = "name-taken"  # of a new collection
    UID_TAKEN = "uid-taken"
    COMPONENT = "component"  # a task for a calendar of events
    OLD_CARD = "old-card"  # vCard 2.1
    NO_UID = "no-uid"
    CHARACTERS = "characters"  # not UTF-8, or control characters
    SEVERAL = "several"  # not one event or contact
    RULE = "rule"
    DATES = "dates"
    TOO_MANY = "too-many"  # lines, dates, changed times
    MEETING = "meeting"  # of which somebody else decides
    GUESTS = "guests"  # too many of them
    RECIPIENTS = "recipients"  # the person writes to too many people
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class DeviceRefusal:
    """`place`: below the person's address; `kind`: of the collection, "" for none; `title`: of the item, "" if unknown."""

    place: str
    reason: RefusalReason
    kind: str = ""
    collection: str = ""
    title: str = ""
    device: str = ""


def note(user: User, refusal: DeviceRefusal) -> None:
    """Note one. 3 queries in a transaction, or 1 for what was noted a moment ago."""
    at, place = now(), refusal.place[:LONGEST_PLACE]
    mine = RefusedChange.user == user
    if RefusedChange.select().where(mine, RefusedChange.place == place, RefusedChange.last > at - _STEP).exists():
        return
    values: dict[Any, Any] = {
        RefusedChange.kind: refusal.kind, RefusedChange.collection: refusal.collection[:_LONGEST_NAME],
        RefusedChange.title: refusal.title[:_LONGEST_TITLE], RefusedChange.reason: refusal.reason.value,
        RefusedChange.device: refusal.device[:_LONGEST_NAME], RefusedChange.last: at,
    }  # fmt: skip
    new = {RefusedChange.user: user, RefusedChange.place: place, RefusedChange.first: at, RefusedChange.count: 1}
    with db.atomic():
        RefusedChange.insert({**values, **new, RefusedChange.seen: 0}).on_conflict(
            conflict_target=[RefusedChange.user, RefusedChange.place],
            update={**values, RefusedChange.count: RefusedChange.count + 1},
        ).execute()
        latest = RefusedChange.select(RefusedChange.id).where(mine).order_by(RefusedChange.last.desc(), RefusedChange.id.desc())
        RefusedChange.delete().where(mine, RefusedChange.id.not_in(latest.limit(MOST))).execute()


def accepted(user: User, *places: str) -> None:
    """Forget what was refused in these places: it is there now, or gone. 1 query, 2 where something was."""
    here = (RefusedChange.user == user) & RefusedChange.place.in_([place[:LONGEST_PLACE] for place in places])
    if ids := [row.id for row in RefusedChange.select(RefusedChange.id).where(here)]:
        RefusedChange.delete().where(RefusedChange.id.in_(ids)).execute()


def for_user(user: User) -> list[RefusedChange]:
    """The latest first. 1 query."""
    mine = (RefusedChange.user == user) & (RefusedChange.last > now() - KEPT)
    return list(RefusedChange.select().where(mine).order_by(RefusedChange.last.desc(), RefusedChange.id.desc()).limit(MOST))


def mark_seen(user: User, rows: list[RefusedChange]) -> bool:
    """The person has them before their eyes; returns whether that is new. 1 query where it is."""
    if new := [row.id for row in rows if not row.seen]:
        RefusedChange.update(seen=1).where(RefusedChange.user == user, RefusedChange.id.in_(new)).execute()
    return bool(new)


def dismiss(user: User, number: int | None = None) -> int:
    """Forget one, or all of them; returns how many. 1 query."""
    mine = RefusedChange.user == user
    if number is not None:
        mine &= RefusedChange.id == number
    return int(RefusedChange.delete().where(mine).execute())
