"""Large files, for administrators: sums, who has how much, reports of abuse; one can be closed, none can be opened."""

from __future__ import annotations

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.views.access import administrator, whole_installation
from webmail.establishments.scope import Scope
from webmail.models import AuditAct, Transfer, TransferReport
from webmail.transfers import overview, store
from webmail.transfers.public import reports
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import page

LONGEST_REASON = 300


@blueprint.get("/transfers")
def transfers() -> Response:
    """Seven SELECTs."""
    whole_installation()
    return _page()


def _page(status: int = 200, wrong: int = 0) -> Response:
    """`wrong`: the transfer that was to be closed without a reason."""
    number = min(max(request.args.get("page", 1, int), 1), 10_000)
    rows, more = overview.listed(number)
    return page(
        "admin/transfers.html", status, rows=rows, more=more, number=number, totals=overview.totals(settings()),
        reports=reports.waiting(), reasons=_reasons(), wrong=wrong, longest=LONGEST_REASON,
    )  # fmt: skip


@blueprint.get("/transfers/<int:transfer>")
def shown_again(transfer: int) -> AnyResponse:
    """Where the page stands that asks for a reason: who loads it again gets the list, at this one."""
    whole_installation()
    return redirect(url_for("admin.transfers", _anchor=f"transfer{transfer}"), 303)


@blueprint.post("/transfers/<int:transfer>")
def close_transfer(transfer: int) -> AnyResponse:
    """End it, with a `reason`. The worker's next round deletes its files, which may take minutes, and tells its owner.

    Who administers one establishment does so from the `case` on the desk.
    """
    scope = administrator()
    found = Transfer.get_or_none(Transfer.id == transfer)
    if found is None or not scope.includes(found.owner):
        abort(404)
    reason = " ".join(request.form.get("reason", "").split())[:LONGEST_REASON]
    if not reason and scope.everything:
        return _page(422, wrong=found.id)
    if not reason:
        notify(_("Say why: the owner of the files reads it."), "caution")
        return redirect(_after(scope), 303)
    if store.close(found, "admin", reason):
        reports.settle_all(found, current_user().address)
        audited(AuditAct.TRANSFER_CLOSED, found.owner.address, transfer=found.id, reason=reason)
        notify(_("Closed. %(address)s is told why.", address=found.owner.address))
    else:
        notify(_("It had already ended."), "plain")
    return redirect(_after(scope), 303)


def _after(scope: Scope) -> str:
    """To the case that it was closed from, or to all transfers."""
    case = request.form.get("case", 0, int)
    if case:
        return url_for("admin.show_case", number=case)
    return url_for("admin.transfers" if scope.everything else "admin.desk")


@blueprint.post("/transfers/reports/<int:report>")
def settle_transfer_report(report: int) -> AnyResponse:
    """Note that a report of abuse was dealt with."""
    whole_installation()
    found = TransferReport.get_or_none(TransferReport.id == report)
    if found is None:
        abort(404)
    if reports.settle(found, current_user().address):
        notify(_("Marked as handled."))
    return redirect(url_for("admin.transfers"), 303)


def _reasons() -> dict[str, str]:
    """What is said to be wrong, as whoever reported it chose."""
    return {
        "malware": _("A virus, or another harmful program"),
        "fraud": _("A fraud: somebody pretends to be someone else"),
        "illegal": _("Something that is against the law"),
        "rights": _("My work or my data, sent without my permission"),
        "other": _("Something else"),
    }
