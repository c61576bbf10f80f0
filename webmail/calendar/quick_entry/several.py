"""Several events of one form: the same on other days or at other hours, and days of a series on which it does not take place."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from webmail.calendar import event_changes
from webmail.calendar.editing import Write
from webmail.calendar.repeat import first_day, repeat_of
from webmail.mime.formats.calendars.event_edit import EventFields
from webmail.mime.formats.recurrence import series
from webmail.mime.formats.recurrence.term_dates import Holidays

MOST = 20
_LONGEST = timedelta(days=366)

Moments = tuple[date | datetime, date | datetime]


def value_of(moments: Moments, first: Moments) -> str:
    """What the form says of another one: its day alone where its hours, or its number of days, are those of the first."""
    start, end = moments
    if _alike(moments, first):
        return _day(start).isoformat()
    return f"{_text(start)}/{_text(end)}"


def moments_of(value: str, first: Moments) -> Moments | None:
    """When another one takes place, by what the form says; None if that can't be read."""
    begins, _slash, ends = value.partition("/")
    try:
        if not ends:
            return _moved(first, date.fromisoformat(begins))
        if len(begins) == 10:
            start, end = date.fromisoformat(begins), date.fromisoformat(ends)
            found: Moments = (start, end)
        else:
            found = (datetime.fromisoformat(begins), datetime.fromisoformat(ends))
        if not timedelta(0) <= _time(found[1]) - _time(found[0]) <= _LONGEST or not 1900 <= found[0].year <= 2200:
            return None
    except (ValueError, TypeError, OverflowError):
        return None
    if not isinstance(first[0], datetime) and isinstance(found[0], datetime):  # "All day" was ticked
        return _moved(first, found[0].date())
    return found


def writes(
    calendar: int, uid: str, fields: EventFields, others: Iterable[str], skipped: Iterable[str], holidays: Holidays | None = None
) -> list[Write]:
    """What is to be written: the event of this UID, and those `others`, whose UIDs follow from it. Raises CannotChangeError."""
    first = (fields.start, fields.end)
    found = [event_changes.addition(calendar, uid, fields, holidays)]
    for value in list(dict.fromkeys(others))[:MOST]:
        moments = moments_of(value, first)
        if moments is None or moments == first:
            continue
        one = replace(fields, start=moments[0], end=moments[1])
        found.append(event_changes.addition(calendar, str(uuid.uuid5(uuid.UUID(uid), value)), one, holidays))
    days = [day for value in list(dict.fromkeys(skipped))[:MOST] if (day := _date(value))] if fields.rule else []
    return [replace(one, text=_without(one.text, days, fields)) for one in found]


def _without(text: str, days: list[date], fields: EventFields) -> str:
    """A series without these days. Raises CannotChangeError."""
    repeat = repeat_of(fields.rule, fields.start, None)
    for day in days:
        if first_day(repeat, day) != day or day < _day(fields.start):  # it does not take place then anyway
            continue
        start = series.series_of(text).start.at
        at = f"{day:%Y%m%d}T{start:%H%M%S}" if isinstance(start, datetime) else f"{day:%Y%m%d}"
        text = series.take_one(text, at) or text
    return text


def _date(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _time(moment: date | datetime) -> datetime:
    return moment.replace(tzinfo=None) if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day)


def _text(moment: date | datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M") if isinstance(moment, datetime) else moment.isoformat()


def _alike(moments: Moments, other: Moments) -> bool:
    return _moved(other, _day(moments[0])) == moments


def _moved(moments: Moments, day: date) -> Moments | None:
    if not 1900 <= day.year <= 2200:
        return None
    more = day - _day(moments[0])
    return moments[0] + more, moments[1] + more
