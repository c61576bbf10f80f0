"""New accounts, one at a time: the password is shown once."""

from __future__ import annotations

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin import people_texts
from webmail.admin.account_forms import NewAccountForm
from webmail.admin.blueprint import blueprint
from webmail.admin.people import creation
from webmail.admin.views.access import administrator, changed_by, domains_here
from webmail.admin.views.people.bulk import passwords_page
from webmail.web.current import settings
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/people/new")
def new_person() -> Response:
    administrator()
    return _page(NewAccountForm())


@blueprint.post("/people/new")
def add_person() -> AnyResponse:
    scope, form, domains = administrator(), NewAccountForm.sent(request.form), domains_here()
    person = form.described(domains, everything=scope.everything, keeps_passwords=creation.keeps_passwords(settings()))
    if person is not None and (fault := creation.fault_of(person)):
        form.errors["address"] = people_texts.fault_words(fault)
    if person is None or form.errors:
        return _page(form, 422)
    (user,) = creation.create([person], changed_by(), settings())
    if person.letters:
        return passwords_page([(user, person.letters)], url_for("admin.person", number=user.id))
    notify(_("%(address)s has an account.", address=user.address))
    return redirect(url_for("admin.person", number=user.id), 303)


def _page(form: NewAccountForm, status: int = 200) -> Response:
    return page(
        "admin/people/new.html", status, form=form, domains=domains_here(), everything=administrator().everything,
        keeps_passwords=creation.keeps_passwords(settings()),
    )  # fmt: skip
