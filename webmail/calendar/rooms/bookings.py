"""Bookings: the rooms and things that an event asks for, taken in the transaction that writes the event, or left to who has them.

`plan` says beforehand what is taken and what is not, and how the event's text tells it; `apply` writes the rows. Between them
nobody else books: the rooms are locked. What is deleted gives back its rows with it (the tables' own rule).
"""

from __future__ import annotations

import time
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from webmail.calendar.rooms import attendees, limits, room_notices
from webmail.calendar.rooms.attendees import TextInvitations
from webmail.calendar.rooms.limits import RoomRefusalReason
from webmail.collections import store as collections
from webmail.database import locks
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.mime.formats.recurrence.occurrences import Taking
from webmail.models import (
    STEP,
    CalendarObject,
    Occurrence,
    Resource,
    ResourceBooking,
    ResourceSlot,
    ResourceUse,
    User,
)
from webmail.people.colleagues import may_write_as

MOST_SLOTS = 20_000  # rows of one event in one room: four and a half hours on each day of a year
_PIECE = 200  # rows of one statement
_OVER, _OLD = 30 * 86_400, 400 * 86_400  # seconds
_MOST_POSITIONS = 20  # of things of which there were more that are alike
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Booker:
    """Who writes an event; None: whoever booked before goes on, and nothing new is booked. `zone`: of days. `optional`: the event
    is written without the rooms that it can't have, which its page tells; else it is refused where it gets none of what is new.
    """

    user: User | None
    zone: tzinfo
    optional: bool = False


@dataclass(frozen=True, slots=True)
class RoomRefusal:
    """A time at which a room or thing is not booked, in seconds since 1970."""

    resource: Resource
    reason: RoomRefusalReason
    start: int
    end: int


class RoomRefusedError(ValueError):
    """An event gets nothing of a room or thing that it asks for anew."""

    def __init__(self, refusals: Sequence[RoomRefusal]) -> None:
        super().__init__(f"{refusals[0].resource.name[:60]}: {refusals[0].reason}")
        self.refusals = refusals


@dataclass(slots=True)
class PlannedUse:
    resource: Resource
    existing: ResourceUse | None
    user: int | None
    until: int
    refused: bool
    stay: list[int] = field(default_factory=list)  # bookings, by `id`
    new: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """`text`: the event with the answers of its rooms."""

    text: str
    uses: list[PlannedUse] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)


def span_of(start: int, end: int, whole_day: bool, zone: tzinfo) -> Span:
    """When something is, in seconds since 1970: whole days begin at midnight where the establishment is."""
    if whole_day:
        start, end = (int(datetime.fromtimestamp(at, UTC).replace(tzinfo=zone).timestamp()) for at in (start, end))
    return start, max(end, start + 1)


