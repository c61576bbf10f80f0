"""Guests: people without an account who were invited to send files through FileSender."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.errors import BadAddressError, MailError
from webmail.filesender import guests as guest_rows
from webmail.filesender.blueprint import blueprint
from webmail.filesender.filesender_texts import error_words
from webmail.filesender.views.common import server
from webmail.mime.headers.address_input import parse_addresses
from webmail.models import now
from webmail.web.current import current_user
from webmail.web.notices import notify
from webmail.web.rendering import page

_DAYS, _MOST_DAYS = 10, 20
_LONGEST = 2000


@blueprint.get("/transfers/filesender/guests")
def guests() -> Response:
    """One request to FileSender."""
    return _page({}, {})


def _page(typed: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    there = server()
    try:
        rows, trouble = guest_rows.standing(current_user(), there), ""
    except MailError as error:
        rows, trouble = [], error_words(error)
    usual = (now() + timedelta(days=_DAYS)).date().isoformat()
    return page(
        "filesender/guests.html", status, rows=rows, trouble=trouble, typed={"until": usual} | typed, errors=errors
    )  # fmt: skip


@blueprint.post("/transfers/filesender/guests")
def invite() -> AnyResponse:
    """`address`, `subject`, `message`, `until`; `once` and `only_me` where ticked."""
    there = server()
    typed = {name: request.form.get(name, "")[:_LONGEST].strip() for name in ("address", "subject", "message", "until")}
    typed |= {name: "1" for name in ("once", "only_me") if request.form.get(name)}
    errors: dict[str, str] = {}
    address, until = _address(typed["address"], errors), _until(typed["until"], errors)
    if errors:
        return _page(typed, errors, 422)
    try:
        there.invite(
            current_user().address, address, typed["subject"], typed["message"], until, once="once" in typed,
            only_me="only_me" in typed,
        )  # fmt: skip
    except MailError as error:
        return _page(typed, {"address": error_words(error)}, error.status)
    notify(_("FileSender has invited %(address)s.", address=address))
    return redirect(url_for("filesender.guests"), 303)


@blueprint.post("/transfers/filesender/guests/<int:guest>")
def change_guest(guest: int) -> AnyResponse:
    """`action`: remind, remove."""
    there, action = server(), request.form.get("action", "")
    try:
        if action == "remind":
            there.remind_guest(guest)
            notify(_("FileSender has sent a reminder."))
        elif action == "remove":
            guest_rows.remove(current_user(), guest, there)
            notify(_("The guest was removed: their link no longer works."))
        else:
            abort(400)
    except MailError as error:
        notify(error_words(error), "caution")
    return redirect(url_for("filesender.guests"), 303)


def _address(text: str, errors: dict[str, str]) -> str:
    try:
        found = parse_addresses(text)
    except BadAddressError:
        found = ()
    if len(found) != 1:
        errors["address"] = _("Type one email address.")
        return ""
    return found[0].email


def _until(text: str, errors: dict[str, str]) -> datetime:
    today = now().date()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = today
    if not today < day <= today + timedelta(days=_MOST_DAYS):
        errors["until"] = _("Choose a day within the next %(days)d days.", days=_MOST_DAYS)
    return datetime.combine(day, time(23, 59))
