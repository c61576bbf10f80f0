"""Reports of abuse of a public link, to the administrator."""

from __future__ import annotations

from flask import redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.auth.guard import public
from webmail.rate_limits import TooManyRequestsError
from webmail.transfers.blueprint import blueprint
from webmail.transfers.notifications.abuse import reason_words, tell_administrator
from webmail.transfers.public import reports
from webmail.transfers.public.reports import LONGEST_ADDRESS, LONGEST_TEXT, AbuseReason
from webmail.transfers.views import visitors
from webmail.transfers.views.visitors import for_visitors
from webmail.web.current import settings
from webmail.web.templates.addresses import url_for
from webmail.web.visitors import chosen_language


@blueprint.get("/t/<link>/report")
@public
@for_visitors
def report(link: str) -> AnyResponse:
    visited = visitors.visit(link)
    return visitors.page(
        "transfers/public/report.html", here=visitors.page_url(visited, link), form_url=_form_url(link), reasons=reason_words(),
        done="done" in request.args, problem="", typed={}, limits=_LIMITS,
    )  # fmt: skip


@blueprint.post("/t/<link>/report")
@public
@for_visitors
def send_report(link: str) -> AnyResponse:
    """No token protects this form, since that would take a cookie: anybody may report, and few times."""
    visited = visitors.visit(link)
    typed = {name: request.form.get(name, "").strip() for name in ("reason", "text", "address")}
    if typed["reason"] not in [str(one) for one in AbuseReason]:
        return visitors.page(
            "transfers/public/report.html", 422, here=visitors.page_url(visited, link), form_url=_form_url(link),
            reasons=reason_words(), done=False, problem=_("Choose what is wrong."), typed=typed, limits=_LIMITS,
        )  # fmt: skip
    try:
        made = reports.add(
            visited.transfer, AbuseReason(typed["reason"]), typed["text"], typed["address"], visitors.network(), settings()
        )
    except TooManyRequestsError as error:
        return visitors.wait(error)
    tell_administrator(made)
    return redirect(url_for("transfers.report", link=link, lang=chosen_language() or None, done=1), 303)


_LIMITS = {"text": LONGEST_TEXT, "address": LONGEST_ADDRESS}


def _form_url(link: str) -> str:
    return url_for("transfers.send_report", link=link, lang=chosen_language() or None)
