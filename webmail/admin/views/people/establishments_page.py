"""Establishments that share the installation: their domains, who administers each, whom its people find in the directory."""

from __future__ import annotations

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.establishment_forms import EstablishmentForm
from webmail.admin.views.access import changed_by, whole_installation
from webmail.establishments import establishments
from webmail.establishments.establishments import EstablishmentNameTakenError
from webmail.models import AuditAct, Establishment
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/establishments")
def establishments_page() -> Response:
    whole_installation()
    return _list_page()


@blueprint.post("/establishments")
def add_establishment() -> AnyResponse:
    whole_installation()
    name = " ".join(request.form.get("name", "").split())
    if not name or len(name) > establishments.LONGEST_NAME or not name.isprintable():
        return _list_page(422, name, _("Enter a name."))
    try:
        made = establishments.make(name)
    except EstablishmentNameTakenError:
        return _list_page(422, name, _("There is one of this name already."))
    changed_by().note(AuditAct.ESTABLISHMENT_CHANGED, made.name, change="made")
    return redirect(url_for("admin.edit_establishment", number=made.id), 303)


@blueprint.get("/establishments/<int:number>")
def edit_establishment(number: int) -> Response:
    whole_installation()
    found = _found(number)
    return _form_page(found, EstablishmentForm.showing(found))


@blueprint.post("/establishments/<int:number>")
def change_establishment(number: int) -> AnyResponse:
    whole_installation()
    found, form = _found(number), EstablishmentForm.sent(request.form)
    if not form.save(found, changed_by()):
        return _form_page(_found(number), form, 422)
    notify(_("“%(name)s” was saved.", name=found.name))
    return redirect(url_for("admin.establishments_page"), 303)


@blueprint.post("/establishments/<int:number>/delete")
def delete_establishment(number: int) -> AnyResponse:
    """Its accounts stay; `sure` has to be ticked."""
    whole_installation()
    found = _found(number)
    if not request.form.get("sure"):
        notify(_("Nothing was deleted: tick the box first."), "caution")
        return redirect(url_for("admin.edit_establishment", number=number), 303)
    establishments.remove(found)
    changed_by().note(AuditAct.ESTABLISHMENT_CHANGED, found.name, change="deleted")
    notify(_("“%(name)s” was deleted. Its accounts stay.", name=found.name))
    return redirect(url_for("admin.establishments_page"), 303)


def _found(number: int) -> Establishment:
    return establishments.of_number(number) or abort(404)


def _list_page(status: int = 200, name: str = "", problem: str = "") -> Response:
    """Three SELECTs."""
    rows = [(one, establishments.domains(one)) for one in establishments.listed()]
    return page("admin/people/establishments.html", status, rows=rows, name=name, problem=problem)


def _form_page(found: Establishment, form: EstablishmentForm, status: int = 200) -> Response:
    return page("admin/people/establishment.html", status, establishment=found, form=form)
