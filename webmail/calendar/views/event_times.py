"""Another time for an event, without its form: what dragging it sends."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.calendar import editing, event_changes
from webmail.calendar.blueprint import blueprint
from webmail.calendar.event_facts import EventFacts
from webmail.calendar.forms import SCOPES, typed_moment
from webmail.calendar.objects import UidTaken
from webmail.calendar.views.event import event_url, facts_here, mine
from webmail.calendar.views.event_form import why_not
from webmail.calendar.views.undo import undo_of
from webmail.errors import LimitReached
from webmail.mime.formats.calendar_edit import EventFields
from webmail.mime.formats.calendar_object import UnusableCalendar
from webmail.mime.formats.calendar_series import CannotChange
from webmail.web.current import current_user, settings, time_zone
from webmail.web.notices import notify
from webmail.web.request_values import local_path

_LONGEST = timedelta(days=366)


@blueprint.post("/calendar/events/<int:calendar>/<href>/times")
def reschedule(calendar: int, href: str) -> Answer:
    """`start` and, if it is another, `end` (ISO, by the person's clock; days for whole days, `end` the last); `at` and `scope` of
    what recurs: one alone without it; `back`: where to go then.
    """
    access, row = mine(calendar, href)
    facts = facts_here(access, row, request.form.get("at", "")) if access.reads else None
    if facts is None or not facts.editable:
        abort(403 if access.reads else 404)
    back = redirect(local_path(request.form.get("back", "")) or url_for("calendar.show"), 303)
    after = _moved(facts, time_zone())
    if after is None:
        notify(_("The event can’t be at this time."), "caution")
        return back
    scope = request.form.get("scope", "one")
    scope = scope if facts.parted and scope in SCOPES else "one" if facts.at or not facts.recurs else "all"
    try:
        writes, _lost = event_changes.change(row, facts.at, scope, facts.fields, after)
        done = editing.write(current_user(), writes, settings())
    except CannotChange as error:
        notify(why_not(error.reason), "caution")
        return back
    except (editing.EventChangedElsewhere, editing.NotWritable, LimitReached, UidTaken, UnusableCalendar):
        notify(_("This event was changed elsewhere at the same moment. Try again."), "caution")
        return back
    shown = event_url(calendar, writes[-1].href, facts.at if scope == "one" else "")
    offered = undo_of(done, local_path(request.form.get("back", "")))
    said = _("“%(title)s” was moved.", title=facts.fields.title)
    notify(said, undo=offered, keep=45, link={"url": shown, "text": _("Show event"), "here": True})
    return back


def _moved(facts: EventFacts, zone: tzinfo) -> EventFields | None:
    """The fields with the times that were sent, by the clock of the event; None if they are none."""
    fields = facts.fields
    start = _by_clock(typed_moment(request.form.get("start", "")), facts.tz, zone)
    end = _by_clock(typed_moment(request.form.get("end", "")), facts.tz, zone) if request.form.get("end") else None
    if start is None or isinstance(start, datetime) != isinstance(fields.start, datetime):
        return None
    if end is None:
        # there are no later years
        room = datetime(9999, 1, 1) - start if isinstance(start, datetime) else date(9999, 1, 1) - start
        end = start + min(fields.length, room)
    if isinstance(end, datetime) != isinstance(start, datetime) or not timedelta(0) <= end - start <= max(
        _LONGEST, fields.length
    ):
        return None
    return replace(fields, start=start, end=end)


def _by_clock(moment: date | datetime | None, tz: tzinfo | None, zone: tzinfo) -> date | datetime | None:
    if not isinstance(moment, datetime) or tz is None:
        return moment
    return moment.replace(tzinfo=zone).astimezone(tz).replace(tzinfo=None)