def slots_of(start: int, end: int) -> range:
    """The numbers of the five minutes that a time touches."""
    return range(start // STEP, -(-end // STEP))


def touching(start: int, end: int) -> Any:
    """The condition for bookings that have some of this time. None is longer than its rows may be, so an index finds them,
    however many there were before."""
    begun = ResourceBooking.start.between(start - MOST_SLOTS * STEP, end - 1)
    return begun & (ResourceBooking.end > start)


def lock(texts: Iterable[str], rows: Iterable[CalendarObject | None]) -> None:
    """Lock all rooms that several events have or ask for, before the first is written: in one order, so that nobody waits for
    somebody who waits for them. 2 queries where somebody is invited, else none.
    """
    named = {address for text in texts if attendees.invites(text) for address in attendees.invited(text)}
    numbers = [row.id for row in rows if row is not None and attendees.invites(row.text)]
    if named or numbers:
        used = ResourceUse.select(ResourceUse.resource).where(ResourceUse.object.in_(numbers))
        locks.rows(Resource, Resource.address.in_(sorted(named)) | Resource.id.in_(used))


def plan(
    calendar: int, text: str, takings: Sequence[Taking], recurring: bool, row: CalendarObject | None, booker: Booker | None
) -> Plan:
    """What of the rooms an event in a calendar gets, in a transaction. Raises RoomRefusedError.

    No query where nobody is invited; 2 where no room is.
    """
    before = _uses(row)
    named = attendees.invited(text) if booker is not None and attendees.invites(text) else set()
    found = Plan(text, gone=[one.id for one in before.values()])
    if not (named or before):
        return found
    numbers = locks.rows(Resource, Resource.address.in_(sorted(named)) | Resource.id.in_(list(before)))
    resources = [one for one in Resource.select().where(Resource.id.in_(numbers)) if one.address in named] if numbers else []
    if booker is None or not resources or not _organises(booker, calendar, text, before):
        return found
    invitations = TextInvitations(text)
    old = _spans_of(row, booker.zone) if row is not None and before else set()
    for resource in resources:
        existing = before.get(resource.id)
        if existing is None and booker.user is None:
            continue
        wanted = [(span_of(one.start, one.end, one.whole_day, booker.zone), one) for one in takings if one.status != "CANCELLED"]
        if invitations.is_varied:
            wanted = [(span, one) for span, one in wanted if resource.address in invitations.at(one.recurrence_id)]
        _plan_one(found, invitations, resource, existing, wanted, old if existing else set(), recurring, booker)
    found.text = str(invitations)
    return found


def _uses(row: CalendarObject | None) -> dict[int, ResourceUse]:
    if row is None or not row.text or not attendees.invites(row.text):  # of subscribed calendars it is not even read
        return {}
    return {one.resource_id: one for one in ResourceUse.select().where(ResourceUse.object == row.id)}


def _organises(booker: Booker, calendar: int, text: str, before: Mapping[int, ResourceUse]) -> bool:
    """Whether it is theirs to book for: a guest's copy of a meeting books nothing."""
    invite = attendees.organizers(text)
    if not invite:
        return True
    if booker.user is None:
        return bool(before)
    people = (booker.user, collections.owner(calendar))
    return any(all(may_write_as(person.address, address) for address in invite) for person in people)


def _spans_of(row: CalendarObject, zone: tzinfo) -> set[Span]:
    """When an event took place as it was before."""
    rows: Any = Occurrence.select(Occurrence.start, Occurrence.end, Occurrence.whole_day).where(Occurrence.object == row.id)
    return {span_of(start, end, bool(whole_day), zone) for start, end, whole_day in rows.tuples()}


def _plan_one(
    found: Plan, invitations: TextInvitations, resource: Resource, existing: ResourceUse | None,
    wanted: Sequence[tuple[Span, Taking]], old: set[Span], recurring: bool, booker: Booker,
) -> None:  # fmt: skip
    at = int(time.time())
    user = booker.user if existing is None or booker.user is not None and existing.user_id is None else existing.user
    until = limits.horizon(resource, at) if recurring else 0
    use = PlannedUse(resource, existing, user.id if user else None, until, bool(existing and existing.refused))
    has = {(one.start, one.end): one for one in _bookings(existing)} if existing else {}
    wanted = list({span: (span, one) for span, one in wanted if span in has or _is_due(span, old, at, until, booker)}.values())
    states, refusals = _given(use, wanted, has, old, at, booker)
    fresh = {span for span, _one in wanted if span not in old}
    if fresh and not booker.optional and fresh <= {(one.start, one.end) for one in refusals}:
        raise RoomRefusedError([one for one in refusals if (one.start, one.end) in fresh])
    if use.new:
        use.refused = False
    by_time: dict[str, set[str]] = defaultdict(set)
    for (_span, one), state in zip(wanted, states, strict=True):
        by_time[one.recurrence_id.upper()].add(state)
    invitations.answered(
        resource.address, resource.kind, _answer({state for some in by_time.values() for state in some}),
        {at: _answer(some) for at, some in by_time.items()},
    )  # fmt: skip
    if use.existing is not None:
        found.gone.remove(use.existing.id)
    found.uses.append(use)


def _is_due(span: Span, old: set[Span], at: int, until: int, booker: Booker) -> bool:
    """Whether a time that is not booked is to be: of a series those until then, and nothing that is over."""
    if until:
        return span[1] > at and span[0] < until
    return span[1] > at or not booker.optional and span not in old


def _answer(states: set[str]) -> str:
    """PARTSTAT of a room that has these."""
    return next((one for one in ("TENTATIVE", "ACCEPTED", "DECLINED") if one in states), "")


def _bookings(use: ResourceUse) -> list[ResourceBooking]:
    return list(ResourceBooking.select().where(ResourceBooking.use == use.id))


def _given(
    use: PlannedUse, wanted: Sequence[tuple[Span, Taking | Occurrence]], has: Mapping[Span, ResourceBooking], old: set[Span],
    at: int, booker: Booker,
) -> tuple[list[str], list[RoomRefusal]]:  # fmt: skip
    """How each time is answered, and why what is refused is; what is booked is noted in `use`."""
    resource, states, refusals = use.resource, [], []
    who = booker.user or (use.existing.user if use.existing else None)
    mine = limits.groups_of(who) if who is not None and resource.bookers else set()
    pending = limits.needs_approval(resource, who)
    new = [span for span, _one in wanted if span not in has]
    occupied = Occupied(resource, _others(resource, new, use.existing))
    room_left = MOST_SLOTS - sum(len(slots_of(*span)) for span in has)
    for span, one in wanted:
        if (booking := has.get(span)) is not None:
            use.stay.append(booking.id)
            occupied.add(booking.position, *span)
            states.append("TENTATIVE" if booking.pending else "ACCEPTED")
            continue
        reason = limits.refusal(resource, mine, *span, at)
        if reason is None and use.refused and span in old:
            reason = RoomRefusalReason.DECLINED
        position = occupied.free_position(*span) if reason is None else None
        if reason is None and len(slots_of(*span)) > room_left:
            reason = RoomRefusalReason.TOO_MANY
        if reason is None and position is None:
            reason = RoomRefusalReason.TAKEN
        if reason is not None or position is None:
            refusals.append(RoomRefusal(resource, reason or RoomRefusalReason.TAKEN, *span))
            states.append("DECLINED")
            continue
        room_left -= len(slots_of(*span))
        occupied.add(position, *span)
        values = {"start": span[0], "end": span[1], "position": position, "pending": int(pending)}
        use.new.append(values | {"recurrence_id": one.recurrence_id[:40]})
        states.append("TENTATIVE" if pending else "ACCEPTED")
    return states, refusals


def _others(resource: Resource, spans: Sequence[Span], but: ResourceUse | None) -> Any:
    """What others have booked around these times. 1 query, if there are any."""
    if not spans:
        return ()
    start, end = min(one[0] for one in spans) - STEP, max(one[1] for one in spans) + STEP
    rows: Any = ResourceBooking.select(ResourceBooking.position, ResourceBooking.start, ResourceBooking.end)
    others = (ResourceBooking.resource == resource.id) & (ResourceBooking.use != (but.id if but else 0))
    return rows.where(others, touching(start, end)).tuples()


class Occupied:
    """When a room, or each of several things that are alike, is booked: `taken` is (position, start, end) of each booking."""

    def __init__(self, resource: Resource, taken: Iterable[tuple[int, int, int]]) -> None:
        self._taken: dict[int, list[Span]] = {position: [] for position in range(max(resource.copies, 1))}
        for one in taken:
            self.add(*one)

    def add(self, position: int, start: int, end: int) -> None:
        taken = slots_of(start, end)
        if position in self._taken:
            insort(self._taken[position], (taken.start, taken.stop))

    def free_position(self, start: int, end: int) -> int | None:
        """The first of those that are alike that nobody has at this time."""
        asked = slots_of(start, end)
        for position, taken in self._taken.items():
            following = bisect_left(taken, (asked.start, asked.start))
            before = taken[following - 1][1] if following else asked.start
            after = taken[following][0] if following < len(taken) else asked.stop
            if before <= asked.start and after >= asked.stop:
                return position
        return None


def apply(found: Plan, number: int) -> None:
    """Write what was planned for an object (by `id`), in the same transaction."""
    if found.gone:
        ResourceUse.delete().where(ResourceUse.id.in_(found.gone)).execute()
    for use in found.uses:
        values = {"user": use.user, "booked_until": use.until, "refused": int(use.refused)}
        if use.existing is None:
            written = ResourceUse.insert(object=number, resource=use.resource.id, **values).execute()
        else:
            written = use.existing.id
            ResourceUse.update(**values).where(ResourceUse.id == written).execute()
            gone = (ResourceBooking.use == written) & ResourceBooking.id.not_in(use.stay)
            ResourceBooking.delete().where(gone if use.stay else ResourceBooking.use == written).execute()
        add(written, use.resource.id, use.new)


def add(use: int, resource: int, new: Sequence[Mapping[str, Any]]) -> None:
    """Write bookings of a use (by `id`), with their five minutes. Raises IntegrityError if somebody has them."""
    for at in range(0, len(new), _PIECE):
        ResourceBooking.insert_many([{"use": use, "resource": resource, **one} for one in new[at : at + _PIECE]]).execute()
    if not new:
        return
    starts = {(one["start"], one["end"]) for one in new}
    rows: Any = ResourceBooking.select(ResourceBooking.id, ResourceBooking.position, ResourceBooking.start, ResourceBooking.end)
    slots = [
        {"resource": resource, "position": position, "slot": slot, "booking": number}
        for number, position, start, end in rows.where(ResourceBooking.use == use).tuples()
        if (start, end) in starts
        for slot in slots_of(start, end)
    ]
    for at in range(0, len(slots), _PIECE):
        ResourceSlot.insert_many(slots[at : at + _PIECE]).execute()
    if any(one["pending"] for one in new):
        room_notices.ask(use)


# --- as time goes by -------------------------------------------------------------------------------------------------


def forget_old() -> None:
    """Delete the rows for five minutes of what has been over for a month, which keep nobody from booking, and bookings of more
    than a year ago. 1 query, and 2 for each room."""
    at = int(time.time())
    for number, copies in [(one.id, one.copies) for one in Resource.select()]:
        over = (ResourceSlot.resource == number) & ResourceSlot.position.in_(range(max(copies, _MOST_POSITIONS)))
        ResourceSlot.delete().where(over, ResourceSlot.slot < (at - _OVER) // STEP).execute()
        old = (ResourceBooking.resource == number) & (ResourceBooking.start < at - _OLD)
        ResourceBooking.delete().where(old, ResourceBooking.end < at - _OLD).execute()


def extend(zone: tzinfo, most: int = 500) -> int:
    """Book what is left of series up to the horizon, which has moved on; returns for how many. In short transactions."""
    at = int(time.time())
    rows: Any = ResourceUse.select(ResourceUse.id, ResourceUse.object, CalendarObject.collection).join(CalendarObject)
    begun = (ResourceUse.booked_until > 0) & (ResourceUse.booked_until < at + limits.HORIZON - 86_400)
    due = rows.where(begun, CalendarObject.last > ResourceUse.booked_until).order_by(ResourceUse.booked_until)
    return sum(_extend_one(use, number, calendar, zone) for use, number, calendar in list(due.limit(most).tuples()))


@begun_again
def _extend_one(use: int, number: int, calendar: int, zone: tzinfo) -> bool:
    """Whether there was something to go on with."""
    with db.atomic():
        collections.lock([calendar])
        row = ResourceUse.get_or_none(ResourceUse.id == use, ResourceUse.object == number)
        event = CalendarObject.get_or_none(CalendarObject.id == number, CalendarObject.collection == calendar)
        if row is None or event is None:  # it was deleted or moved meanwhile
            return False
        resource = row.resource
        locks.rows(Resource, Resource.id == resource.id)
        at = int(time.time())
        until = limits.horizon(resource, at)
        if until <= row.booked_until:
            return False
        coming = (Occurrence.object == number) & (Occurrence.status != "CANCELLED")
        coming &= (Occurrence.start >= row.booked_until - 86_400) & (Occurrence.start < until + 86_400)
        invitations = TextInvitations(event.text)
        wanted = [
            (span, one)
            for one in Occurrence.select().where(coming).order_by(Occurrence.start)
            if row.booked_until <= (span := span_of(one.start, one.end, bool(one.whole_day), zone))[0] < until
            and resource.address in invitations.at(one.recurrence_id)
        ]
        planned = PlannedUse(resource, row, row.user_id, until, bool(row.refused))
        if not row.refused:
            _given(planned, wanted, {}, set(), at, Booker(row.user, zone, optional=True))
        ResourceUse.update(booked_until=until).where(ResourceUse.id == use).execute()
        add(use, resource.id, planned.new)
    return True
