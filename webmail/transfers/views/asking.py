"""Asking for files: one's requests, a form, and the page of one: its link, who was asked, what came; a sheet to print."""

from __future__ import annotations

from datetime import UTC, date, datetime

from flask import abort, redirect, request, url_for
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import schedule
from webmail.errors import LimitReachedError
from webmail.models import FileRequest, FileRequestInvite, SystemMessage
from webmail.rate_limits import TooManyRequestsError
from webmail.transfers import other_server
from webmail.transfers.blueprint import blueprint
from webmail.transfers.notifications import recipients
from webmail.transfers.requests import guests, request_forms, requests, unfinished
from webmail.transfers.requests.request_forms import RequestForm
from webmail.transfers.requests.requests import RequestState
from webmail.web.current import current_user, settings, time_zone, wake_system_mail
from webmail.web.formatting import day_and_month, day_in_full, long_date
from webmail.web.notices import notify, withdraw_notices
from webmail.web.public_links import public_link
from webmail.web.rendering import page
from webmail.web.responses.qr_code import qr_code

_UNDO_SECONDS = 30


def _check_offered() -> None:
    if not requests.is_offered(settings()):
        abort(404)


def _mine(number: int) -> FileRequest:
    _check_offered()
    found = requests.find(current_user(), number)
    if found is None:
        abort(404)
    return found


def _at(number: int, anchor: str = "") -> Response:
    return redirect(url_for("transfers.one_request", number=number, _anchor=anchor or None), 303)


def _address(token: str) -> str:
    """As people reach it; without the setting `public_url`, as this request did."""
    return public_link("transfers.guest", link=token) or url_for("transfers.guest", link=token, _external=True)


@blueprint.app_template_filter()
def end_words(moment: datetime) -> str:
    """When something ends, naive UTC: the last day, where it ends with that."""
    at = moment.replace(tzinfo=UTC)
    day, hour = schedule.day_and_hour(at, time_zone(), ends=True)
    return long_date(moment) if hour else day_in_full(date.fromisoformat(day))


@blueprint.app_template_filter()
def end_short(moment: datetime) -> str:
    """The day in a list: that before, where it ends with midnight."""
    day, _hour = schedule.day_and_hour(moment.replace(tzinfo=UTC), time_zone(), ends=True)
    return day_and_month(date.fromisoformat(day))


@blueprint.app_template_filter()
def short_day(moment: datetime) -> str:
    """The day of a moment in naive UTC, "24 nov."."""
    return day_and_month(moment.replace(tzinfo=UTC).astimezone(time_zone()).date())


@blueprint.app_template_global()
def may_ask_for_files() -> bool:
    return requests.is_offered(settings())


# --- the list, and a new one -----------------------------------------------------------------------------------------


@blueprint.get("/transfers/requests", endpoint="requests")
def show_requests() -> Response:
    """Three SELECTs."""
    _check_offered()
    rows = requests.listed(current_user())
    return page("transfers/requests.html", rows=rows, state=requests.state, states=RequestState)


@blueprint.get("/transfers/requests/new")
def new_request() -> Response:
    _check_offered()
    if server := other_server.for_user(current_user(), settings()):
        return redirect(url_for(f"{server.name}.guests"), 303)
    return _form_page(RequestForm())


@blueprint.post("/transfers/requests/new")
def make_request() -> Response:
    _check_offered()
    form = RequestForm.typed(request.form)
    wishes = form.read(settings())
    people = form.read_people(current_user(), settings(), needed=form.who == "named")
    if wishes is None or form.errors:
        return _form_page(form, 422)
    try:
        made, asked = requests.make(current_user(), wishes, str(get_locale()), settings(), people)
    except TooManyRequestsError:
        form.errors["people"] = _too_many_mails()
        return _form_page(form, 429)
    except LimitReachedError:
        notify(_("You have reached the maximum number of open requests. Close one first."), "caution")
        return _form_page(form, 409)
    _tell_asked(made, asked)
    return _at(made.id)


