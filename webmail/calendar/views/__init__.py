"""Calendar views: importing these modules registers their routes."""

from webmail.calendar import event_words, subscription_words, words
from webmail.calendar.blueprint import blueprint
from webmail.calendar.views import (
    calendars,
    event,
    event_form,
    event_times,
    event_transfer,
    exports,
    from_message,
    imports,
    kept_forms,
    meetings,
    reminders,
    search,
    show,
    subscriptions,
    undo,
    usual_reminders,
)

__all__ = [
    "blueprint", "calendars", "event", "event_form", "event_times", "event_transfer", "event_words",
    "exports", "from_message", "imports", "kept_forms", "meetings", "reminders", "search", "show", "subscription_words",
    "subscriptions", "undo", "usual_reminders", "words",
]  # fmt: skip
