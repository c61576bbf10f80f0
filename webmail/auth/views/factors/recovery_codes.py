"""Recovery codes page: ten codes, shown once, to print or to save; how many are left."""

from __future__ import annotations

import json

from flask import abort, make_response, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import vault
from webmail.auth.blueprint import blueprint
from webmail.auth.factors import recovery_codes, second_step
from webmail.auth.guard import asks_again, comes_first
from webmail.auth.sign_in.first_steps import FirstStep
from webmail.models import AuditAct, User
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import next_path
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell

_NEW = "recovery_codes"  # in the session: codes that were made and not shown yet, sealed
_PURPOSE = "new recovery codes"


@blueprint.get("/account/recovery-codes")
@comes_first(FirstStep.RECOVERY)
@asks_again
def show_recovery_codes() -> Response:
    user = current_user()
    if not user.second_step:
        return redirect(url_for("auth.show_security"), 303)
    return page("auth/recovery_codes.html", codes=_new_ones(user), left=recovery_codes.left(user), count=recovery_codes.COUNT)


@blueprint.post("/account/recovery-codes")
@asks_again
def make_recovery_codes() -> Response:
    """Make a new set; those before are good no more."""
    user = current_user()
    if not user.second_step:
        return redirect(url_for("auth.show_security"), 303)
    make_codes(user)
    tell(user, SecurityNotice.RECOVERY_CODES_MADE)
    return redirect(url_for("auth.show_recovery_codes", next=next_path() or None), 303)


@blueprint.post("/account/recovery-codes/file")
@comes_first(FirstStep.RECOVERY)
@asks_again
def download_recovery_codes() -> Response:
    """The codes of the page as a text file; nothing but codes of this person comes back."""
    user, codes = current_user(), request.form.getlist("codes")[: recovery_codes.COUNT]
    if not recovery_codes.are_of(user, codes, settings()):
        abort(404)
    lines = [
        _("Recovery codes of %(address)s", address=user.address),
        settings().name,
        "",
        *codes,
        "",
        _("Each code works once."),
    ]
    response = make_response("\r\n".join(lines) + "\r\n")
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    response.headers["Content-Disposition"] = 'attachment; filename="recovery-codes.txt"'
    return response


def make_codes(user: User) -> None:
    """Make a set for the page that shows it once."""
    with second_step.changing(user):
        codes = recovery_codes.make(user, settings())
    session[_NEW] = vault.seal_secret(json.dumps(codes).encode(), settings().secret_key, _PURPOSE, user.id)
    audited(AuditAct.RECOVERY_CODES_MADE)


def _new_ones(user: User) -> list[str]:
    """The codes that were just made, the one time they are shown; else nothing."""
    sealed = session.pop(_NEW, None)
    if not sealed:
        return []
    try:
        codes: list[str] = json.loads(vault.open_secret(sealed, settings().secret_key, _PURPOSE, user.id))
    except vault.CannotOpenError:
        return []
    return codes if recovery_codes.are_of(user, codes, settings()) else []  # another tab may have made others
