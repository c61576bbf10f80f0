"""Published links of calendars: made, shown once and ended by who owns or manages them; what anybody gets there, a file or a
page."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.auth.guard import public
from webmail.calendar import links, objects, privacy
from webmail.calendar.display import happenings
from webmail.collection_pages.blueprint import blueprint
from webmail.collection_pages.texts import names_of
from webmail.collection_pages.views.common import mine, title
from webmail.collection_pages.views.delegation import lost, managed, note, owner_in_audit, tell_owner, title_for_all
from webmail.collections import look
from webmail.collections import store as collections
from webmail.collections.manager_notes import ManagerAct
from webmail.collections.shares import NotTheirsError
from webmail.collections.store import CALENDAR, Access
from webmail.errors import LimitReachedError
from webmail.mime.formats.calendars import calendar_joining
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.models import AuditAct, CalendarLink, CalendarObject
from webmail.rate_limits import TooManyRequestsError
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.public_links import public_link
from webmail.web.rendering import page
from webmail.web.responses import downloads
from webmail.web.responses.too_many import told_to_wait, with_again

_DAYS = 28  # on the page
_PIECE = 100


def _calendar(number: int) -> Access:
    access = managed(number) if request.method == "POST" else mine(number)
    if not access.manages or access.collection.kind != CALENDAR:
        abort(404)
    return access


@blueprint.get("/collections/<int:number>/addresses")
def addresses(number: int) -> Response:
    return _page(_calendar(number))


def _page(access: Access, address: str = "") -> Response:
    found = links.for_collection(access.collection)
    names = names_of([one.made_by for one in found if one.made_by], current_user())
    return page(
        "collections/addresses.html", number=access.collection.id, title=title(CALENDAR, access.props), links=found, names=names,
        address=address, most=links.MOST,
    )  # fmt: skip


@blueprint.post("/collections/<int:number>/addresses")
def change_addresses(number: int) -> Answer:
    """`action`: make one (`kind`, `whole`), which this answer alone shows; or end one (`link`)."""
    access, action = _calendar(number), request.form.get("action", "")
    try:
        return _changed(access, action)
    except NotTheirsError:  # deleted, or the right taken back, at this moment
        lost(number)


def _changed(access: Access, action: str) -> Answer:
    number, name = access.collection.id, title_for_all(access.collection)[:100]
    if action == "make":
        kind = links.PAGE if request.form.get("kind") == links.PAGE else links.FEED
        try:
            token = links.make(current_user(), number, kind, whole=request.form.get("whole") == "1")
        except LimitReachedError:
            notify(_("This calendar has reached its maximum number of addresses. Remove one first."), "caution")
            return redirect(url_for("collections.addresses", number=number), 303)
        audited(AuditAct.CALENDAR_ADDRESS_MADE, name, change=kind, address=owner_in_audit(access))
        tell_owner(access, "addresses", [note(access, ManagerAct.LINK_MADE, kind)])
        endpoint = "collections.public_page" if kind == links.PAGE else "collections.feed"
        answer = _page(access, public_link(endpoint, token=token) or url_for(endpoint, token=token, _external=True))
        answer.headers["Cache-Control"] = "no-store"
        return answer
    if action != "end":
        abort(400)
    chosen = request.form.get("link", "")
    if chosen.isascii() and chosen.isdigit() and len(chosen) < 10 and links.end(current_user(), number, int(chosen)):
        audited(AuditAct.CALENDAR_ADDRESS_ENDED, name, address=owner_in_audit(access))
        tell_owner(access, "addresses", [note(access, ManagerAct.LINK_ENDED)])
        notify(_("This address no longer works."))
    return redirect(url_for("collections.addresses", number=number), 303)


# --- what anybody gets -----------------------------------------------------------------------------------------------


def _link_of(token: str, kind: str) -> CalendarLink:
    link = links.find(token, kind)
    if link is None:
        abort(404)
    return link


def _too_often(error: TooManyRequestsError) -> Response:
    answer = make_response(with_again(_("This calendar was requested too often."), error))
    answer.mimetype = "text/plain"
    return told_to_wait(answer, error)


def _guarded(answer: Response) -> Response:
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@blueprint.get("/calendar/feed/<token>.ics")
@public
def feed(token: str) -> Response:
    """The calendar as a file, unless it is as the program knows it. 2 queries, and 1 for each hundred events."""
    link = _link_of(token, links.FEED)
    row = link.collection
    etag = hashlib.sha256(f"{row.seq} {link.whole} {link.user.language} {row.props}".encode()).hexdigest()[:32]
    try:
        links.count(link, settings())
    except TooManyRequestsError as error:
        return _too_often(error)
    if request.if_none_match.contains(etag):
        answer = Response(status=304)
    else:
        name = look.title_of(_props(link))
        pieces = calendar_joining.together(_texts(link), name)
        answer = downloads.whole((one.encode("utf-8", "replace") for one in pieces), "text/calendar")
        answer.headers["Content-Disposition"] = downloads.disposition(f"{name.replace('/', '-') or 'calendar'}.ics", "inline")
    answer.set_etag(etag)
    answer.headers["Cache-Control"] = "private, max-age=300"
    answer.headers["Content-Security-Policy"] = downloads.POLICY
    return _guarded(answer)


def _props(link: CalendarLink) -> dict[str, Any]:
    return collections.props_for(link.collection, link.user)


def _texts(link: CalendarLink) -> Iterator[str]:
    last = 0
    while True:
        rows = CalendarObject.select().where(CalendarObject.collection == link.collection_id, CalendarObject.id > last)
        some = list(rows.order_by(CalendarObject.id).limit(_PIECE))
        if not some:
            return
        last = some[-1].id
        yield from filter(None, (_seen(row, link) for row in some))


def _seen(row: CalendarObject, link: CalendarLink) -> str:
    """An object as those see it who know the address; "" for what they don't."""
    if link.whole and not privacy.is_private(row.text):
        return row.text
    if row.component != "VEVENT" or not row.busy:
        return ""
    try:
        return privacy.busy_alone(row.text, row.uid, privacy.language_of(link.user))
    except UnusableCalendarError:
        return ""


@blueprint.get("/calendar/public/<token>")
@public
def public_page(token: str) -> Response:
    """Four weeks of the calendar by day. 3 queries."""
    link = _link_of(token, links.PAGE)
    try:
        links.count(link, settings())
    except TooManyRequestsError as error:
        return _too_often(error)
    zone = objects.zone_of(settings().timezone)
    today = datetime.now(zone).date()
    first = _day(request.args.get("from", ""), today)
    last = first + timedelta(days=_DAYS - 1)
    number = link.collection_id
    rights = {number: "read" if link.whole else "busy"}
    found = happenings.between(rights, first, last, zone, zone)
    by_day: dict[date, list[happenings.Happening]] = {}
    for one in (each for each in found.rows if each.words or each.busy):
        for day in happenings.days(max(one.first, first), min(one.last, last)):
            by_day.setdefault(day, []).append(one)
    words = render_template(
        "collections/public.html", title=title(CALENDAR, _props(link)), by_day=sorted(by_day.items()), first=first, last=last,
        token=token, before=first - timedelta(days=_DAYS), after=last + timedelta(days=1), today=today, whole=found.whole,
    )  # fmt: skip
    answer = make_response(words)
    answer.headers["Cache-Control"] = "private, no-store"
    return _guarded(answer)


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if abs((day - today).days) < 3660 else today
