"""Calendar views: importing these modules registers their routes."""

from webmail.calendar.blueprint import blueprint
from webmail.calendar.display import event_texts, page_texts
from webmail.calendar.subscriptions import texts
from webmail.calendar.views import (
    calendars,
    event,
    event_form,
    event_transfer,
    exports,
    from_message,
    imports,
    kept_forms,
    meetings,
    reminders,
    reschedule,
    search,
    show,
    subscriptions,
    undo,
    usual_reminders,
)
from webmail.calendar.views.guests import find_time, reminding
from webmail.calendar.views.rooms import approvals, event_rooms, rooms

__all__ = [
    "blueprint", "calendars", "event", "event_form", "reschedule", "event_transfer", "event_texts",
    "exports", "find_time", "from_message", "imports", "kept_forms", "meetings", "reminders", "search", "show",
    "texts", "reminding",
    "subscriptions", "undo", "usual_reminders", "page_texts", "rooms", "event_rooms", "approvals",
]  # fmt: skip
