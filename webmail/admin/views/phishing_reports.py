"""Phishing reports page: what users reported as phishing, for administrators, and what was done about it."""

from __future__ import annotations

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.admin.blueprint import blueprint
from webmail.admin.views.access import administrator
from webmail.message import phishing_reports
from webmail.models import PhishingReport
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/reports")
def reports() -> Response:
    """Who reported what; shows senders and subjects, never message content."""
    accounts = administrator().condition()
    number = _page_number()
    rows, more = phishing_reports.listing(number, accounts)
    return page(
        "admin/reports.html", rows=rows, more=more, number=number, address=settings().phishing_address,
        waiting=phishing_reports.count_open(accounts), where=_where_it_is,
    )  # fmt: skip


@blueprint.post("/reports/<int:report>")
def handle_report(report: int) -> Response:
    """Mark a report as handled, or as open again."""
    handled = request.form.get("action") != "reopen"
    if phishing_reports.of_scope(report, administrator().condition()) is None:
        abort(404)
    if not phishing_reports.set_handled(report, current_user().address if handled else ""):
        abort(404)
    notify(_("Marked as handled.") if handled else _("Report reopened."))
    return redirect(url_for("admin.reports", page=_page_number()), 303)


def _where_it_is(report: PhishingReport) -> str:
    """The URL that finds the report in the administrator's own mail; "" if it was not sent there."""
    if not report.outbox or settings().phishing_address.lower() != current_user().address.lower():
        return ""
    words = report.subject.replace('"', " ")[:100].strip() or report.sender
    return url_for("mailbox.show", mailbox="INBOX", query=f'subject:"{words}"', scope="all")


def _page_number() -> int:
    return min(max(request.args.get("page", 1, int), 1), 10_000)
