"""What of the rooms an event has, and at which of its times it has them not."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import tzinfo

from webmail.calendar.rooms import limits
from webmail.calendar.rooms.attendees import TextInvitations
from webmail.calendar.rooms.bookings import Span, span_of
from webmail.models import CalendarObject, Occurrence, Resource, ResourceBooking, ResourceUse

_MOST = 1000


@dataclass(frozen=True, slots=True)
class RoomState:
    """A room or thing of an event: when it is booked, and when it is not; `missing_at`: the names of these in their series."""

    use: ResourceUse
    booked: list[Span]
    missing: list[Span]
    missing_at: list[str]
    is_pending: bool

    @property
    def resource(self) -> Resource:
        resource: Resource = self.use.resource
        return resource

    @property
    def name(self) -> str:
        """In one word."""
        if self.is_pending:
            return "pending"
        return "booked" if self.booked else "refused" if self.missing else ""


def states(row: CalendarObject, at: str, zone: tzinfo) -> list[RoomState]:
    """Of each room that an event asks for, or one of a series (`at`). 3 queries, and 1 for each room."""
    mine = ResourceUse.select(ResourceUse, Resource).join(Resource).where(ResourceUse.object == row.id)
    uses = list(mine.order_by(Resource.kind, Resource.sort))
    if not uses:
        return []
    invitations, now = TextInvitations(row.text), int(time.time())
    chosen = (Occurrence.object == row.id) & (Occurrence.status != "CANCELLED")
    chosen &= (Occurrence.recurrence_id == at) if at else (Occurrence.end > now - 86_400)
    times = list(Occurrence.select().where(chosen).order_by(Occurrence.start).limit(_MOST))
    return [_state(use, times, invitations, zone, now) for use in uses]


def _state(use: ResourceUse, times: list[Occurrence], invitations: TextInvitations, zone: tzinfo, now: int) -> RoomState:
    rows = ResourceBooking.select().where(ResourceBooking.use == use.id)
    has = {(one.start, one.end): one for one in rows}
    booked: list[Span] = []
    missing: list[tuple[Span, str]] = []
    until = limits.horizon(use.resource, now)
    for one in times:
        span = span_of(one.start, one.end, bool(one.whole_day), zone)
        if span in has:
            booked.append(span)
        elif (
            span[1] > now
            and (not use.booked_until or span[0] < min(until, use.booked_until))
            and use.resource.address in invitations.at(one.recurrence_id)
        ):
            missing.append((span, one.recurrence_id))
    pending = any(has[span].pending for span in booked)
    return RoomState(use, booked, [span for span, _at in missing], [at for _span, at in missing], pending)