@blueprint.get("/transfers/requests/<int:number>/change")
def show_request_change(number: int) -> Response:
    mine = _mine(number)
    return _form_page(RequestForm.showing(requests.wishes_of(mine)), row=mine)


@blueprint.post("/transfers/requests/<int:number>/change")
def change_request(number: int) -> Response:
    mine = _mine(number)
    form = RequestForm.typed(request.form)
    before = requests.wishes_of(mine)
    wishes = form.read(settings(), before)
    if wishes is None:
        return _form_page(form, 422, row=mine)
    requests.change(mine, wishes)
    notify(_("Saved. The link is still the same."), "done")
    return _at(number)


def _form_page(form: RequestForm, status: int = 200, row: FileRequest | None = None) -> Response:
    given = settings().transfers
    return page(
        "transfers/request_form.html", status, form=form, row=row, sizes=request_forms.sizes(settings()), given=given,
        mails=_is_mailed(), longest=requests,
    )  # fmt: skip


# --- one -------------------------------------------------------------------------------------------------------------


@blueprint.get("/transfers/requests/<int:number>")
def one_request(number: int) -> Response:
    """Six SELECTs."""
    return _page(_mine(number))


def _page(mine: FileRequest, people: str = "", problem: str = "", status: int = 200) -> Response:
    """`people`: addresses that were typed, with the `problem` of them."""
    state = requests.state(mine)
    asked = requests.invites(mine)
    most, files = guests.allowed(mine, settings())
    address = "" if mine.invited_only else _address(requests.token(mine, settings()))
    return page(
        "transfers/request.html", status, row=mine, state=state, states=RequestState, address=address,
        picture=qr_code(address) if address else "", most_bytes=most, most_files=files,
        people=[(one, "" if _is_mailed() else _address(requests.invite_token(one, settings()))) for one in asked],
        arrivals=requests.arrivals(mine), unfinished=unfinished.of_request(mine), full=requests.is_full(mine),
        mails=_is_mailed(), typed=people, problem=problem,
        days=mine.days or settings().transfers.days,
    )  # fmt: skip


@blueprint.post("/transfers/requests/<int:number>")
def act_on_request(number: int) -> Response:
    """`action`: close, reopen, invite (`people`), remove or put-back (`delivery`: one that was not sent off)."""
    mine, action = _mine(number), request.form.get("action", "")
    if action == "invite":
        return _invite(mine)
    if action == "close":
        _close(mine)
    elif action == "reopen":
        _reopen(mine)
    elif action in ("remove", "put-back"):
        _remove_unfinished(mine, request.form.get("delivery", 0, type=int) or 0, back=action == "put-back")
        return _at(number, "unfinished")
    else:
        abort(400)
    return _at(number)


def _remove_unfinished(mine: FileRequest, delivery: int, *, back: bool) -> None:
    if back:
        withdraw_notices()
        if unfinished.put_back(mine, delivery):
            notify(_("The delivery is back: the person who began it can continue."))
    elif unfinished.remove(mine, delivery):
        undo = (url_for("transfers.act_on_request", number=mine.id), {"action": "put-back", "delivery": str(delivery)})
        notify(_("The unfinished delivery was removed."), undo=undo, keep=_UNDO_SECONDS)


def _close(mine: FileRequest) -> None:
    if requests.close(mine):
        undo = (url_for("transfers.act_on_request", number=mine.id), {"action": "reopen"})
        words = _("“%(title)s” is closed: nobody can send files there. What has been sent stays.", title=mine.title)
        notify(words, undo=undo, keep=_UNDO_SECONDS)


def _reopen(mine: FileRequest) -> None:
    withdraw_notices()
    try:
        if requests.reopen(mine):
            notify(_("“%(title)s” is open.", title=mine.title))
    except LimitReachedError:
        notify(_("You have reached the maximum number of open requests. Close one first."), "caution")


