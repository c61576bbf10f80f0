"""The page of a transfer at FileSender: its link, its files, its recipients; and what can be changed there."""

from __future__ import annotations

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.errors import BadAddressError, MailError
from webmail.filesender import handover
from webmail.filesender.blueprint import blueprint
from webmail.filesender.client import FileSenderError, FileSenderServer, RemoteRefusal
from webmail.filesender.filesender_texts import error_words
from webmail.filesender.views.common import server
from webmail.filesender.views.mine import title_of
from webmail.mime.headers.address_input import parse_addresses
from webmail.models import DeliveryState
from webmail.transfers import store
from webmail.web.current import current_user
from webmail.web.formatting import day_in_full, local
from webmail.web.notices import notify
from webmail.web.rendering import page

_LONGEST = 1000
_MOST_ADDED = 20


@blueprint.get("/transfers/filesender/<int:remote>")
def one(remote: int) -> Response:
    """One request to FileSender."""
    return _page(remote, server())


def _page(
    remote: int, there: FileSenderServer, status: int = 200, *, typed: str = "", fault: str = ""
) -> Response:  # fmt: skip
    try:
        found = there.transfer(remote)
    except FileSenderError as error:
        if error.refusal is RemoteRefusal.GONE:
            abort(404)
        return page("filesender/trouble.html", error.status, words=error_words(error))
    except MailError as error:
        return page("filesender/trouble.html", error.status, words=error_words(error))
    people = [one for one in found.recipients if one.address]
    return page(
        "filesender/one.html", status, found=found, title=title_of(found), people=people, typed=typed, fault=fault,
        renamed=handover.names_here(current_user().id, remote),
    )  # fmt: skip


@blueprint.post("/transfers/filesender/<int:remote>")
def change(remote: int) -> AnyResponse:
    """`action`: extend, remind, add (`to`), remove:<recipient>, close."""
    there, action = server(), request.form.get("action", "")
    try:
        if action == "add":
            return _add(there, remote)
        if action == "extend":
            until = there.extend(remote).expires
            _noted(remote, lambda delivery: store.keep_until(delivery.transfer, until, delivery.transfer.state))
            notify(_("It can be downloaded until %(day)s.", day=day_in_full(local(until).date())))
        elif action == "remind":
            there.remind(remote)
            notify(_("FileSender has sent a reminder to all recipients."))
        elif action == "close":
            return _close(there, remote)
        elif action.startswith("remove:") and action[7:].isdecimal():
            there.remove_recipient(int(action[7:]))
            notify(_("Their link no longer works."))
        else:
            abort(400)
    except MailError as error:
        notify(error_words(error), "caution")
    return redirect(url_for("filesender.one", remote=remote), 303)


def _add(there: FileSenderServer, remote: int) -> AnyResponse:
    typed = request.form.get("to", "")[:_LONGEST]
    try:
        people = list({one.email.lower(): one.email for one in parse_addresses(typed)}.values())
    except BadAddressError as error:
        fault = _("“%(value)s” is not an email address.", value=error.value[:80])
        return _page(remote, there, 422, typed=typed, fault=fault)
    if not people or len(people) > _MOST_ADDED:
        fault = _("Type from one to %(most)d addresses.", most=_MOST_ADDED)
        return _page(remote, there, 422, typed=typed, fault=fault)
    for address in people:
        there.add_recipient(remote, address)
    notify(_("FileSender has sent them the link."))
    return redirect(url_for("filesender.one", remote=remote), 303)


def _close(there: FileSenderServer, remote: int) -> AnyResponse:
    there.close(remote)

    def closed(delivery: handover.FilesenderDelivery) -> None:
        handover.put(delivery, state=DeliveryState.CLOSED)
        store.close(delivery.transfer, "server")

    _noted(remote, closed)
    notify(_("The transfer is closed: nobody can download it."))
    return redirect(url_for("filesender.index"), 303)


def _noted(remote: int, note: object) -> None:
    """Let our own row say it too, where it was sent from here."""
    found = handover.of_remote(current_user().id, remote)
    if found is not None and callable(note):
        note(found)
