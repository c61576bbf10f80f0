"""Changes of an event as what is to be written: of one of those that recur, this and the following, or all; moves and copies."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import tzinfo

from webmail.calendar.editing import Write
from webmail.mime.formats.calendars import calendar_object
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.calendars.component_tree import made, parsed
from webmail.mime.formats.calendars.event_edit import EventFields, made_event
from webmail.mime.formats.recurrence import occurrences, recurrence_edit, series, term_dates
from webmail.mime.formats.recurrence.term_dates import Holidays
from webmail.mime.formats.recurrence.whole_series import change_all
from webmail.models import CalendarObject

_LONG_AGO = 1 << 52


def new_uid() -> str:
    return str(uuid.uuid4())


def href_of(uid: str) -> str:
    """The name of a new event in its calendar."""
    return f"{uid}.ics"


def addition(calendar: int, uid: str, fields: EventFields, holidays: Holidays | None = None) -> Write:
    """A new event. `holidays`: in which a series does not take place. Raises CannotChangeError."""
    return Write(calendar, href_of(uid), _in_term(str(made_event(uid, fields)), holidays))


def change(
    row: CalendarObject, at: str, scope: str, before: EventFields, after: EventFields, uid: str = "",
    holidays: Holidays | None = None,
) -> tuple[list[Write], int]:  # fmt: skip
    """What changing an event comes to, the one that is to be shown then last; and how many changed ones of a series go with its
    rule. `scope`: "one", "following" (which make a series of this `uid`) or "all". `holidays`: in which a series does not take
    place. Raises CannotChangeError.
    """
    if scope == "following" and at and not series.is_first(row.text, at):
        uid = uid or new_uid()
        later = _counted(row.text, at, before, after)
        text, lost = change_all(series.from_on(term_dates.without(row.text), at, uid), before, later)
        earlier = series.end_before(row.text, at)
        return [_over(row, earlier), Write(row.collection_id, href_of(uid), _in_term(text, holidays))], lost
    if scope == "one":
        return [_over(row, series.change_one(row.text, at, before, after))], 0
    whole = term_dates.without(row.text)
    text, lost = change_all(whole, before, after)
    text = _in_term(text, holidays)
    if before == after:  # only what is left out may be another
        text = row.text if term_dates.same(text, row.text) else term_dates.touched(text)
    return [_over(row, text)], lost


def _in_term(text: str, holidays: Holidays | None) -> str:
    return text if holidays is None else term_dates.leave_out(text, holidays)


def _counted(text: str, at: str, before: EventFields, after: EventFields) -> EventFields:
    """A number of times that was typed is that of the whole series: those that are left take place."""
    parts = recurrence_edit.parts_of(after.rule)
    if after.rule == before.rule or "COUNT" not in parts or "COUNT" not in recurrence_edit.parts_of(before.rule):
        return after
    parts["COUNT"] = str(max(int(parts["COUNT"]) - series.count_before(text, at), 1))
    return replace(after, rule=recurrence_edit.text_of(parts))


def removal(row: CalendarObject, at: str, scope: str, floating: tzinfo, title: str = "") -> Write:
    """What taking out an event comes to; `title`: what that of a series is called in the trash. Raises CannotChangeError."""
    text = ""
    if at and scope == "one":
        text, parted = series.take_one(row.text, at), series.one_on
    elif at and scope == "following":
        text, parted = series.end_before(row.text, at), series.from_on
    if not text or _is_empty(text, floating):
        return _over(row, "")
    uid = new_uid()
    return replace(_over(row, text), taken=(uid, title, parted(row.text, at, uid)))


def _is_empty(text: str, floating: tzinfo) -> bool:
    """Whether nothing of a series takes place any more."""
    try:
        read = calendar_object.read(text)
        whole = occurrences.expand(read, 0, 0, floating)
        if whole.last >= _LONG_AGO:
            return False
        return not occurrences.expand(read, whole.first - 86_400, whole.last + 86_400, floating).takings
    except UnusableCalendarError:
        return False


def transfer(row: CalendarObject, calendar: int, *, copy: bool, form: str = "") -> list[Write]:
    """Into another calendar (by `id`), wholly, where something else may have its name; a copy has a UID of its own, which is the
    same for the same `form` (a UUID).
    """
    uid = str(uuid.uuid5(uuid.UUID(form), str(calendar))) if form else new_uid()
    if not copy:
        return [_over(row, ""), Write(calendar, href_of(uid), row.text)]
    root = parsed(row.text)
    for event in root.parts("VEVENT"):
        event.put(made("UID", uid))
    return [Write(calendar, href_of(uid), str(root))]


def _over(row: CalendarObject, text: str) -> Write:
    return Write(row.collection_id, row.href, text, row.etag)
