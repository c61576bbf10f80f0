"""Requests page: what a person asked of those who administer, how far it is, and what they answered; one may write once more."""

from __future__ import annotations

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.accounts import support
from webmail.accounts.blueprint import blueprint
from webmail.accounts.request_texts import kind_words, state_words
from webmail.accounts.support_texts import trouble_words
from webmail.desk import cases
from webmail.models import DeskCase, DeskKind, DeskState, SupportRequest
from webmail.web.current import current_user
from webmail.web.notices import notify
from webmail.web.rendering import page

_ENDED = (DeskState.ANSWERED, DeskState.CLOSED)


@blueprint.get("/account/requests")
def show_requests() -> Response:
    """Two SELECTs."""
    return page(
        "accounts/requests.html", rows=cases.own(current_user()), title_of=_title, state_of=state_words, ended=_ENDED,
        longest=cases.LONGEST_TEXT, answerable=(DeskKind.SUPPORT, DeskKind.SPACE), reference_of=_reference,
    )  # fmt: skip


@blueprint.post("/account/requests/<int:number>")
def write_back(number: int) -> Response:
    """Say more about a request of one's own: it is open again then."""
    typed = request.form.get("text", "").replace("\r\n", "\n").replace("\0", "").strip()[: cases.LONGEST_TEXT]
    text = support.without_secrets(typed)
    if not cases.is_own(current_user(), number):
        abort(404)
    if not text:
        notify(_("Nothing was sent: the text is empty."), "caution")
    elif (case := cases.write_back(current_user(), number, text)) is None:
        notify(_("Nothing was sent: there are too many messages about this request. Ask for help again."), "caution")
    else:
        if case.kind == DeskKind.SUPPORT and (row := SupportRequest.get_or_none(SupportRequest.id == case.number)):
            support.reopen(row)
        cut = text != typed
        notify(_("Sent, without what looked like a password: nobody needs it to help you.") if cut else _("Sent. Thank you."))
    return redirect(url_for("accounts.show_requests"), 303)


def _title(case: DeskCase) -> str:
    return trouble_words(case.topic) if case.kind == DeskKind.SUPPORT else kind_words(case.kind)


def _reference(case: DeskCase) -> str:
    return cases.seen_of(case).get("reference", "")
