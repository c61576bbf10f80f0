"""Departures: what others use of an account before it goes, and handing that over to a colleague."""

from __future__ import annotations

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.departure import departure_texts, mail_folders, uses
from webmail.admin.departure.uses import UseKind
from webmail.admin.views.access import account_or_404, administrator
from webmail.auth import account_management
from webmail.errors import MailError
from webmail.models import AuditAct, User
from webmail.web.audit import audited
from webmail.web.current import settings
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/departures/<int:number>")
def departure(number: int) -> Response:
    return _page(account_or_404(administrator(), number))


@blueprint.post("/departures/<int:number>")
def hand_things_over(number: int) -> AnyResponse:
    """`heir`: the colleague's address. To somebody of another establishment nothing goes."""
    scope = administrator()
    owner, typed = account_or_404(scope, number), request.form.get("heir", "")[:254]
    heir = account_management.find(typed, owner.domain) if typed.strip() else None
    if heir is None or not heir.active or heir.id == owner.id or not scope.includes(heir):
        return _page(owner, 422, typed, _("No open account of a colleague has this address."))
    count = uses.hand_over(owner, heir, settings())
    audited(AuditAct.THINGS_HANDED_OVER, owner.address, address=heir.address, messages=count)
    words = ngettext("%(num)d thing now belongs to %(heir)s.", "%(num)d things now belong to %(heir)s.", count, heir=heir.address)
    notify(words)
    return redirect(url_for("admin.departure", number=number), 303)


def _page(owner: User, status: int = 200, heir: str = "", problem: str = "") -> Response:
    try:
        folders = mail_folders.shared_by(owner, settings())
    except MailError:
        folders = None
    return page(
        "admin/departure/show.html", status, owner=owner, uses=uses.used_by_others(owner), folders=folders, heir=heir,
        problem=problem,
    )  # fmt: skip


@blueprint.app_template_filter()
def use_kind(kind: UseKind) -> str:
    return departure_texts.kind_of(kind)
