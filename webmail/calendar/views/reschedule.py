"""Another time for an event, without its form: what dragging it sends."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.calendar import editing, event_changes
from webmail.calendar.blueprint import blueprint
from webmail.calendar.display.event_facts import EventFacts, NotEditableError
from webmail.calendar.display.event_texts import when_words
from webmail.calendar.forms import SCOPES, typed_moment
from webmail.calendar.free_busy import host_events
from webmail.calendar.guests import organising
from webmail.calendar.objects import UidTakenError
from webmail.calendar.rooms.bookings import RoomRefusedError
from webmail.calendar.rooms.room_texts import refused_words
from webmail.calendar.views import term
from webmail.calendar.views.event import event_url
from webmail.calendar.views.guests.guest_fields import tell
from webmail.calendar.views.refusals import editable_here, say_kept, why_not, why_words
from webmail.calendar.views.undo import posting
from webmail.errors import LimitReachedError
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.calendars.event_edit import EventFields
from webmail.mime.formats.recurrence.series import CannotChangeError
from webmail.rate_limits import TooManyRequestsError
from webmail.web.current import current_user, time_zone
from webmail.web.forms.request_values import local_path
from webmail.web.notices import notify
from webmail.web.responses.too_many import with_again

_LONGEST = timedelta(days=366)


@blueprint.post("/calendar/events/<int:calendar>/<href>/times")
def reschedule(calendar: int, href: str) -> Answer:
    """`start` and, if it is another, `end` (ISO, by the person's clock; days for whole days, `end` the last; a `start` of a day
    alone leaves the hour as it is); `at` and `scope` of what recurs: one alone without it; `revision`: the event's as the page
    showed it (how its etag begins), which is as it is now if it is not sent; `back`: where to go then.
    """
    back = redirect(local_path(request.form.get("back", "")) or url_for("calendar.show"), 303)
    try:
        return _move(editable_here(calendar, href, request.form.get("at", "")), back)
    except (editing.EventChangedElsewhereError, editing.NotWritableError, UidTakenError):
        return _changed_meanwhile(calendar, href, back)
    except NotEditableError as lost:
        return _lost(lost, back)


def _move(facts: EventFacts, back: Answer) -> Answer:
    """Raises EventChangedElsewhereError, NotWritableError, UidTakenError."""
    after = _moved(facts, time_zone())
    if not facts.row.etag.startswith(request.form.get("revision", "")):
        if after == facts.fields:  # sent twice: the first one moved it
            return back
        raise editing.EventChangedElsewhereError("it is not as the page showed it")
    if after is None:
        notify(_("The event can’t be at this time."), "caution")
        return back
    if number := host_events.keeper_of(facts.row):
        say_kept(number)
        return back
    scope = request.form.get("scope", "one")
    scope = scope if facts.parted and scope in SCOPES else "one" if facts.at or not facts.recurs else "all"
    try:
        writes, _dropped = event_changes.change(facts.row, facts.at, scope, facts.fields, after, holidays=term.as_before(facts))
        posted = organising.write(current_user(), writes, posting())
    except CannotChangeError as error:
        notify(why_not(error.reason), "caution")
        return back
    except RoomRefusedError as error:
        notify(_("Nothing was moved.") + " " + refused_words(error.refusals, time_zone()), "caution")
        return back
    except TooManyRequestsError as error:
        notify(with_again(_("These are more people than you may write to at the moment."), error), "danger")
        return back
    except LimitReachedError:
        notify(_("There is no room left in this calendar. Delete some events first."), "danger")
        return back
    except UnusableCalendarError:
        notify(_("The event can’t be at this time."), "caution")
        return back
    shown = event_url(facts.row.collection_id, writes[-1].href, facts.at if scope == "one" else "")
    said = _("“%(title)s” was moved.", title=facts.fields.title)
    tell(posted, said, local_path(request.form.get("back", "")), link={"url": shown, "text": _("Show event"), "here": True})
    return back


def _changed_meanwhile(calendar: int, href: str, back: Answer) -> Answer:
    """Say how the event is now, as the page shows it that comes next."""
    try:
        facts = editable_here(calendar, href, request.form.get("at", ""))
    except NotEditableError as lost:
        return _lost(lost, back)
    words = _(
        "“%(title)s” was changed elsewhere in the meantime, so it was not moved. It is now: %(when)s.",
        title=facts.fields.title or _("No title"), when=when_words(facts.begins, facts.ends, time_zone()),
    )  # fmt: skip
    notify(words, "caution", link={"url": event_url(calendar, href, facts.at), "text": _("Show event"), "here": True})
    return back


def _lost(lost: NotEditableError, back: Answer) -> Answer:
    notify(why_words(lost) + " " + _("Nothing was moved."), "caution")
    return back


def _moved(facts: EventFacts, zone: tzinfo) -> EventFields | None:
    """The fields with the times that were sent, by the clock of the event; None if they are none."""
    fields = facts.fields
    start = typed_moment(request.form.get("start", ""))
    if isinstance(start, date) and not isinstance(start, datetime) and isinstance(facts.begins, datetime):
        shown = facts.begins.astimezone(zone) if facts.begins.tzinfo else facts.begins
        start = datetime.combine(start, shown.time())
    start = _by_clock(start, facts.tz, zone)
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
