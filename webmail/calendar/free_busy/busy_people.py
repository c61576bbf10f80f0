"""Busy people: when each of several people has no time. Of those in the directory that the reader sees, and of nobody else.

Nothing but the times is told, except for titles in calendars that are shared with the reader. Whoever keeps their times to
themselves (a preference) is as one who is not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, NamedTuple

from webmail import preferences
from webmail.auth.address_owners import AddressOwner, owners_of
from webmail.calendar import editing, meeting_mail, objects
from webmail.calendar.display import happenings
from webmail.calendar.free_busy import absence_times, own_answers, working_hours
from webmail.calendar.free_busy.working_hours import WorkWeek
from webmail.collections import look
from webmail.collections import store as collections
from webmail.collections.store import Access
from webmail.config.settings import Settings
from webmail.database.prepared import Prepared, one_of
from webmail.itip import people
from webmail.mail import Address
from webmail.mime.formats.calendars.component_tree import parsed
from webmail.mime.headers.address_input import address_key
from webmail.models import CalendarObject, CalendarSubscription, Occurrence, User
from webmail.people.visibility import sight_of

MOST_PEOPLE = 100  # of one question
_MOST_ROWS = 20_000
_DAY = 86_400  # as much as a whole day may be elsewhere


PERHAPS, BUSY, ABSENT = 1, 2, 3


class BusySpan(NamedTuple):
    """Some time, in seconds since 1970. `level`: as above. `title`: "" where the reader may know of the time alone."""

    start: int
    end: int
    level: int
    title: str = ""


@dataclass(slots=True)
class PersonTimes:
    """When somebody has no time, the soonest first. `is_known`: whether that can be told; of outsiders it can't. `week`: when
    they work, as far as that is known."""

    person: Address
    is_known: bool = False
    spans: list[BusySpan] = field(default_factory=list)
    week: WorkWeek | None = None


def times_of(
    user: User, persons: Sequence[Address], start: int, end: int, zone: tzinfo, settings: Settings, without: str = ""
) -> list[PersonTimes]:
    """The times between `start` and `end` (seconds since 1970) of these people, as `user` may know them; whole days by the clock
    of `zone`. `without`: the UID of a meeting that is to be moved, and takes nobody's time who is invited by `user`, or by those
    in whose calendars they write. 8 queries at most, however many people there are, those of `visibility.sight_of`, and 3 for
    `without`.
    """
    found = [PersonTimes(one) for one in persons[:MOST_PEOPLE]]
    sight = sight_of(user, settings)
    wanted = [address_key(one.person.email) for one in found]
    owners = {
        address: owner
        for address, owner in owners_of(wanted, user, [] if sight.nobody else sight.accounts()).items()
        if owner.number == user.id or preferences.value_in(owner.preferences, "busy_shown")
    }
    for one in found:
        if owner := owners.get(address_key(one.person.email)):
            one.is_known, one.person = True, Address(one.person.name or owner.name, one.person.email)
    spans = spans_by_owner(user, list({one.number: one for one in owners.values()}.values()), start, end, zone, settings, without)
    for one in found:
        if owner := owners.get(address_key(one.person.email)):
            one.spans = sorted([*spans.get(owner.number, []), *_absence(owner.preferences, start, end)])
            one.week = working_hours.week_of(owner.preferences, settings)
    return found


def _absence(chosen: str, start: int, end: int) -> list[BusySpan]:
    """When somebody is away, who shows it in their calendar."""
    if not preferences.value_in(chosen, "absence_shown"):
        return []
    known = absence_times.parse(preferences.value_in(chosen, "absence"))
    bounds = known.bounds() if known else None
    return [BusySpan(*bounds, ABSENT)] if bounds and bounds[0] < end and bounds[1] > start else []


# --- what takes their time -------------------------------------------------------------------------------------------


def _rows() -> Any:
    columns = (
        Occurrence.object, Occurrence.collection, Occurrence.start, Occurrence.end, Occurrence.whole_day,
        Occurrence.recurrence_id, Occurrence.summary, Occurrence.busy, CalendarObject.etag, CalendarObject.public_etag,
        Occurrence.private, CalendarObject.uid,
    )  # fmt: skip
    return Occurrence.select(*columns).join(CalendarObject).where(Occurrence.busy > 0)


_touching = happenings.touching(_rows)
_counted_out = Prepared(
    lambda _slot: CalendarSubscription.select(CalendarSubscription.collection).where(
        one_of(CalendarSubscription.collection, "numbers"), CalendarSubscription.busy == 0
    )
)
_texts = Prepared(
    lambda _slot: CalendarObject.select(CalendarObject.id, CalendarObject.text).where(
        one_of(CalendarObject.id, "numbers"), CalendarObject.text.contains("ATTENDEE")
    )
)


def spans_by_owner(
    user: User | None, owners: Sequence[AddressOwner], start: int, end: int, zone: tzinfo, settings: Settings, without: str, *,
    without_all: str = "",
) -> dict[int, list[BusySpan]]:  # fmt: skip
    """The times of these people, by their `id`; titles as `user` may know them. `without_all`: how the UIDs of events begin that
    take nobody's time. 5 queries, and 1 for what recurs further away than the table reaches."""
    by_number = {one.number: one for one in owners}
    if not owners:
        return {}
    taking = {number: owner for number, owner, props in collections.calendars_of(by_number) if look.takes_time(props)}
    for (number,) in _counted_out.plain(numbers=list(taking)) if taking else ():
        del taking[number]
    accesses = editing.calendars(user) if user is not None else []
    seen = {one.collection.id: one.sight for one in accesses}
    rights = {number: seen.get(number, "busy") for number in taking}
    if not rights:
        return {}
    rows = _touching(rights, start - _DAY, end + _DAY, _MOST_ROWS)
    floating = objects.zone_of(settings.timezone)
    beyond, _whole, _slow = happenings.beyond(rights, start - _DAY, end + _DAY, floating)
    answers = _answers({row[0]: by_number[taking[row[1]]].addresses for row in rows})
    moved = _calendars_of_moved(without, rights, accesses, settings) if without else frozenset[int]()
    spans: dict[int, list[BusySpan]] = {}
    for number, calendar, begins, ends, whole_day, at, title, busy, etag, public_etag, private, uid in rows:
        if (uid == without and calendar in moved) or (without_all and uid.startswith(without_all)):
            continue
        level = busy
        if said := answers.get(number):
            level = own_answers.level_of(busy, said[at] if at in said else said.get("", ""))
        if level:
            right = rights[calendar]
            told = right == "own" or (right == "read" and (public_etag == etag if private is None else not private))
            span = _span(begins, ends, whole_day, level, title if told else "", zone)
            spans.setdefault(taking[calendar], []).append(span)
    for _number, calendar, begins, ends, whole_day, _at, _title, _place, busy, _status, _href, uid, *_rest in beyond:
        if busy and not (uid == without and calendar in moved):
            spans.setdefault(taking[calendar], []).append(_span(begins, ends, whole_day, busy, "", zone))
    return {owner: sorted(one for one in some if one.start < end and one.end > start) for owner, some in spans.items()}


