"""The form of a poll: a new one, and changes of one that is there."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from flask import abort, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.guard import keeps_text
from webmail.errors import LimitReachedError
from webmail.models import Poll
from webmail.polls import store
from webmail.polls.blueprint import blueprint
from webmail.polls.poll_forms import EMPTY_LINES, LINES_MORE, WEEKS, PollForm
from webmail.web.current import current_user, settings, time_zone
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.templates.addresses import url_for

_LEADS_ON = ("more", "days", "earlier", "later")  # buttons that change the form alone


@blueprint.get("/polls/new")
def new() -> Response:
    """In the query, fields of the form: `title`, `option` ..."""
    return _page(PollForm.typed(request.args).with_lines(EMPTY_LINES), time_zone())


@blueprint.post("/polls/new")
@keeps_text
def make() -> Response:
    form, zone = PollForm.typed(request.form), time_zone()
    if leads_on(form, zone):
        return _page(form, zone, 422 if form.errors else 200)
    wishes = form.read(zone)
    if wishes is None:
        return _page(form.with_lines(1), zone, 422)
    try:
        made = store.make(current_user(), wishes, str(zone), settings())
    except LimitReachedError:
        notify(_("You have reached the maximum number of polls. Delete one first."), "caution")
        return _page(form.with_lines(1), zone, 409)
    notify(_("The poll is open. Give its link to the people you ask."))
    return redirect(url_for("polls.show_poll", number=made.id), 303)


@blueprint.get("/polls/<int:number>/change")
def show_change(number: int) -> Response:
    poll = of_mine(number)
    zone = store.zone_of(poll)
    return _page(PollForm.showing(store.wishes_of(poll), zone).with_lines(EMPTY_LINES), zone, poll=poll)


@blueprint.post("/polls/<int:number>/change")
@keeps_text
def change(number: int) -> Response:
    poll, form = of_mine(number), PollForm.typed(request.form)
    zone = store.zone_of(poll)
    if leads_on(form, zone):
        return _page(form, zone, 422 if form.errors else 200, poll=poll)
    before = store.wishes_of(poll)
    wishes = form.read(zone, before.times)
    if wishes is None:
        return _page(form.with_lines(1), zone, 422, poll=poll)
    store.change(poll, wishes)
    notify(_("Saved. The link is still the same."))
    return redirect(url_for("polls.show_poll", number=number), 303)


def of_mine(number: int) -> Poll:
    """One's own poll; 404 for another's, or one that was deleted."""
    found = store.find(current_user(), number)
    if found is None or found.removed is not None:
        abort(404)
    return found


def leads_on(form: PollForm, zone: ZoneInfo) -> bool:
    """Whether the form was sent for more lines, or another month, alone."""
    action = request.form.get("action", "")
    if action not in _LEADS_ON:
        return False
    if action == "days":
        form.add_days(zone)
    if action in ("earlier", "later"):
        step = timedelta(weeks=WEEKS if action == "later" else -WEEKS)
        form.first = (form.first_day(zone) + step).isoformat()
    form.with_lines(LINES_MORE if action == "more" else 1)
    return True


def _page(form: PollForm, zone: ZoneInfo, status: int = 200, *, poll: Poll | None = None) -> Response:
    return page(
        "polls/form.html", status, form=form, poll=poll, action=_url(poll), zone=str(zone), longest=store,
        weeks=_weeks(form, zone),
        opened=bool(form.days or _in_calendar() or "days" in form.errors or "hours" in form.errors),
    )  # fmt: skip


def _in_calendar() -> bool:
    return request.form.get("action", "") in ("days", "earlier", "later")


def _weeks(form: PollForm, zone: ZoneInfo) -> list[list[date]]:
    first = form.first_day(zone)
    return [[first + timedelta(days=7 * week + day) for day in range(7)] for week in range(WEEKS)]


def _url(poll: Poll | None) -> str:
    return url_for("polls.change", number=poll.id) if poll else url_for("polls.make")
