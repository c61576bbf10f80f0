"""Calendar views: importing these modules registers their routes."""

from webmail.calendar.blueprint import blueprint
from webmail.calendar.views import event, event_form, meetings

__all__ = ["blueprint", "event", "event_form", "meetings"]
