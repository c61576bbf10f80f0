"""Rooms on pages of an event: the choice in its form, and what of them is booked."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.calendar import objects
from webmail.calendar.display.event_facts import EventFacts
from webmail.calendar.forms import MOST_ROOMS, EventForm
from webmail.calendar.rooms import event_bookings, free_rooms, limits, resources
from webmail.calendar.rooms.bookings import Span, span_of
from webmail.calendar.rooms.event_bookings import RoomState
from webmail.calendar.rooms.room_texts import choice_words, reason_words, span_words
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.calendars.event_edit import made_event
from webmail.models import Resource
from webmail.web.current import current_user, settings, time_zone

_MOST_MISSING = 10


@dataclass(frozen=True, slots=True)
class RoomOffer:
    """The choice in the form: what is chosen, with an empty one, and what can be, as groups of (address, words)."""

    chosen: list[str]
    groups: list[tuple[str, list[tuple[str, str]]]]


def offer(form: EventForm, facts: EventFacts | None) -> RoomOffer | None:
    """None where there is nothing to book, and nothing was. 1 query then, else 3."""
    found = resources.listed()
    foreign = {one.address: one.name or one.address for one in facts.fields.rooms} if facts else {}
    if not found and not foreign:
        return None
    spans = _spans(form, facts)
    told = free_rooms.choices(current_user(), spans, facts.row.id if facts else 0, found)
    free = [(one.resource.address, choice_words(one)) for one in told if one.is_free]
    others = [(one.resource.address, choice_words(one)) for one in told if not one.is_free]
    known = {address for address, _words in (*free, *others)}
    left = [(address, name) for address, name in foreign.items() if address not in known]
    title = _("Free at this time") if spans else _("Rooms")
    groups = [(title, free), (_("Not free at this time"), others), (_("Of others"), left)]
    chosen = [*form.rooms, ""][:MOST_ROOMS]
    return RoomOffer(chosen, [(label, options) for label, options in groups if options])


def _floating() -> tzinfo:
    return objects.zone_of(settings().timezone)


def _spans(form: EventForm, facts: EventFacts | None) -> list[Span]:
    """When the event would take place that is typed in the form, from now on; none where that can't be said."""
    known = replace(form, title=form.title or "-")
    found = known.fields(time_zone(), facts.fields if facts else None, facts.tz if facts else None)
    if found is None:
        return []
    if facts is not None and facts.at and form.scope == "one":
        found = replace(found, rule="")
    try:
        expansion = objects.prepared(str(made_event("-", found)), _floating()).expansion
    except (UnusableCalendarError, ValueError, LookupError):  # the last two: a zone that only the event itself knows
        return []
    at = int(time.time())
    spans = (span_of(one.start, one.end, one.whole_day, _floating()) for one in expansion.takings)
    return [one for one in spans if one[1] > at and (not found.rule or one[0] < at + limits.HORIZON)]


# --- the event's page ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MissingDate:
    """A date on which a room is not booked; `others`: names of free ones, with where they are chosen."""

    when: str
    why: str
    others: list[tuple[str, str]]


@dataclass(slots=True)
class BookedRoom:
    """A room of an event. `state`: "booked", "pending", "refused", "" where nothing is known of it; `number`: its `id`."""

    name: str
    state: str = ""
    number: int = 0
    day: str = ""
    words: str = ""
    missing: list[MissingDate] = field(default_factory=list)
    more: int = 0


def booked(facts: EventFacts) -> list[BookedRoom]:
    """The rooms and things of an event, or of one of a series. No query where it has none."""
    if not facts.fields.rooms:
        return []
    states = event_bookings.states(facts.row, facts.at, _floating())
    ours = {one.resource.address for one in states}
    others = [BookedRoom(one.name or one.address) for one in facts.fields.rooms if one.address not in ours]
    return [*(_told(facts, one) for one in states), *others]


def _told(facts: EventFacts, state: RoomState) -> BookedRoom:
    resource, missing = state.resource, state.missing
    first = (state.booked or missing or [(int(time.time()), 0)])[0][0]
    told = BookedRoom(resource.name, state.name, resource.id, datetime.fromtimestamp(first, time_zone()).date().isoformat())
    told.words = _state_words(state)
    if facts.recurs and not facts.at or not state.booked:
        shown = missing[:_MOST_MISSING]
        told.missing = [_missing(facts, state, span, at) for span, at in zip(shown, state.missing_at, strict=False)]
        told.more = len(missing) - len(shown)
    return told


def _state_words(state: RoomState) -> str:
    if state.name == "pending":
        approver: Any = state.resource.approver
        return (
            _("waiting for approval by %(person)s", person=approver.name or approver.address)
            if approver is not None
            else _("waiting for approval by an administrator")
        )
    if not state.booked:
        return _("not booked") if state.missing else ""
    if state.missing:
        booked_on = ngettext("booked on %(num)d date", "booked on %(num)d dates", len(state.booked))
        return ngettext(
            "%(booked)s, not on %(num)d date", "%(booked)s, not on %(num)d dates", len(state.missing), booked=booked_on
        )
    return _("booked")


def _missing(facts: EventFacts, state: RoomState, span: Span, at: str) -> MissingDate:
    when = span_words(span, time_zone())
    resource = state.resource
    why = (
        limits.RoomRefusalReason.DECLINED
        if state.use.refused
        else free_rooms.reason_for(current_user(), resource, span, facts.row.id)
    )
    said = reason_words(resource, why) if why else _("not booked, though it is free now: edit the event and save it")
    others = free_rooms.others_for(current_user(), resource, span) if facts.editable else []
    return MissingDate(when, said, [(one.name, _instead(facts, at, resource, one)) for one in others])


def _instead(facts: EventFacts, at: str, gone: Resource, other: Resource) -> str:
    """Where another room is chosen for one date."""
    rooms = [one.address if one.address != gone.address else other.address for one in facts.fields.rooms]
    row, at = facts.row, at if facts.recurs else ""
    return url_for("calendar.edit_event", calendar=row.collection_id, href=row.href, at=at or None, room=rooms)
