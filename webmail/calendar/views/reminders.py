"""Reminders on pages: a banner on each, fetched by those that are open; a page with all of them; "later" and "done"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import schedule
from webmail.auth.guard import asked_by_pages
from webmail.calendar.blueprint import blueprint
from webmail.calendar.display.event_texts import when_words
from webmail.calendar.reminders import reminders
from webmail.calendar.views.event import event_url, moment_of
from webmail.models import now
from webmail.web.current import current_user, time_zone
from webmail.web.formatting import clock_time, local, long_date, today
from webmail.web.forms.request_values import local_path
from webmail.web.frame.areas import shows
from webmail.web.notices import notify
from webmail.web.rendering import fragment, page

MOST = 200
_MINUTES = {"10": 10, "60": 60}


@dataclass(frozen=True, slots=True)
class ReminderRow:
    id: int
    title: str
    when: str
    place: str
    url: str


@blueprint.get("/calendar/reminders/due")
@asked_by_pages
def due_now() -> Response:
    """The banner, for pages that are open: in place of theirs."""
    return fragment("calendar/_reminders.html", came=True)


def rows(most: int) -> list[ReminderRow]:
    return [_row(one) for one in reminders.due_on_pages(current_user(), most)]


def _row(on_page: reminders.OnPage) -> ReminderRow:
    begins, ends = (
        moment_of(on_page.start, on_page.whole_day),
        moment_of(max(on_page.end - on_page.whole_day * 86_400, on_page.start), on_page.whole_day),
    )
    when = when_words(begins, ends, time_zone())
    if isinstance(begins, datetime) and isinstance(ends, datetime) and begins.date() == ends.date() == today():
        when = f"{clock_time(begins)}–{clock_time(ends)}" if begins != ends else clock_time(begins)
    elif not isinstance(begins, datetime) and begins == ends == today():
        when = _("Today")
    is_todo = on_page.component == "VTODO"
    url = event_url(on_page.calendar, on_page.href, on_page.at, "todo.edit" if is_todo else "calendar.event")
    if is_todo and not shows("todo"):
        url = ""
    return ReminderRow(on_page.id, on_page.summary, when, on_page.location, url)


@blueprint.get("/calendar/reminders")
def show_reminders() -> Response:
    return page("calendar/reminders.html", rows=rows(MOST))


@blueprint.post("/calendar/reminders/<int:number>")
def answer_reminder(number: int) -> Response:
    """Done with one, or later: `until` is "done", "10" or "60" (minutes) or "tomorrow"."""
    chosen = request.form.get("until", "done")
    if (until := _until(chosen)) is None:
        reminders.done(current_user(), [number])
    elif reminders.put_off(current_user(), number, until):
        notify(_("You will be reminded again: %(when)s.", when=long_date(until)))
    return redirect(_back(), 303)


def _until(chosen: str) -> datetime | None:
    if chosen in _MINUTES:
        return now() + timedelta(minutes=_MINUTES[chosen])
    if chosen != "tomorrow":
        return None
    at = local(now())
    return schedule.stored(schedule.choices(at, before_evening=timedelta())["tomorrow"], at, timedelta(days=3))


@blueprint.post("/calendar/reminders/done")
def finish_reminders() -> Response:
    """Done with all that the page had."""
    known = [int(one) for one in request.form.getlist("known")[:MOST] if one.isdigit() and len(one) < 19]
    reminders.done(current_user(), known)
    return redirect(_back(), 303)


def _back() -> str:
    return local_path(request.form.get("back", "")) or url_for("calendar.show")
