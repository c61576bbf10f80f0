"""Host times: when people who offer appointments have no time, whoever looks. Nothing but the times is told."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from webmail import preferences
from webmail.auth.address_owners import owners_of
from webmail.calendar import objects
from webmail.calendar.free_busy import absence_times, busy_people
from webmail.config.settings import Settings
from webmail.models import User

Span = tuple[int, int]
_FIRST, _LAST = 0, 1 << 52


def busy_times(hosts: Collection[User], start: int, end: int, settings: Settings, without_all: str) -> dict[int, list[Span]]:
    """When each of these people (by `id`) has something in their calendars, or is away, between two moments in seconds since
    1970. `without_all`: how the UIDs of events begin that take nobody's time. 8 queries, however many people."""
    found = {one.id: list[Span]() for one in hosts}
    if not found:
        return found
    first = next(iter(hosts))
    owners = {one.number: one for one in owners_of([one.address for one in hosts], first, [User.id.in_(list(found))]).values()}
    theirs = [one for number, one in owners.items() if number in found]
    zone = objects.zone_of(settings.timezone)
    spans = busy_people.spans_by_owner(None, theirs, start, end, zone, settings, "", without_all=without_all)
    for one in hosts:
        found[one.id] = [(span.start, span.end) for span in spans.get(one.id, ())] + absent_times(one)
    return found


def absent_times(user: User) -> list[Span]:
    """When somebody is away, as their absence says, whether or not their calendar shows it. No query."""
    known = absence_times.parse(preferences.value_in(user.preferences or "", "absence"))
    return [(_moment(known.start, _FIRST), _moment(known.until, _LAST))] if known is not None else []


def _moment(at: datetime | None, otherwise: int) -> int:
    return int(at.timestamp()) if at is not None else otherwise
