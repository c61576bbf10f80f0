"""What is brought back from backups, as administrators ask for it and see it; nothing of what comes back is shown here."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.admin.blueprint import blueprint
from webmail.admin.views.access import administrator
from webmail.auth import account_management
from webmail.establishments.scope import Scope
from webmail.models import AuditAct, RestoreKind
from webmail.restores import requests, restore_texts
from webmail.restores.requests import NightGoneError, OneAtATimeError, RestoreWish
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import page

_LONGEST = 500  # characters of the name of a folder


@blueprint.get("/restores")
def restores_page() -> Response:
    return _restores(administrator())


@blueprint.post("/restores")
def ask_restore() -> Response:
    """For somebody (`address`): all of a `kind`, or a `folder`, as of a `night`; into a new place of theirs."""
    scope, folder = administrator(), request.form.get("folder", "").strip()
    user = account_management.find(request.form.get("address", ""), current_user().domain)
    if user is None or not scope.includes(user) or user.role == account_management.GROUP:
        return _restores(scope, _("No account has this address."), 422)
    night = next((one for one in requests.nights() if one.snapshot == request.form.get("night")), None)
    if night is None:
        return _restores(scope, _("Choose a night that is in the list."), 422)
    kind = request.form.get("kind", "")
    if (
        kind not in set(RestoreKind)
        or len(folder) > _LONGEST
        or not folder.isprintable()
        or (folder and kind != RestoreKind.MAIL)
    ):
        return _restores(scope, _("Choose what to bring back; a folder is part of mail."), 422)
    place = restore_texts.place_words((folder or restore_texts.all_words(kind)).rpartition("/")[2], night.at)
    try:
        row = requests.ask(user, current_user(), RestoreWish(night.snapshot, RestoreKind(kind), folder, folder, place))
    except OneAtATimeError:
        return _restores(scope, _("Something is being brought back for this person already."), 409)
    except NightGoneError:
        return _restores(scope, _("Choose a night that is in the list."), 422)
    audited(AuditAct.RESTORE_ASKED, user.address, kind=row.kind, folder=folder, night=row.night.isoformat())
    requests.call_attention(settings())
    notify(_("Asked for. %(address)s will find it in “%(place)s”.", address=user.address, place=row.place))
    return redirect(url_for("admin.restores_page"), 303)


def _restores(scope: Scope, problem: str = "", status: int = 200) -> Response:
    people = None if scope.everything else account_management.numbers_of(scope.condition())
    given = request.form if request.method == "POST" else request.args
    return page(
        "admin/restores.html", status, rows=requests.latest(people), nights=requests.nights(), problem=problem,
        typed={name: given.get(name, "")[:_LONGEST] for name in ("address", "night", "kind", "folder")},
        kinds=[(str(kind), restore_texts.all_words(kind)) for kind in RestoreKind],
    )  # fmt: skip
