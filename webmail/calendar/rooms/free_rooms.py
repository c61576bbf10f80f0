"""Free rooms: which rooms and things a person may have at some times, for the form of an event and for searches."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from webmail.calendar.rooms import limits, resources
from webmail.calendar.rooms.bookings import Occupied, Span, touching
from webmail.calendar.rooms.limits import RoomRefusalReason
from webmail.mime.headers.address_input import address_key
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
        mine = ResourceBooking.resource.in_([one.id for one in found]) if len(found) < 200 else ResourceBooking.resource > 0
        for number, *row in rows.where(mine, touching(start, end), ResourceUse.object != but).limit(_MOST_ROWS).tuples():
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


def busy_times(addresses: Iterable[str], start: int, end: int) -> dict[str, list[Span]]:
    """When those of these addresses that are rooms or things can't be had between two moments, since all that are alike are
    booked; a closed one never can. 2 queries, 1 where none is."""
    known = resources.by_address(addresses)
    taken = _taken(list(known.values()), [(start, end)], 0) if known else {}
    found: dict[str, list[Span]] = {}
    for address in addresses:
        resource = known.get(address_key(address))
        if resource is not None:
            found[address] = [(start, end)] if resource.closed else _all_taken(resource, taken.get(resource.id, []))
    return found


def _all_taken(resource: Resource, taken: Iterable[tuple[int, int, int]]) -> list[Span]:
    """Between which moments as many are booked as there are."""
    edges = sorted(edge for _position, start, end in taken for edge in ((start, 1), (end, -1)))
    found: list[Span] = []
    count, since = 0, 0
    for at, step in edges:
        if count >= resource.copies and at > since:
            found.append((since, at))
        count, since = count + step, at
    return found
