"""Host events: what something else than a page of the calendar keeps in somebody's own calendar, an event by its UID.

Other people count on its time, so it is moved and deleted by what keeps it alone: pages of the calendar and `/dav/` refuse to,
files that are imported leave it as it is, and so does another server, which gets it back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from webmail.calendar import editing, event_changes
from webmail.calendar.editing import Write
from webmail.collections import store as collections
from webmail.config.settings import Settings
from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.event_edit import EventFields
from webmail.mime.formats.recurrence.occurrences import Taking
from webmail.mime.formats.recurrence.series import CannotChangeError, series_of
from webmail.models import CalendarObject, Collection, Occurrence, User

UID = "appointment-"  # how the UIDs of what is kept begin
_KEEPERS: list[Callable[[str, int], int]] = []


class KeptHereError(ValueError):
    """A calendar has an event whose time other people count on. `number`: as its keeper knows it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"kept by {number}")
        self.number = number


def kept_by(keeper: Callable[[str, int], int]) -> None:
    """`keeper`: says for a UID and an account (by `id`) what number it knows the event by; 0: it is none of its own."""
    _KEEPERS.append(keeper)


def keeper_of(row: CalendarObject) -> int:
    """The number of what counts on this event's time; 0: nothing does. No query for any other event."""
    if not row.uid.startswith(UID):
        return 0
    return next((number for keeper in _KEEPERS if (number := keeper(row.uid, row.collection.user_id))), 0)


def check_none_kept(collection: Collection) -> None:
    """Before a whole calendar goes. 1 query, and some for each such event that is not over. Raises KeptHereError."""
    mine = (CalendarObject.collection == collection) & CalendarObject.uid.startswith(UID)
    rows = CalendarObject.select().join(Occurrence).where(mine, Occurrence.end > int(time.time())).distinct()
    for row in rows:
        if number := keeper_of(row):
            raise KeptHereError(number)


def would_move(row: CalendarObject, takings: Iterable[Taking]) -> bool:
    """Whether writing it so would move what other people count on. No query for any other event."""
    return bool(keeper_of(row)) and is_moved(row, takings)


def is_moved(row: CalendarObject, takings: Iterable[Taking]) -> bool:
    """Whether an event would take place at another time than it does. 1 query."""
    there = {(one.start, one.end) for one in Occurrence.select().where(Occurrence.object == row.id)}
    return there != {(one.start, one.end) for one in takings}


def keep(user: User, uid: str, wanted: EventFields | None, settings: Settings) -> None:
    """Have the event say this, None: take it out. What the person added themselves (a category, a reminder) stays.

    1 transaction. Raises as `editing.write`, and CannotChangeError.
    """
    row = _row(user, uid)
    if row is None and wanted is None:
        return
    if row is None and wanted is not None:
        calendar = collections.default_collection(user, collections.CALENDAR)
        writes = [event_changes.addition(calendar.id, uid, wanted)]
    elif row is not None and wanted is not None:
        writes = _changed(row, wanted)
    else:
        assert row is not None
        writes = [Write(row.collection_id, row.href, "", row.etag)]
    if writes:
        editing.write(user, writes, settings)


def _changed(row: CalendarObject, wanted: EventFields) -> list[Write]:
    series = series_of(row.text)
    if series.master is None:
        raise CannotChangeError("an exception without its series")
    before = event_edit.read(series.master, series.root)
    after = replace(
        before, title=wanted.title, start=wanted.start, end=wanted.end, zone=wanted.zone, place=wanted.place, notes=wanted.notes,
        rooms=wanted.rooms,
    )  # fmt: skip
    return event_changes.change(row, "", "all", before, after)[0] if after != before else []


def _row(user: User, uid: str) -> CalendarObject | None:
    own = [one.collection.id for one in editing.calendars(user) if one.rights == "own"]
    found: CalendarObject | None = CalendarObject.get_or_none(CalendarObject.uid == uid, CalendarObject.collection.in_(own))
    return found
