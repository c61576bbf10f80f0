"""Reports of abuse of a public link, to the administrator."""

from __future__ import annotations

from flask import current_app, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail import system_mail
from webmail.auth.guard import public
from webmail.errors import BadAddress, UnsafeValue
from webmail.models import TransferReport
from webmail.rate_limits import TooManyRequests
from webmail.transfers import reports
from webmail.transfers.blueprint import blueprint
from webmail.transfers.reports import LONGEST_ADDRESS, LONGEST_TEXT, AbuseReason
from webmail.transfers.views import visitors
from webmail.transfers.views.visitors import chosen_language, for_visitors
from webmail.web.addresses import url_for
from webmail.web.current import settings, wake_system_mail
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link


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
    except TooManyRequests as error:
        return visitors.wait(error)
    _tell_administrator(made)
    return redirect(url_for("transfers.report", link=link, lang=chosen_language() or None, done=1), 303)


def reason_words() -> dict[str, str]:
    """The reasons and their words, as the form lists them."""
    return {
        AbuseReason.MALWARE: _("A virus, or another harmful program"),
        AbuseReason.FRAUD: _("A fraud: somebody pretends to be someone else"),
        AbuseReason.ILLEGAL: _("Something that is against the law"),
        AbuseReason.RIGHTS: _("My work or my data, sent without my permission"),
        AbuseReason.OTHER: _("Something else"),
    }


_LIMITS = {"text": LONGEST_TEXT, "address": LONGEST_ADDRESS}


def _form_url(link: str) -> str:
    return url_for("transfers.send_report", link=link, lang=chosen_language() or None)


def _tell_administrator(made: TransferReport) -> None:
    """A mail without the link: who reads the administrator's mail can't open the files by it."""
    to, owner = settings().admin_address, made.transfer.owner
    if not to or settings().system_sender is None:
        return
    language = settings().language
    with written_in(language):
        subject = _("Large files of %(address)s were reported", address=owner.address)
        lines = [
            _("Somebody reported files that %(address)s sent as a link.", address=owner.address), "",
            _("Reason: %(reason)s", reason=reason_words()[AbuseReason(made.reason)]),
            _("From: %(address)s", address=made.address or _("no address given")), "", made.text, "",
            public_link("admin.transfers"),
        ]  # fmt: skip
    try:
        row = system_mail.send(to, "abuse", subject, "\n".join(lines).strip(), language, dedup=f"report {made.id}")
    except (BadAddress, UnsafeValue, ValueError) as error:
        current_app.logger.warning("a report of abuse is not mailed: %s", error)
        return
    if row is not None:
        wake_system_mail(row)
