"""Taking an event out, and putting it into another calendar."""

from __future__ import annotations

import re

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.calendar import editing, event_changes, objects, privacy
from webmail.calendar.blueprint import blueprint
from webmail.calendar.display import event_facts
from webmail.calendar.display.event_facts import EventFacts, NotEditableError, WhyNot
from webmail.calendar.display.event_texts import when_words
from webmail.calendar.forms import SCOPES
from webmail.calendar.free_busy import host_events
from webmail.calendar.guests import organising
from webmail.calendar.objects import UidTakenError
from webmail.calendar.views.event import calendar_words, day_url, event_url, facts_here, mine
from webmail.calendar.views.guests.guest_fields import invited_to, organises, tell
from webmail.calendar.views.refusals import say_kept, why_words
from webmail.calendar.views.undo import hidden_words, posting, undo_of
from webmail.collections.store import Access
from webmail.errors import LimitReachedError
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.recurrence.series import CannotChangeError
from webmail.models import CalendarObject
from webmail.web.current import current_user, settings, time_zone
from webmail.web.formatting import day_in_full
from webmail.web.notices import notify
from webmail.web.rendering import page

_FORM = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@blueprint.get("/calendar/events/<int:calendar>/<href>/delete")
def ask_to_delete(calendar: int, href: str) -> Answer:
    """Which of those that recur are to go."""
    access, row = mine(calendar, href)
    if access.private:
        return _say_private(calendar, href)
    if number := host_events.keeper_of(row):
        return _say_booked(number, calendar, href)
    return _question(_changeable(facts_here(access, row) if access.reads else None))


def _say_private(calendar: int, href: str) -> Answer:
    """Back to what they see of an event that they can't change."""
    notify(why_words(NotEditableError(WhyNot.PRIVATE)), "caution")
    return redirect(event_url(calendar, href), 303)


def _say_booked(number: int, calendar: int, href: str) -> Answer:
    say_kept(number)
    return redirect(event_url(calendar, href), 303)


def _question(facts: EventFacts, status: int = 200, error: str = "") -> Response:
    when = when_words(facts.begins, facts.ends, time_zone())
    organiser = organises(facts)
    guests = len(invited_to(facts, organiser)) if organiser else 0
    return page("calendar/event_delete.html", status, facts=facts, when=when, error=error, guests=guests)


def _changeable(facts: EventFacts | None) -> EventFacts:
    if facts is None or not facts.access.writes:
        abort(404 if facts is None else 403)
    return facts


def _to_change(calendar: int, href: str) -> tuple[Access, CalendarObject] | None:
    """An event; None if it is gone from a calendar that the person has, 404 for what is in any other."""
    try:
        return editing.load(current_user(), calendar, href)
    except editing.NoSuchEventError:
        if all(one.collection.id != calendar for one in editing.calendars(current_user())):
            abort(404)
        return None


@blueprint.post("/calendar/events/<int:calendar>/<href>/delete")
def delete_event(calendar: int, href: str) -> Answer:
    if (found := _to_change(calendar, href)) is None:  # a second click: the first one's notice offers undo
        return redirect(url_for("calendar.show"), 303)
    access, row = found
    at, floating = request.form.get("at", "")[:40], objects.zone_of(settings().timezone)
    if access.private:
        return _say_private(calendar, href)
    if not access.writes:
        abort(403 if access.reads else 404)
    if number := host_events.keeper_of(row):
        return _say_booked(number, calendar, href)
    facts = facts_here(access, row, at)
    if facts and facts.parted and request.form.get("scope", "") not in SCOPES:
        return _question(facts, 422, _("Choose what to delete."))
    scope = request.form.get("scope", "") if facts and facts.parted else "one" if facts and facts.at else "all"
    try:
        removal = event_changes.removal(row, at, scope, floating, _trash_title(facts, scope))
        posted = organising.write(
            current_user(), [removal], posting(request.form.get("note", "")[:2000], silent=bool(request.form.get("quiet"))),
            as_kept=True, is_stored=True,
        )  # fmt: skip
    except CannotChangeError as error:
        if facts is None or error.reason != "range":
            abort(404)
        return _question(
            facts, 422, _("Another program changed several of these at the same time. Delete only this one, or all.")
        )
    except editing.EventChangedElsewhereError:
        notify(_("This event was changed elsewhere at the same moment. Look at it again before you delete it."), "caution")
        return redirect(event_url(calendar, href, at), 303)
    except (editing.NotWritableError, LimitReachedError, UidTakenError, UnusableCalendarError):
        abort(403)
    title = facts.fields.title if facts else ""
    back = day_url(event_facts.day_of(facts, time_zone())) if facts else url_for("calendar.show")
    tell(posted, _("“%(title)s” was deleted.", title=title or _("No title")), back)
    return redirect(back, 303)


