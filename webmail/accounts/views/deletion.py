"""Deletion page: a person asks the administrator to delete their account, and takes it back with one click."""

from __future__ import annotations

from flask import redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.accounts import deletion
from webmail.accounts.blueprint import blueprint
from webmail.accounts.forms import DeletionForm
from webmail.accounts.notifications.deletion import write_administrator
from webmail.auth.guard import asks_again
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import current_user
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell


@blueprint.get("/account/delete")
def show_deletion() -> Response:
    return page("accounts/delete.html", form=DeletionForm(formdata=None))


@blueprint.post("/account/delete")
@asks_again
def ask_deletion() -> Response:
    form, user = DeletionForm(), current_user()
    if not form.validate():
        return page("accounts/delete.html", 422, form=form)
    if deletion.ask(user, form.reason.data or ""):  # else a second click
        audited(AuditAct.DELETION_ASKED, user.address)
        tell(user, SecurityNotice.DELETION_ASKED)
        write_administrator(user, asks=True)
        notify(_("Your administrator will delete your account. Until then, you can use it and change your mind."), "done")
    return redirect(url_for("auth.show_security"), 303)


@blueprint.post("/account/delete/withdraw")
def withdraw_deletion() -> Response:
    """Needs no factor again: keeping an account does no harm."""
    user = current_user()
    if deletion.withdraw(user):
        audited(AuditAct.DELETION_WITHDRAWN, user.address)
        tell(user, SecurityNotice.DELETION_WITHDRAWN)
        write_administrator(user, asks=False)
        notify(_("Your account stays."), "done")
    return redirect(url_for("auth.show_security"), 303)
