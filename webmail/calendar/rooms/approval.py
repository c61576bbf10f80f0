"""Approval: bookings that wait until somebody agrees. Nobody else gets the room meanwhile."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from webmail.calendar import objects
from webmail.calendar.rooms import limits
from webmail.calendar.rooms.attendees import TextInvitations
from webmail.calendar.rooms.public_titles import public_titles
from webmail.collections import store as collections
from webmail.database import locks
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.models import CalendarObject, Resource, ResourceBooking, ResourceUse, User

_MOST = 200


@dataclass(frozen=True, slots=True)
class WaitingUse:
    """An event that waits for a room: who asks, what for, and when."""

    use: ResourceUse
    title: str
    times: list[tuple[int, int]]

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
    """What waits for this person, the earliest first. 3 queries; 1 where they agree to nothing."""
    numbers = resources_of(user)
    if not numbers:
        return []
    rows = (
        ResourceBooking.select(ResourceBooking, ResourceUse, Resource)
        .join(ResourceUse)
        .join(Resource)
        .where(ResourceBooking.pending == 1, ResourceBooking.resource.in_(numbers))
        .order_by(ResourceBooking.start)
    )
    uses: dict[int, ResourceUse] = {}
    times: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for one in rows:
        uses.setdefault(one.use_id, one.use)
        times[one.use_id].append((one.start, one.end))
    titles = _titles([use.object_id for use in list(uses.values())[:_MOST]])
    return [WaitingUse(use, titles.get(use.object_id, ""), times[use.id]) for use in list(uses.values())[:_MOST]]


def _titles(numbers: list[int]) -> dict[int, str]:
    return {number: title for (number, _at), title in public_titles(numbers).items()}


@begun_again
def decide(user: User, number: int, *, agree: bool) -> bool:
    """Agree to all times of a use (by `id`) that wait, or give them back; False if nothing waits there for this person.

    The event's text says so in the same transaction.
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
        if row is None or not ResourceBooking.select().where(pending).exists():
            return False
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
