"""The page of one event, or of one of those that recur."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, tzinfo

from flask import Response, abort, request, url_for

from webmail.calendar import editing, objects
from webmail.calendar.blueprint import blueprint
from webmail.calendar.display import event_facts
from webmail.calendar.display.event_facts import EventFacts
from webmail.calendar.display.event_texts import elsewhere_words, privacy_words, series_words, status_words, when_words
from webmail.calendar.views.guests.guest_fields import answers_words, proposals_of, tracked_answers
from webmail.calendar.views.rooms import event_rooms
from webmail.collections import look
from webmail.collections.store import Access
from webmail.mime.formats.calendars import event_links
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.recurrence import series
from webmail.mime.headers.address_text import address_text
from webmail.models import CalendarObject, Occurrence
from webmail.web.current import current_user, settings, time_zone
from webmail.web.rendering import page
from webmail.web.responses import downloads

MOST_NEXT = 5
blueprint.app_template_global("host_of")(event_links.host_of)


@blueprint.get("/calendar/events/<int:calendar>/<href>")
def event(calendar: int, href: str) -> Response:
    """An event; `at` in the query: which one of those that recur, by its RECURRENCE-ID."""
    access, row = mine(calendar, href)
    if not access.reads:
        return _busy_page(access, row)
    facts = facts_here(access, row)
    if facts is None:
        title = title_of(access, row)
        return page("calendar/event.html", facts=None, title=title, calendar=calendar_words(access), back=_back(None))
    fields, zone, tracked = facts.fields, time_zone(), tracked_answers(facts)
    asked = [one.person for one in facts.people]
    return page(
        "calendar/event.html", facts=facts, title=fields.title, calendar=calendar_words(access), back=_back(facts),
        when=when_words(facts.begins, facts.ends, zone), elsewhere=elsewhere_words(facts, zone),
        repeats=series_words(facts), state=status_words(fields.status),
        privacy=privacy_words(fields.privacy), following=_following(facts), to=address_text(asked) if asked else "",
        exceptions=[(when_words(one.when, one.when, zone), _moved_words(one.moved, zone), one.title) for one in facts.exceptions],
        ours=request.args.get("at") or "", tracked=tracked, answers=answers_words(tracked) if tracked else "",
        rooms=event_rooms.booked(facts), proposals=proposals_of(facts, tracked),
    )  # fmt: skip


@blueprint.get("/calendar/events/<int:calendar>/<href>/attached/<int:number>")
def attached_file(calendar: int, href: str, number: int) -> Response:
    """A file that a device put into an event, to save: it is never shown, nor run, on our pages."""
    access, row = mine(calendar, href)
    facts = facts_here(access, row) if access.reads else None
    if facts is None:
        abort(404)
    found = event_links.content(series.component_at(series.series_of(row.text), facts.at), number)
    if found is None:
        abort(404)
    response = downloads.named(found[1], "application/octet-stream", found[0] or "attachment")
    response.headers["Content-Security-Policy"] = downloads.POLICY
    return response


def _moved_words(moved: date | datetime | None, zone: tzinfo) -> str:
    return "" if moved is None else when_words(moved, moved, zone)


def _busy_page(access: Access, row: CalendarObject) -> Response:
    """All that somebody sees of an event who may only know when others are busy."""
    at = request.args.get("at", "")
    rows = Occurrence.select().where(Occurrence.object == row.id, Occurrence.busy > 0)
    if at:
        rows = rows.where(Occurrence.recurrence_id == at[:40])
    one = rows.order_by(Occurrence.start).first()
    if one is None:
        abort(404)
    zone = time_zone()
    begins, ends = moment_of(one.start, one.whole_day), moment_of(max(one.end - 86_400 * one.whole_day, one.start), one.whole_day)
    return page("calendar/busy.html", when=when_words(begins, ends, zone), calendar=calendar_words(access), back=day_url(begins))


# --- for all pages of events -----------------------------------------------------------------------------------------


def mine(calendar: int, href: str) -> tuple[Access, CalendarObject]:
    """An event that the person may see; 404 else."""
    try:
        return editing.load(current_user(), calendar, href)
    except editing.NoSuchEventError:
        abort(404)


def facts_here(access: Access, row: CalendarObject, at: str | None = None) -> EventFacts | None:
    """What is told of it; 404 if `at` names none of it, None if no page can show it."""
    at = request.args.get("at", "") if at is None else at
    try:
        return event_facts.facts_of(access, row, at[:40], objects.zone_of(settings().timezone))
    except event_facts.NoSuchOccurrenceError:
        abort(404)
    except UnusableCalendarError:
        return None


def title_of(access: Access, row: CalendarObject) -> str:
    """The title as lists have it; "" where the person does not see it."""
    if access.private:
        return ""
    one = Occurrence.get_or_none(Occurrence.object == row.id)
    return one.summary if one else ""


def calendar_words(access: Access) -> str:
    """What a calendar is called, with whose it is if that is somebody else."""
    name = look.title_of(access.props)
    if access.collection.user_id == current_user().id:  # of which the owner is not read with it
        return name
    owner = access.collection.user
    return f"{name} ({owner.name or owner.address})"


def day_url(moment: date | datetime) -> str:
    """The calendar's page of a day."""
    day = moment.date() if isinstance(moment, datetime) else moment
    return url_for("calendar.show_period", view="day", day=day.isoformat())


def _back(facts: EventFacts | None) -> str:
    return day_url(event_facts.day_of(facts, time_zone())) if facts else url_for("calendar.show")


def event_url(calendar: int, href: str, at: str = "", endpoint: str = "calendar.event") -> str:
    return url_for(endpoint, calendar=calendar, href=href, at=at or None)


def _following(facts: EventFacts) -> list[tuple[str, str]]:
    """When those that recur come next, with their links. 1 query."""
    if not facts.recurs or facts.at:
        return []
    rows = Occurrence.select().where(Occurrence.object == facts.row.id, Occurrence.start >= int(time.time()) - 86_400)
    found = []
    for one in rows.order_by(Occurrence.start).limit(MOST_NEXT):
        begins = moment_of(one.start, one.whole_day)
        words = when_words(begins, begins, time_zone())
        found.append((words, event_url(facts.row.collection_id, facts.row.href, one.recurrence_id)))
    return found


def moment_of(at: int, whole_day: int) -> date | datetime:
    """A time of the table of occurrences: a day, or a time where one is."""
    utc = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)
    return utc.date() if whole_day else utc.astimezone(time_zone())
