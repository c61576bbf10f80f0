"""Texts of several events: what quick entry understood, and the other events that a form stands for, in words."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import gettext as _

from webmail.calendar.display.event_texts import listed, repeat_words, when_words
from webmail.calendar.forms import EventForm, typed_day
from webmail.calendar.quick_entry import quick_entry, several
from webmail.web.current import time_zone
from webmail.web.formatting import day_in_full

_SOME_TIME = (datetime(2000, 1, 1), datetime(2000, 1, 1))


def understood(found: quick_entry.Understood | None) -> str:
    """What quick entry made of the words; "" without any."""
    if found is None:
        return ""
    zone = time_zone()
    whens = [when_words(start, end, zone) for start, end in ((found.start, found.end), *found.more)]
    skipped = _("not on %(days)s", days=listed([day_in_full(day) for day in found.skipped])) if found.skipped else ""
    return " · ".join(filter(None, [*whens, found.place, repeat_words(found.repeat, found.start), skipped]))


def others(form: EventForm) -> list[tuple[str, str]]:
    """The other events that the form stands for, and their words: the day alone where the hours are those of the form."""
    found = []
    for value in form.also:
        moments = several.moments_of(value, _SOME_TIME)
        if moments is not None:
            day = moments[0]
            short = day_in_full(day.date() if isinstance(day, datetime) else day)
            found.append((value, when_words(*moments, time_zone()) if "/" in value else short))
    return found


def skipped(form: EventForm) -> list[tuple[str, str]]:
    """The days on which the series does not take place, and their words."""
    found: list[tuple[str, date | None]] = [(value, typed_day(value)) for value in form.skip]
    return [(value, day_in_full(day)) for value, day in found if day]
