"""What an establishment gives everybody in its domains, beneath what their groups give: the same form as a group's."""

from __future__ import annotations

from flask import Response, abort, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin import people_texts
from webmail.admin.blueprint import blueprint
from webmail.admin.groups.group_forms import PolicyForm
from webmail.admin.views.access import administrator, changed_by, most_given
from webmail.admin.views.groups.group_list import domains_here
from webmail.admin.views.groups.policy_page import policy_page, saved_words
from webmail.auth import aliases
from webmail.auth.aliases import CatchAllTargetError
from webmail.database.connection import db
from webmail.establishments import establishments
from webmail.establishments.establishments import EstablishmentChangedElsewhereError
from webmail.models import AuditAct, Establishment
from webmail.people import policies, reach
from webmail.people.policies import Policy
from webmail.web.notices import notify


@blueprint.get("/establishments/<int:number>/policy")
def show_establishment_policy(number: int) -> Response:
    found = _establishment_or_404(number)
    return _policy_page(found, PolicyForm.showing(policies.of_establishment(found)))


@blueprint.post("/establishments/<int:number>/policy")
def change_establishment_policy(number: int) -> AnyResponse:
    """What was typed, if nobody changed it since the form's `version`."""
    found, form = _establishment_or_404(number), PolicyForm.sent(request.form)
    version = request.form.get("version", 0, int)
    said = form.read(domains_here(), policies.of_establishment(found), most_given())
    if said is None:
        return _policy_page(found, form, 422, version=version)
    try:
        notify(saved_words(_save(found, said, version)))
    except EstablishmentChangedElsewhereError:
        return _policy_page(_establishment_or_404(number), form, 409, elsewhere=True)
    except CatchAllTargetError as error:
        form.errors["written_by"] = people_texts.catch_all_words(error.alias)
        return _policy_page(_establishment_or_404(number), form, 422, version=version)
    return redirect(_back(number), 303)


def _save(found: Establishment, said: Policy, version: int) -> int:
    """For how many it is another one. One transaction. Raises EstablishmentChangedElsewhereError, CatchAllTargetError."""
    with db.atomic():
        changed = establishments.set_policy(found, said, version)
        if said.written_by == reach.INSIDE:
            aliases.keep_catch_alls(policies.numbers_in(establishments.domains(found)))
        changed_by().note(AuditAct.ESTABLISHMENT_CHANGED, found.name, change="policy")
    return changed


def _establishment_or_404(number: int) -> Establishment:
    """If the person administers it."""
    found = establishments.of_number(number) if administrator().has_establishment(number) else None
    return found or abort(404)


def _back(number: int) -> str:
    """The establishment's page; administrators of it alone have its settings instead."""
    if administrator().everything:
        return url_for("admin.edit_establishment", number=number)
    return url_for("admin.settings", establishment=number)


def _policy_page(
    found: Establishment, form: PolicyForm, status: int = 200, *, elsewhere: bool = False, version: int | None = None
) -> Response:
    return policy_page(
        found, form, status, elsewhere=elsewhere, version=version, back=_back(found.id),
        action=url_for("admin.change_establishment_policy", number=found.id),
    )  # fmt: skip
