"""Name page: a person changes the name that others see, or takes the administrator's again with one click."""

from __future__ import annotations

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.accounts.blueprint import blueprint
from webmail.accounts.forms import OwnNameForm
from webmail.models import AuditAct
from webmail.people import own_name
from webmail.people.display_names import NameRefusedError
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.labels import name_objection
from webmail.web.notices import notify, withdraw_notices
from webmail.web.rendering import page


@blueprint.get("/account/name")
def show_name() -> Response:
    return _page(OwnNameForm(formdata=None, data={"name": current_user().name}))


@blueprint.post("/account/name")
def change_name() -> Response:
    """An empty name is the administrator's, which anybody may take again. The undo of a change posts the name before."""
    form, user = OwnNameForm(), current_user()
    if not settings().own_name and form.name.data:
        return _page(form, 403)
    if not form.validate():
        return _page(form, 422)
    try:
        before = own_name.change(user, form.name.data or "", settings())
    except NameRefusedError as refused:
        form.name.errors = [name_objection(refused.objection)]
        return _page(form, 422)
    if before is not None:
        audited(AuditAct.OWN_NAME_SET, user.address, name=user.name, before=before or None)
        _tell(before, undone="undo" in request.form)
    return redirect(url_for("auth.show_security"), 303)


def _tell(before: str, *, undone: bool) -> None:
    name = current_user().name
    words = _("Others now see “%(name)s”.", name=name) if name else _("Others now see your address only.")
    withdraw_notices()  # of a change before, which this one has overtaken
    undo = (url_for("accounts.change_name"), {"name": before, "undo": "1"}) if settings().own_name and not undone else None
    notify(words, "done", undo)


def _page(form: OwnNameForm, status: int = 200) -> Response:
    user = current_user()
    given = own_name.given(user)
    if not settings().own_name and given == user.name:
        abort(404 if status == 200 else status)
    return page("accounts/name.html", status, form=form, given=given if given != user.name else "")
