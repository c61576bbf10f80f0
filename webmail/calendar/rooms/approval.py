"""Approval: bookings that wait until somebody agrees. Nobody else gets the room meanwhile."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import peewee as pw

from webmail.calendar import objects
from webmail.calendar.rooms import limits, room_notices
from webmail.calendar.rooms.attendees import TextInvitations
from webmail.calendar.rooms.public_titles import public_titles
from webmail.collections import store as collections
from webmail.database import locks
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.models import CalendarObject, Resource, ResourceBooking, ResourceUse, User

_MOST = 200
_MOST_BOOKINGS = 2_000  # of which they are the earliest


@dataclass(frozen=True, slots=True)
class WaitingUse:
    """An event that waits for a room: who asks, what for, and when. `times`: the first ones of `count`."""

    use: ResourceUse
    title: str
    times: list[tuple[int, int]]
    count: int

    @property
    def resource(self) -> Resource:
        resource: Resource = self.use.resource
        return resource

    @property
    def person(self) -> User | None:
        person: User | None = self.use.user
        return person


def resources_of(user: User) -> list[int]:
    """The rooms (by `id`) whose bookings this person agrees to. 1 query."""
    found = Resource.select().where(Resource.approval == 1)
    return [one.id for one in found if limits.approves(one, user)]


def waiting(user: User) -> list[WaitingUse]:
    """What waits for this person, the earliest first. 4 queries; 1 where they agree to nothing."""
    numbers = resources_of(user)
    if not numbers:
        return []
    mine = (ResourceBooking.pending == 1) & ResourceBooking.resource.in_(numbers) & (ResourceBooking.start > int(time.time()))
    rows = ResourceBooking.select(ResourceBooking, ResourceUse, Resource).join(ResourceUse).join(Resource).where(mine)
    uses: dict[int, ResourceUse] = {}
    times: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for one in rows.order_by(ResourceBooking.start).limit(_MOST_BOOKINGS):
        uses.setdefault(one.use_id, one.use)
        times[one.use_id].append((one.start, one.end))
    found = list(uses.values())[:_MOST]
    counted: Any = ResourceBooking.select(ResourceBooking.use, pw.fn.COUNT(ResourceBooking.id))
    counted = counted.where(mine, ResourceBooking.use.in_([use.id for use in found])).group_by(ResourceBooking.use)
    counts = dict(counted.tuples())
    titles = titles_of([use.object_id for use in found])
    return [WaitingUse(use, titles.get(use.object_id, ""), times[use.id], counts.get(use.id, 0)) for use in found]


def titles_of(numbers: list[int]) -> dict[int, str]:
    """Titles of events (by `id`) that whoever approves may read."""
    return {number: title for (number, _at), title in public_titles(numbers).items()}


@begun_again
def decide(user: User, number: int, *, agree: bool, note: str = "") -> bool:
    """Agree to all times of a use (by `id`) that wait, or give them back; False if nothing waits there for this person.

    The event's text says so in the same transaction, in which who booked is to be told, with the `note`.
    """
    use = ResourceUse.get_or_none(ResourceUse.id == number)
    if use is None or use.resource_id not in resources_of(user):
        return False
    found = CalendarObject.get_or_none(CalendarObject.id == use.object_id)
    if found is None:
        return False
    with db.atomic():
        collections.lock([found.collection_id])
        locks.rows(Resource, Resource.id == use.resource_id)
        row = CalendarObject.get_or_none(CalendarObject.id == found.id, CalendarObject.collection == found.collection_id)
        pending = (ResourceBooking.use == number) & (ResourceBooking.pending == 1)
        spans: Any = ResourceBooking.select(ResourceBooking.start, ResourceBooking.end).where(pending)
        times = [(start, end) for start, end in spans.order_by(ResourceBooking.start).tuples()]
        if row is None or not times:
            return False
        room_notices.decided(use, user, times, note, agree=agree)
        if agree:
            ResourceBooking.update(pending=0).where(pending).execute()
        else:
            ResourceBooking.delete().where(pending).execute()
            ResourceUse.update(refused=1).where(ResourceUse.id == number).execute()
        objects.answer(row, _answered(row.text, use))
    return True


def _answered(text: str, use: ResourceUse) -> str:
    """The event with the room's answer, where that was pending."""
    has = ResourceBooking.select().where(ResourceBooking.use == use.id).exists()
    invitations = TextInvitations(text)
    invitations.settled(use.resource.address, use.resource.kind, "ACCEPTED" if has else "DECLINED")
    return str(invitations)