def _invite(mine: FileRequest) -> Response:
    form = RequestForm(people=request.form.get("people", "")[: request_forms.LONGEST_PEOPLE])
    people = form.read_people(current_user(), settings(), needed=True)
    if form.errors:
        return _page(mine, form.people, form.errors["people"], 422)
    try:
        asked = requests.invite(mine, people, settings())
    except TooManyRequestsError:
        return _page(mine, form.people, _too_many_mails(), 429)
    except LimitReachedError:
        most = settings().transfers.recipients
        words = ngettext("You can ask at most %(num)d person.", "You can ask at most %(num)d people.", most)
        return _page(mine, form.people, words, 422)
    if not asked:
        notify(_("They have already been asked. You can remind them below."), "plain")
    _tell_asked(mine, asked)
    return _at(mine.id, "people")


@blueprint.post("/transfers/requests/<int:number>/people/<int:person>")
def act_on_invite(number: int, person: int) -> Response:
    """`action`: remind, remove, or put-back."""
    mine, action = _mine(number), request.form.get("action", "")
    found = requests.find_invite(mine, person)
    if found is None:
        abort(404)
    if action == "remove":
        if requests.remove_invite(found):
            undo = (url_for("transfers.act_on_invite", number=number, person=person), {"action": "put-back"})
            notify(_("The link of %(address)s no longer works.", address=found.address), undo=undo, keep=_UNDO_SECONDS)
    elif action == "put-back":
        withdraw_notices()
        requests.put_back_invite(found)
        notify(_("The link of %(address)s works again.", address=found.address))
    elif action == "remind":
        _remind(mine, found)
    else:
        abort(400)
    return _at(number, "people")


def _remind(mine: FileRequest, found: FileRequestInvite) -> None:
    if requests.state(mine) is not RequestState.OPEN:
        notify(_("This request is closed. Open it again first."), "caution")
        return
    try:
        sent = requests.remind(found, settings()) and recipients.invite(found, settings(), again=True)
    except TooManyRequestsError:
        notify(_too_many_mails(), "caution")
        return
    if not sent:
        notify(_("%(address)s was reminded recently, or can’t receive another message today.", address=found.address), "plain")
        return
    wake_system_mail(sent)
    notify(_("A reminder with the link is being sent to %(address)s.", address=found.address))


# --- the sheet -------------------------------------------------------------------------------------------------------


@blueprint.get("/transfers/requests/<int:number>/sheet")
def request_sheet(number: int) -> Response:
    """To print, for a classroom's wall."""
    mine = _mine(number)
    if mine.invited_only:
        abort(404)
    address = _address(requests.token(mine, settings()))
    return page("transfers/request_sheet.html", row=mine, address=address, picture=qr_code(address), owner=current_user())


# --- what is told ----------------------------------------------------------------------------------------------------


def _is_mailed() -> bool:
    """Whether links can be mailed: a mail needs a sender, and an address of this site to lead to."""
    return settings().system_sender is not None and bool(settings().public_url)


def _too_many_mails() -> str:
    return _("You have written to as many people as you can in an hour. Ask the others later.")


def _tell_asked(mine: FileRequest, requested: list[FileRequestInvite]) -> None:
    if not requested:
        return
    sent: list[SystemMessage] = [found for one in requested if (found := recipients.invite(one, settings()))]
    for message in sent:
        wake_system_mail(message)
    if not _is_mailed():
        notify(_("No emails are sent from here: give each person their link, shown below."), "plain")
    elif len(sent) < len(requested):
        missed = len(requested) - len(sent)
        notify(
            ngettext("No message could be sent to %(num)d person.", "No message could be sent to %(num)d people.", missed),
            "caution",
        )
    else:
        notify(ngettext("%(num)d person gets their link by email.", "%(num)d people get their link by email.", len(sent)))
