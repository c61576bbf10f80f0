"""The page of a guest without an account: what they were sent of a meeting, and their answer. GET shows; only POST answers."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, tzinfo

from flask import Response, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail import rate_limits
from webmail.auth.guard import public
from webmail.auth.sessions.sessions import network_of
from webmail.calendar import objects
from webmail.calendar.answering import ACTIONS
from webmail.calendar.blueprint import blueprint
from webmail.calendar.display.event_texts import repeat_words, when_words
from webmail.calendar.guests import guest_pages
from webmail.calendar.guests.guest_pages import GuestPage, PageState
from webmail.calendar.repeat import repeat_of
from webmail.itip import people
from webmail.itip.people import Invitee
from webmail.mime.formats.calendars import calendar_object, event_edit
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.calendars.component_tree import Component
from webmail.mime.formats.recurrence import occurrences
from webmail.rate_limits import HOUR, QUARTER, RateLimit, TooManyRequestsError
from webmail.web.current import settings
from webmail.web.responses import downloads
from webmail.web.templates.addresses import url_for
from webmail.web.visitors import chosen_language, for_visitors, leads_nowhere, too_often, visitors_page

UNKNOWN = RateLimit("links to meetings that lead nowhere", 60, QUARTER)  # from one network
ANSWERS = RateLimit("answers of guests from a network", 120, QUARTER)  # a class may be behind it
OF_ONE_GUEST = RateLimit("answers of one guest", 30, HOUR)
LONGEST_NOTE = 2_000
_MOST_GUESTS, _MOST_DATES, _LONGEST_NOTES = 30, 5, 2_000
_AHEAD = timedelta(days=400)


@blueprint.get("/i/<link>")
@public
@for_visitors
def guest_page(link: str) -> AnyResponse:
    """What the guest was sent, and what they answered; any program that opens links may look."""
    found = guest_pages.page(link, settings())
    return _page(found) if found else leads_nowhere(UNKNOWN.by(_network()))


@blueprint.post("/i/<link>")
@public
@for_visitors
def answer_as_guest(link: str) -> AnyResponse:
    """`action`: accept, maybe or decline; `comment`.

    No token protects this form, since that would take a cookie: who sends it has to know the link.
    """
    found = guest_pages.page(link, settings())
    if found is None:
        return leads_nowhere(UNKNOWN.by(_network()))
    given = ACTIONS.get(request.form.get("action", ""))
    if given is None:
        return _page(found, 422, _("Choose a reply."))
    if found.state is not PageState.OPEN:
        return _page(found, 410)
    try:
        rate_limits.take(settings(), ANSWERS.by(_network()), OF_ONE_GUEST.by(found.link.id))
    except TooManyRequestsError as error:
        return too_often(error)
    comment = request.form.get("comment", "").replace("\0", "").strip()[:LONGEST_NOTE]
    if not guest_pages.answer(found, given, comment, settings()):
        words = _(
            "The meeting has changed since you were invited. Your reply was refused: ask the organiser for the new invitation."
        )
        return _page(found, 409, words)
    return redirect(_url(found, "calendar.guest_page", done=1), 303)


@blueprint.get("/i/<link>/invite.ics")
@public
@for_visitors
def guest_file(link: str) -> AnyResponse:
    """What the guest was sent, for a calendar of theirs."""
    found = guest_pages.page(link, settings())
    if found is None:
        return leads_nowhere(UNKNOWN.by(_network()))
    if found.state in (PageState.CANCELLED, PageState.UNINVITED):
        return _page(found, 410)
    answer = downloads.named(found.link.text.encode(), "text/calendar; charset=utf-8", "invite.ics")
    answer.headers["Content-Security-Policy"] = downloads.POLICY
    return answer


def _network() -> str:
    return network_of(request.remote_addr)


def _url(found: GuestPage, endpoint: str, **values: object) -> str:
    link = (request.view_args or {}).get("link", "")
    return url_for(endpoint, link=link, lang=chosen_language() or None, **values)


# --- pages -----------------------------------------------------------------------------------------------------------


def _page(found: GuestPage, status: int = 200, problem: str = "") -> Response:
    event, zone = found.event, objects.zone_of(settings().timezone)
    fields = event_edit.read(event, found.series.root)
    stamp = event_edit.stamp_of(event.first("DTSTART"), found.series.root)
    begins, ends = (_aware(one, stamp.tz if stamp else None) for one in (fields.start, fields.end))
    recurs = found.series.recurs
    others = [one for one in found.guests if one.key != found.link.recipient and one.kind not in ("room", "resource")]
    return visitors_page(
        "calendar/guest_page.html", status, endpoint="calendar.guest_page", here=_url(found, "calendar.guest_page"),
        file_url=_url(found, "calendar.guest_file"), state=str(found.state), problem=problem, fields=fields,
        notes=fields.notes[:_LONGEST_NOTES], organiser=_organiser(event), guest=found.guest, as_guest=found.link.recipient,
        when=when_words(begins, ends, zone), zone=settings().timezone if isinstance(begins, datetime) else "",
        repeats=_repeats(fields, stamp.tz if stamp else None),
        dates=_dates(found, zone) if recurs else [], others=others[:_MOST_GUESTS], more=max(len(others) - _MOST_GUESTS, 0),
        done="done" in request.args and status == 200, longest=LONGEST_NOTE,
    )  # fmt: skip


def _repeats(fields: event_edit.EventFields, zone: tzinfo | None) -> str:
    return repeat_words(repeat_of(fields.rule, fields.start, zone), fields.start) if fields.rule else ""


def _organiser(event: Component) -> Invitee:
    line = event.first("ORGANIZER")
    return people.guest_of(line) if line is not None else Invitee("", "")


def _aware(moment: date | datetime, zone: tzinfo | None) -> date | datetime:
    return moment.replace(tzinfo=zone) if isinstance(moment, datetime) and zone is not None else moment


def _dates(found: GuestPage, zone: tzinfo) -> list[str]:
    """When those of a series come next, as the guest was sent them."""
    at = int(time.time())
    try:
        read = calendar_object.read(found.link.text)
        takings = occurrences.expand(read, at, at + int(_AHEAD.total_seconds()), zone).takings
    except UnusableCalendarError:
        return []
    coming = sorted((one for one in takings if one.status != "CANCELLED"), key=lambda one: one.start)[:_MOST_DATES]
    return [when_words(*_span(one.start, one.end, zone, whole_day=one.whole_day), zone) for one in coming]


def _span(start: int, end: int, zone: tzinfo, *, whole_day: bool) -> tuple[date | datetime, date | datetime]:
    if whole_day:
        first, last = (datetime.fromtimestamp(at, UTC).date() for at in (start, max(end - 86_400, start)))
        return first, last
    return datetime.fromtimestamp(start, zone), datetime.fromtimestamp(end, zone)
