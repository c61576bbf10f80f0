"""Calendar views: importing these modules registers their routes."""

from webmail.calendar.blueprint import blueprint
from webmail.calendar.views import (
    calendars,
    event,
    event_form,
    event_times,
    event_transfer,
    event_words,
    from_message,
    meetings,
    search,
    show,
    undo,
    words,
)

__all__ = [
    "blueprint", "calendars", "event", "event_form", "event_times", "event_transfer", "event_words", "from_message", "meetings",
    "search", "show", "undo", "words",
]  # fmt: skip
