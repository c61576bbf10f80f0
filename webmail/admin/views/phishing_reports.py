"""Phishing reports page: what users reported as phishing, for administrators."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

from webmail.admin.blueprint import blueprint
from webmail.message import phishing_reports
from webmail.web.current import settings
from webmail.web.rendering import page


@blueprint.get("/reports")
def reports() -> Response:
    """Who reported what; shows senders and subjects, never message content."""
    number = min(max(request.args.get("page", 1, int), 1), 10_000)
    rows, more = phishing_reports.listing(number)
    return page("admin/reports.html", rows=rows, more=more, number=number, address=settings().phishing_address)
