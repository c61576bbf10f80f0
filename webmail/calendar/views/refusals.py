"""Why an event can't be changed so, or any more (its share ended or was lowered, it was deleted), in words."""

from __future__ import annotations

from flask import request
from flask_babel import gettext as _

from webmail.calendar import objects
from webmail.calendar.display import event_facts
from webmail.calendar.display.event_facts import EventFacts, NotEditableError, WhyNot
from webmail.calendar.display.event_texts import kept_link
from webmail.calendar.views.event import calendar_words
from webmail.web.current import current_user, settings
from webmail.web.notices import notify


def editable_here(calendar: int, href: str, at: str | None = None) -> EventFacts:
    """An event that the person may change, `at` of the query if none is given. Raises NotEditableError."""
    at = request.args.get("at", "") if at is None else at
    return event_facts.editable(current_user(), calendar, href, at, objects.zone_of(settings().timezone))


def status_of(lost: NotEditableError) -> int:
    """403 for what they still read; 404 for what is not there for them."""
    return 403 if lost.access is not None and lost.access.reads and lost.why is not WhyNot.GONE else 404


def why_words(lost: NotEditableError) -> str:
    """What happened, in a sentence."""
    if lost.why is WhyNot.LOWERED and lost.access is not None:
        return _("You can no longer change events in “%(name)s”.", name=calendar_words(lost.access))
    return {
        WhyNot.GONE: _("This event is no longer in its calendar: it was deleted or moved in the meantime."),
        WhyNot.PRIVATE: _("This event is private: you can see only its time, and can’t change it."),
        WhyNot.HIDDEN: _("You have hidden the calendar of this event."),
        WhyNot.ENDED: _("The calendar of this event was deleted, or is no longer shared with you."),
    }.get(lost.why, _("This event can’t be changed here."))


def say_kept(number: int) -> None:
    """Of an event whose time other people count on: where it can be moved or cancelled."""
    words = _("Somebody has booked this appointment, so it can’t be moved or deleted in the calendar: they would not be told.")
    notify(words, "caution", link=kept_link(number))


def why_not(reason: str) -> str:
    """Why a series can't be changed so."""
    if reason == "rule":
        return _("A single event can’t repeat differently: choose this and the following events, or all.")
    if reason == "day":
        return _("The rule by which this event repeats can’t be moved to another day here. Change only this event, or its time.")
    if reason == "range":
        return _(
            "Another program changed several of these at the same time, so they can’t be split here. Choose this event, or all."
        )
    if reason == "term":
        return _("All of these dates are in the school holidays.")
    return _("This event is no longer part of the series.")
