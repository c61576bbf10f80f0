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
from webmail.calendar.views.guests import deciding, find_time, guest_page, reminding, side_by_side
from webmail.calendar.views.rooms import approvals, event_rooms, rooms

NEED_NO_TOKEN = (guest_page.answer_as_guest,)  # for people without an account: a token takes a cookie

__all__ = [
    "NEED_NO_TOKEN", "guest_page",
    "blueprint", "calendars", "event", "event_form", "reschedule", "event_transfer", "event_texts",
    "exports", "find_time", "from_message", "imports", "kept_forms", "meetings", "reminders", "search", "show",
    "texts", "reminding", "side_by_side", "deciding",
    "subscriptions", "undo", "usual_reminders", "page_texts", "rooms", "event_rooms", "approvals",
]  # fmt: skip