def _trash_title(facts: EventFacts | None, scope: str) -> str:
    """What the trash calls one of a series, or the rest of it: with its day, by which one is told from the others."""
    if facts is None:
        return ""
    title, day = facts.fields.title or _("No title"), day_in_full(event_facts.day_of(facts, time_zone()))
    return (
        _("%(title)s (%(day)s)", title=title, day=day) if scope == "one" else _("%(title)s (from %(day)s)", title=title, day=day)
    )


# --- into another calendar -------------------------------------------------------------------------------------------


@blueprint.get("/calendar/events/<int:calendar>/<href>/move")
def ask_to_move(calendar: int, href: str) -> Response:
    """Into which calendar."""
    access, row = mine(calendar, href)
    if not access.reads:
        abort(404)
    facts = facts_here(access, row, "")
    targets = [(one.collection.id, calendar_words(one)) for one in editing.writable(current_user())]
    return page(
        "calendar/event_move.html", facts=facts, access=access, row=row, title=facts.fields.title if facts else "",
        targets=[one for one in targets if one[0] != access.collection.id], here=calendar_words(access),
        form=event_changes.new_uid(),
    )  # fmt: skip


@blueprint.post("/calendar/events/<int:calendar>/<href>/move")
def move_event(calendar: int, href: str) -> Answer:
    """Move it, or with `action=copy` copy it, into the calendar `to`."""
    if (found := _to_change(calendar, href)) is None:  # a second click
        return redirect(url_for("calendar.show"), 303)
    access, row = found
    copy = request.form.get("action") == "copy"
    if access.private and not copy:
        return _say_private(calendar, href)
    if not access.reads or not (copy or access.writes):
        abort(403 if access.reads else 404)
    target = request.form.get("to", "")
    goals = {str(one.collection.id): one for one in editing.writable(current_user())}
    names = {number: calendar_words(one) for number, one in goals.items()}
    back = redirect(url_for("calendar.ask_to_move", calendar=calendar, href=href), 303)
    if target not in names or (not copy and target == str(calendar)):
        notify(_("Choose another calendar."), "caution")
        return back
    if not copy and privacy.will_be_hidden(goals[target], row.text):  # nobody loses sight of what is theirs so
        notify(_("In that calendar you would see only the time of this private event. Copy it instead."), "caution")
        return back
    form = request.form.get("form", "")
    if not copy and goals[target].collection.user_id != row.collection.user_id and (number := host_events.keeper_of(row)):
        return _say_booked(number, calendar, href)
    writes = event_changes.transfer(row, int(target), copy=copy, form=form if copy and _FORM.fullmatch(form) else "")
    try:
        done = editing.write(current_user(), writes, settings(), as_kept=True, rooms_optional=True)
    except UidTakenError:
        notify(_("This event is already in that calendar."), "caution")
        return back
    except LimitReachedError:
        notify(_("There is no room left in this calendar. Delete some events first."), "danger")
        return back
    except editing.EventChangedElsewhereError:
        if copy:  # a second click: the first one made it
            return redirect(event_url(int(target), writes[-1].href), 303)
        notify(_("This event was changed elsewhere at the same moment. Try again."), "caution")
        return back
    except (editing.NotWritableError, UnusableCalendarError):
        abort(403)
    words = _("Copied to “%(name)s”.", name=names[target]) if copy else _("Moved to “%(name)s”.", name=names[target])
    notify(words + hidden_words(done), undo=undo_of(done))
    return redirect(event_url(int(target), writes[-1].href), 303)
