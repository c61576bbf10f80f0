"""Pages for the administrator alone."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from webmail.mail import NotAllowed
from webmail.message import report
from webmail.web import current_user, page, settings

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


@blueprint.before_request
def only_administrators() -> None:
    """Raises NotAllowed (403) for everybody else. The sign-in was asked for before."""
    if current_user().role != "admin":
        raise NotAllowed(f"{current_user().address} is no administrator")


@blueprint.get("/reports")
def reports() -> Response:
    """Who reported what as phishing; senders and subjects, never what a message said."""
    number = min(max(request.args.get("page", 1, int), 1), 10_000)
    rows, more = report.listing(number)
    return page("admin/reports.html", rows=rows, more=more, number=number, address=settings().phishing_address)
