"""School holidays for the form of an event: which are known in somebody's zone, and what is said of them."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.calendar.display import special_days
from webmail.calendar.display.event_facts import EventFacts
from webmail.calendar.display.event_texts import school_zone_words
from webmail.calendar.forms import EventForm
from webmail.mime.formats.recurrence.series import series_of
from webmail.mime.formats.recurrence.term_dates import Holidays, left_out
from webmail.web.current import preferences, settings
from webmail.web.formatting import day_in_full


def holidays_here(facts: EventFacts | None = None) -> Holidays:
    """Those that a series leaves out: of its zone, or of the person's."""
    zone = facts.term.zone if facts is not None and facts.term is not None else preferences().school_zone
    found = special_days.school_holidays(zone, settings().holidays, settings().instance)
    return Holidays(zone, tuple((one.begin, one.end) for one in found))


def wanted(form: EventForm, facts: EventFacts | None = None) -> Holidays | None:
    """Those in which what was typed is not to take place."""
    return holidays_here(facts) if form.term and form.repeat else None


def as_before(facts: EventFacts) -> Holidays | None:
    """Those that a series leaves out already."""
    return holidays_here(facts) if facts.term is not None else None


def choice_words(facts: EventFacts | None) -> tuple[str, str]:
    """The words of the choice, and what is known of these holidays; "" where none are."""
    known = holidays_here(facts)
    if known.end is None:
        return "", ""
    words = _("Not in the school holidays (%(zone)s)", zone=school_zone_words(known.zone)) if known.zone else _(
        "Not in the school holidays that are the same in all zones"
    )  # fmt: skip
    last = day_in_full(known.end - timedelta(days=1))
    return words, _("The last ones known today end on %(day)s. Save the event again to leave out later ones.", day=last)


def left_out_words(text: str) -> str:
    """How much a series that was saved leaves out; "" for nothing."""
    found = left_out(series_of(text).master)
    if found is None or not found.days:
        return ""
    first, last = day_in_full(found.days[0]), day_in_full(found.days[-1])
    days = first if len(found.days) == 1 else _("%(first)s to %(last)s", first=first, last=last)
    return ngettext(
        "%(num)d date in the school holidays is left out (%(days)s).",
        "%(num)d dates in the school holidays are left out (%(days)s).", len(found.days), days=days,
    )  # fmt: skip
