"""The reminder that new events of a calendar begin with, on the calendar's page (`calendar/_usual_reminders.html`)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.calendar import editing
from webmail.calendar.blueprint import blueprint
from webmail.calendar.display.event_texts import reminder_words
from webmail.calendar.reminders import usual_reminders
from webmail.calendar.views.event import calendar_words
from webmail.preferences import CHOICES
from webmail.web.current import current_user, preferences
from webmail.web.notices import notify


@dataclass(frozen=True, slots=True)
class UsualReminder:
    """A field of the form: what is chosen, and what can be (value, words)."""

    name: str
    chosen: str
    choices: list[tuple[str, str]]


@blueprint.app_template_global()
def usual_reminder_fields(calendar: int) -> list[UsualReminder]:
    """For events with hours, and for whole days."""
    known = preferences()
    chosen = usual_reminders.in_calendars(known).get(calendar, (usual_reminders.AS_PREFERRED,) * 2)
    found = []
    for all_day, name in enumerate(usual_reminders.NAMES):
        hour = known.remind_hour if all_day else None
        usual = _("Your settings (%(when)s)", when=_reminder_text(getattr(known, name), hour))
        offered = [(str(one), _reminder_text(int(one), hour)) for one in CHOICES[name]]
        found.append(UsualReminder(name, chosen[all_day], [(usual_reminders.AS_PREFERRED, usual), *offered]))
    return found


def _reminder_text(minutes: int, hour: int | None) -> str:
    return _("No reminder") if minutes < 0 else reminder_words(minutes, hour)


@blueprint.post("/calendar/reminders/of/<int:number>")
def choose_reminders(number: int) -> Response:
    access = next((one for one in editing.calendars(current_user()) if one.collection.id == number), None)
    if access is None or not access.writes or not editing.takes_events(access):
        abort(404)
    usual_reminders.choose(current_user(), number, *(request.form.get(name, "") for name in usual_reminders.NAMES))
    notify(_("“%(name)s” saved.", name=calendar_words(access)))
    return redirect(url_for("collections.one", number=number), 303)