def _calendars_of_moved(uid: str, rights: Mapping[int, str], accesses: Sequence[Access], settings: Settings) -> frozenset[int]:
    """In which calendars (by `id`) the meeting of this UID is that who asks moves: of nobody else's can they learn who is in it.
    3 queries; 2 more for each other whose calendar they write in and has it."""
    written = {one.collection.id: one.collection.user for one in accesses if one.writes}
    same = (CalendarObject.uid == uid[:255]) & CalendarObject.collection.in_([*rights, *written])
    rows: Any = CalendarObject.select(CalendarObject.collection, CalendarObject.text).where(same)
    texts = dict(rows.tuples())
    owners = {owner.id: owner for number, owner in written.items() if number in texts}
    me = {key for owner in owners.values() for key in meeting_mail.addresses_of(owner, settings)}
    return frozenset(number for number, text in texts.items() if number in written or _organizer(text) in me)


def _organizer(text: str) -> str:
    return next((key for event in parsed(text).parts("VEVENT") if (key := people.organizer(event))), "")


def _answers(objects_of: Mapping[int, Set[str]]) -> dict[int, dict[str, str]]:
    """What the owners of these objects (by `id`, with their addresses) answered, where they were asked. 1 query."""
    if not objects_of:
        return {}
    rows = _texts.plain(numbers=list(objects_of))
    return {number: found for number, text in rows if (found := own_answers.answers_in(text, objects_of[number]))}


def _span(start: int, end: int, whole_day: int, level: int, title: str, zone: tzinfo) -> BusySpan:
    if not whole_day:
        return BusySpan(start, end, level, title)
    first, last = (happenings.midnight(happenings.utc_day(at), zone) for at in (start, end))
    return BusySpan(first, last, level, title)
