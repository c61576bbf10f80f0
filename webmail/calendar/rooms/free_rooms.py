"""Free rooms: which rooms and things a person may have at some times, for the form of an event and for searches."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from webmail.calendar.rooms import limits, resources
from webmail.calendar.rooms.bookings import Occupied, Span
from webmail.calendar.rooms.limits import RoomRefusalReason
from webmail.models import STEP, Resource, ResourceBooking, ResourceUse, User

MOST_TIMES = 60  # times of a series that are looked at: the first ones
_MOST_ROWS = 50_000
OTHERS = 3  # that are offered in place of a room that is taken


@dataclass(frozen=True, slots=True)
class RoomChoice:
    """A room or thing, at how many of the times it can be had, and the most frequent reason why not at the others."""

    resource: Resource
    free: int
    asked: int
    reason: RoomRefusalReason | None = None

    @property
    def is_free(self) -> bool:
        return self.free == self.asked


def choices(user: User, spans: Sequence[Span], but: int = 0, among: Sequence[Resource] | None = None) -> list[RoomChoice]:
    """All rooms and things, those first that are free at all of these times. `but`: an event (by `id`) whose bookings do not
    count, as it is the one that asks. 3 queries, 1 where there is nothing to book.
    """
    found = resources.listed() if among is None else list(among)
    spans = sorted(spans)[:MOST_TIMES]
    if not found:
        return []
    mine = limits.groups_of(user) if any(one.bookers for one in found) else set()
    taken = _taken(found, spans, but)
    at = int(time.time())
    told = [_choice(one, spans, taken.get(one.id, []), mine, at) for one in found]
    return sorted(told, key=lambda one: (not one.is_free, one.free == 0))


def _taken(found: Sequence[Resource], spans: Sequence[Span], but: int) -> dict[int, list[tuple[int, int, int]]]:
    taken: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    if spans:
        start, end = spans[0][0] - STEP, max(one[1] for one in spans) + STEP
        rows: Any = ResourceBooking.select(
            ResourceBooking.resource, ResourceBooking.position, ResourceBooking.start, ResourceBooking.end
        ).join(ResourceUse)
        touching = (ResourceBooking.start < end) & (ResourceBooking.end > start)
        mine = ResourceBooking.resource.in_([one.id for one in found]) if len(found) < 200 else ResourceBooking.resource > 0
        for number, *row in rows.where(mine, touching, ResourceUse.object != but).limit(_MOST_ROWS).tuples():
            taken[number].append((row[0], row[1], row[2]))
    return taken


def _choice(
    resource: Resource, spans: Sequence[Span], taken: Sequence[tuple[int, int, int]], mine: set[str], at: int
) -> RoomChoice:
    occupied = Occupied(resource, taken)
    reasons: Counter[RoomRefusalReason] = Counter()
    for span in spans:
        reason = limits.refusal(resource, mine, *span, at)
        if reason is None and occupied.free_position(*span) is None:
            reason = RoomRefusalReason.TAKEN
        if reason is not None:
            reasons[reason] += 1
    why = reasons.most_common(1)[0][0] if reasons else None
    return RoomChoice(resource, len(spans) - reasons.total(), len(spans), why)


def others_for(user: User, resource: Resource, span: Span) -> list[Resource]:
    """What is free in place of a room or thing: as large and with as much equipment first. 3 queries."""
    alike = [one for one in resources.listed() if one.kind == resource.kind and one.id != resource.id]
    free = [one.resource for one in choices(user, [span], among=alike) if one.is_free]
    wanted = set(resource.equipment.split("\n"))

    def worse(other: Resource) -> tuple[bool, int, bool, int]:
        lacks = len(wanted - set(other.equipment.split("\n")))
        return other.capacity < resource.capacity, lacks, other.site != resource.site, abs(other.capacity - resource.capacity)

    return sorted(free, key=worse)[:OTHERS]


def reason_for(user: User, resource: Resource, span: Span, but: int = 0) -> RoomRefusalReason | None:
    """Why a room or thing can't be had at a time; None where it can. 2 queries at most."""
    return choices(user, [span], but, [resource])[0].reason
