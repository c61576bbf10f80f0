"""Invitations, and other events that come by mail: what of an invitation or a file is in somebody's calendar, and what taking it
in would write."""

from __future__ import annotations

from dataclasses import dataclass, field

from webmail.calendar import editing, event_changes
from webmail.calendar.editing import Write
from webmail.collections.store import Access
from webmail.mime.formats.calendars import calendar_split, calendar_updates
from webmail.mime.formats.calendars.component_tree import BrokenTextError
from webmail.models import CalendarObject

METHODS = ("", "publish", "request", "cancel")  # that can be taken in


@dataclass(frozen=True, slots=True)
class IncomingEvents:
    """A calendar part beside somebody's calendars. `known`: which of its events are there; `writes`: what taking it in writes."""

    method: str
    events: list[tuple[str, str]] = field(default_factory=list)  # UID, text
    known: list[CalendarObject] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)

    @property
    def is_usable(self) -> bool:
        return bool(self.events) and self.method in METHODS

    @property
    def first(self) -> CalendarObject | None:
        """The first of those that are there."""
        order = [uid for uid, _text in self.events]
        return min(self.known, key=lambda row: order.index(row.uid), default=None)


def read(text: str, calendars: list[Access]) -> IncomingEvents:
    """What the text of a calendar part comes to, beside the person's `calendars`. 1 query, if it is one."""
    try:
        method, events = calendar_split.events_in(text)
    except BrokenTextError:
        return IncomingEvents("")
    taking = IncomingEvents(method, events)
    return _beside(taking, calendars) if taking.is_usable else taking


def _beside(taking: IncomingEvents, calendars: list[Access]) -> IncomingEvents:
    own = [one.collection.id for one in calendars if one.rights == "own" and editing.takes_events(one)]
    own = own or [one.collection.id for one in calendars[:1]]
    same = CalendarObject.uid.in_([uid for uid, _text in taking.events])
    rows = CalendarObject.select().where(CalendarObject.collection.in_(own), same) if own else ()
    known = {row.uid: row for row in rows}
    writes = []
    for uid, text in taking.events:
        row = known.get(uid)
        if row is not None:
            after = (calendar_updates.cancelled if taking.method == "cancel" else calendar_updates.updated)(row.text, text)
            if after and after != row.text:
                writes.append(Write(row.collection_id, row.href, after, row.etag))
        elif taking.method != "cancel" and own:
            writes.append(Write(own[0], event_changes.href_of(event_changes.new_uid()), text))
    return IncomingEvents(taking.method, taking.events, list(known.values()), writes)
