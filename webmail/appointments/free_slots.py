"""Free slots: at which times of an offer there is still a place: nobody has it, and its host has nothing else."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from webmail.appointments import offers
from webmail.appointments.offers import LIVE
from webmail.calendar.free_busy import host_times
from webmail.calendar.rooms import free_rooms
from webmail.config.settings import Settings
from webmail.models import (
    AppointmentBooking,
    AppointmentHost,
    AppointmentOffer,
    AppointmentSlot,
    BookingState,
    Resource,
    User,
)

Span = tuple[int, int]
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A time with a place. `left`: how many places."""

    row: AppointmentSlot
    host: AppointmentHost
    left: int


def is_open(offer: AppointmentOffer) -> bool:
    return offer.closed is None and offer.cancelled is None


def bookable_from(offer: AppointmentOffer, at: datetime) -> Span:
    """Between which moments (seconds since 1970) a slot may begin that is booked `at` this moment (naive UTC)."""
    begun = int(at.replace(tzinfo=UTC).timestamp())
    return begun + max(offer.notice * 3600, 1), begun + offer.ahead * _DAY if offer.ahead else 1 << 52


def listed(
    offer: AppointmentOffer, at: datetime, settings: Settings, *, number: int = 0, host: int = 0, anytime: bool = False
) -> list[FreeSlot]:
    """The slots with a place `at` a moment (naive UTC), the soonest first; or the one with this `id`, or those of one host.

    `anytime`: however short the notice. 15 queries at most.
    """
    if not is_open(offer):
        return []
    hosts = {one.id: one for one in offers.hosts_of(offer, agreed=True) if host in (0, one.id)}
    first, last = bookable_from(offer, at)
    if anytime:
        first, last = int(at.replace(tzinfo=UTC).timestamp()), 1 << 52
    chosen = (AppointmentSlot.offer == offer) & (AppointmentSlot.removed == 0) & AppointmentSlot.start.between(first, last)
    if number:
        chosen &= AppointmentSlot.id == number
    query = AppointmentSlot.select().where(chosen, AppointmentSlot.host.in_(list(hosts)))
    rows = list(query.order_by(AppointmentSlot.start, AppointmentSlot.id))
    taken = places(offer, at, number)
    left = {one.id: offer.capacity - len(taken.get(one.id, ())) for one in rows}
    rows = [one for one in rows if left[one.id] > 0]
    if not rows:
        return []
    busy = _busy(offer, rows, hosts, at, settings)
    rooms = _room_times(offer, rows)
    return [
        FreeSlot(one, hosts[one.host_id], left[one.id])
        for one in rows
        if not touches(busy[hosts[one.host_id].user_id], one.start, one.end)
        and (taken.get(one.id) or not touches(rooms, one.start, one.end))
    ]


def places(offer: AppointmentOffer, at: datetime, number: int = 0) -> dict[int, set[int]]:
    """Which places of each slot (by `id`) are held or booked. 1 query."""
    live = AppointmentBooking.state.in_(LIVE) & AppointmentBooking.position.is_null(False)
    live &= (AppointmentBooking.state == BookingState.BOOKED) | (AppointmentBooking.until > at)
    query: Any = AppointmentBooking.select(AppointmentBooking.slot, AppointmentBooking.position).where(
        AppointmentBooking.offer == offer, live
    )
    found: dict[int, set[int]] = defaultdict(set)
    for row, position in (query.where(AppointmentBooking.slot == number) if number else query).tuples():
        found[row].add(position)
    return found


def _busy(
    offer: AppointmentOffer, rows: Sequence[AppointmentSlot], hosts: dict[int, AppointmentHost], at: datetime, settings: Settings
) -> dict[int, Busy]:
    """When each host (by the `id` of their account) has something else: in their calendars, or booked or held elsewhere."""
    people: dict[int, User] = {hosts[one.host_id].user_id: hosts[one.host_id].user for one in rows}
    start, end = min(one.start for one in rows), max(one.end for one in rows)
    found = host_times.busy_times(list(people.values()), start, end, settings, offers.uid_prefix(offer))
    for user, span in _elsewhere(offer, people, start, end, at):
        found[user].append(span)
    return {user: Busy(spans) for user, spans in found.items()}


def _elsewhere(offer: AppointmentOffer, people: Iterable[int], start: int, end: int, at: datetime) -> list[tuple[int, Span]]:
    """What these people have in other offers, which is not, or not yet, in their calendars. 1 query."""
    live = (AppointmentBooking.state == BookingState.BOOKED) | (
        (AppointmentBooking.state == BookingState.HELD) & (AppointmentBooking.until > at)
    )
    query: Any = (
        AppointmentBooking.select(AppointmentHost.user, AppointmentSlot.start, AppointmentSlot.end)
        .join(AppointmentSlot)
        .join(AppointmentHost)
        .where(AppointmentBooking.offer != offer, live, AppointmentHost.user.in_(list(people)))
        .where(AppointmentSlot.start < end, AppointmentSlot.end > start)
    )
    return [(user, (begins, ends)) for user, begins, ends in query.tuples()]


def _room_times(offer: AppointmentOffer, rows: Sequence[AppointmentSlot]) -> Busy:
    resource: Resource | None = offer.resource
    if resource is None:
        return Busy([])
    start, end = min(one.start for one in rows), max(one.end for one in rows)
    return Busy(free_rooms.busy_times([resource.address], start, end).get(resource.address, []))


class Busy:
    """Times that are taken, in seconds since 1970: put together, so that each look at them is short."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self.spans: list[Span] = []
        for start, end in sorted(spans):
            if self.spans and start <= self.spans[-1][1]:
                self.spans[-1] = self.spans[-1][0], max(end, self.spans[-1][1])
            else:
                self.spans.append((start, end))


def touches(busy: Busy, start: int, end: int) -> bool:
    before = bisect_left(busy.spans, (end, 0)) - 1
    return before >= 0 and busy.spans[before][1] > start


def soon(at: datetime, hours: int) -> int:
    """The moment that is so many hours away, in seconds since 1970."""
    return int((at + timedelta(hours=hours)).replace(tzinfo=UTC).timestamp())
