"""Deletion page: a person asks the administrator to delete their account, and takes it back with one click."""

from __future__ import annotations

from flask import redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import system_mail
from webmail.accounts import deletion
from webmail.accounts.blueprint import blueprint
from webmail.accounts.forms import DeletionForm
from webmail.auth.guard import asks_again
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import current_user, settings, wake_system_mail
from webmail.web.formatting import written_in
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
        _write_administrator(asks=True)
        notify(_("Your administrator will delete your account. Until then, you can use it and change your mind."), "done")
    return redirect(url_for("auth.show_security"), 303)


@blueprint.post("/account/delete/withdraw")
def withdraw_deletion() -> Response:
    """Needs no factor again: keeping an account does no harm."""
    user = current_user()
    if deletion.withdraw(user):
        audited(AuditAct.DELETION_WITHDRAWN, user.address)
        tell(user, SecurityNotice.DELETION_WITHDRAWN)
        _write_administrator(asks=False)
        notify(_("Your account stays."), "done")
    return redirect(url_for("auth.show_security"), 303)


def _write_administrator(*, asks: bool) -> None:
    """In the language of the establishment. What the person wrote is quoted as theirs."""
    if not settings().admin_address:
        return
    user = current_user()
    who = f"{user.name} <{user.address}>" if user.name else user.address
    with written_in(settings().language):
        if asks:
            subject = _("%(address)s asks for their account to be deleted", address=user.address)
            lines = [
                _("%(who)s asks for their account to be deleted.", who=who),
                _("To delete it: %(command)s", command=f"flask accounts delete {user.address}"),
                _("They can still withdraw their request. All requests: %(command)s", command="flask accounts deletions"),
            ]
            if user.deletion_reason:
                lines.append(_("They wrote:") + "\n" + "\n".join(f"> {line}" for line in user.deletion_reason.splitlines()))
        else:
            subject = _("%(address)s keeps their account", address=user.address)
            lines = [_("%(who)s no longer asks for their account to be deleted.", who=who)]
    body = "\n\n".join(lines) + "\n"
    if sent := system_mail.send(settings().admin_address, "deletion", subject[:300], body, settings().language):
        wake_system_mail(sent)
