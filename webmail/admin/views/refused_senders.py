"""Refused senders: whose mail nobody gets, for administrators; added and taken back."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.admin.blueprint import blueprint
from webmail.admin.views.access import administrator
from webmail.models import AuditAct
from webmail.people import refused_senders
from webmail.people.refused_senders import OwnSenderError, UnusableSenderError
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify, withdraw_notices
from webmail.web.rendering import page

_ON_A_PAGE = 50


@blueprint.get("/senders")
def show_refused_senders() -> Response:
    """One SELECT."""
    return _page()


@blueprint.post("/senders")
def refuse_sender() -> Response:
    typed = request.form.get("entry", "")[:300]
    try:
        entry, new = refused_senders.refuse(typed, administrator(), current_user().address, settings())
    except OwnSenderError:
        return _page(422, typed, _("This is one of your own addresses. Disable the account that is misused instead."))
    except UnusableSenderError:
        return _page(422, typed, _("Enter an address, or a domain such as @example.com."))
    if new:
        audited(AuditAct.SENDER_REFUSED, entry)
        notify(
            _("Mail from %(sender)s is refused from now on.", sender=entry),
            undo=(url_for("admin.allow_sender"), {"entry": entry}),
        )
    else:
        notify(_("Mail from %(sender)s is refused already.", sender=entry), "plain")
    return redirect(url_for("admin.show_refused_senders"), 303)


@blueprint.post("/senders/allow")
def allow_sender() -> Response:
    """Take it back: `entry`. `report`: the page of the report to go back to."""
    entry, report = request.form.get("entry", "")[:300], request.form.get("report", 0, int)
    withdraw_notices()
    if refused_senders.allow(entry, administrator()):
        audited(AuditAct.SENDER_ALLOWED, entry)
        notify(_("Mail from %(sender)s is accepted again.", sender=entry))
    back = url_for("admin.show_report", report=report) if report > 0 else url_for("admin.show_refused_senders")
    return redirect(back, 303)


def _page(status: int = 200, typed: str = "", problem: str = "") -> Response:
    number = min(max(request.args.get("page", 1, int), 1), 10_000)
    scope = administrator()
    rows, more = refused_senders.listed(scope, number, _ON_A_PAGE)
    return page(
        "admin/desk/senders.html", status, rows=rows, more=more, number=number, typed=typed, problem=problem,
        everything=scope.everything, door=bool(settings().authserv_id),
    )  # fmt: skip
