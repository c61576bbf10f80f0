"""Another address for somebody; the one of before goes on as an alias."""

from __future__ import annotations

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin import people_texts
from webmail.admin.blueprint import blueprint
from webmail.admin.people import renaming
from webmail.admin.people.creation import NewFault
from webmail.admin.people.renaming import RenamingRefusedError
from webmail.admin.views.access import account_or_404, administrator, changed_by, domains_here
from webmail.auth.sign_in.names import normalise
from webmail.models import User
from webmail.web.current import settings
from webmail.web.notices import notify, undone
from webmail.web.rendering import page


@blueprint.get("/people/<int:number>/address")
def ask_address(number: int) -> Response:
    return _form(account_or_404(administrator(), number), "")


@blueprint.post("/people/<int:number>/address")
def rename_person(number: int) -> AnyResponse:
    user = account_or_404(administrator(), number)
    typed = request.form.get("address", "").strip()[:254]
    address = normalise(typed, user.domain)
    if address and address.rpartition("@")[2] not in domains_here():
        return _form(user, typed, people_texts.fault_words(NewFault.DOMAIN))
    try:
        done = renaming.rename(user, typed, changed_by(), settings())
    except RenamingRefusedError as error:
        return _form(user, typed, people_texts.fault_words(error.fault))
    notify(
        _("%(before)s is now %(address)s. Mail to the former address still arrives.", before=done.before, address=user.address),
        undo=(url_for("admin.undo_renaming"), {"undo": renaming.keep_undo(user, done, changed_by())}),
    )
    return redirect(url_for("admin.person", number=user.id), 303)


@blueprint.post("/people/address/undo")
def undo_renaming() -> AnyResponse:
    try:
        user = renaming.undo(request.form.get("undo", "")[:64], changed_by(), administrator().condition(), settings())
    except RenamingRefusedError:
        user = None
    if user is None:
        undone(_("This can no longer be undone."), "caution")
        return redirect(url_for("admin.people"), 303)
    undone(_("%(address)s has the former address again.", address=user.address))
    return redirect(url_for("admin.person", number=user.id), 303)


def _form(user: User, typed: str, problem: str = "") -> Response:
    return page(
        "admin/people/address.html", 422 if problem else 200, user=user, typed=typed, problem=problem, domains=domains_here()
    )
