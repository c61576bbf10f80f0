"""Changes of factors: what follows when somebody has added or removed one. The views of each kind call it."""

from __future__ import annotations

from flask import redirect, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail.auth.factors import confirmation, mailed_codes, recovery_codes, second_step
from webmail.auth.sessions import endings
from webmail.auth.sessions.cookies import visit
from webmail.auth.views.factors.recovery_codes import make_codes
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import next_path
from webmail.web.notices import notify
from webmail.web.security_mail import SecurityNotice, tell


def factor_added(kind: str, name: str, notice: SecurityNotice, text: str = "") -> Response:
    """End other sessions, tell the person, and lead on: to the recovery codes where this was the first factor.

    `kind` is what the audit log calls it. Call it after `second_step.changing`.
    """
    _changed(AuditAct.FACTOR_ADDED, kind, name, notice, text or _("“%(name)s” is added.", name=name))
    user, row = current_user(), visit().row
    if row is not None and row.confirmed is None:  # just signed in, and asked for nothing else: see guard.asks_again
        confirmation.mark(row)
    if recovery_codes.left(user):
        return redirect(next_path() or url_for("auth.show_security"), 303)
    make_codes(user)
    return redirect(url_for("auth.show_recovery_codes", next=next_path() or None), 303)


def factor_removed(kind: str, name: str, notice: SecurityNotice, text: str = "") -> None:
    """End other sessions and tell the person. Call it after `second_step.changing`."""
    _changed(AuditAct.FACTOR_REMOVED, kind, name, notice, text or _("“%(name)s” is removed.", name=name))
    user = current_user()
    if user.mailed_step and not mailed_codes.can_replace_factor(user, settings()) and second_step.has_only_mail(user):
        second_step.turn_mail_off(user)  # it can't be used now, and must not be what is left


def _changed(act: AuditAct, kind: str, name: str, notice: SecurityNotice, text: str) -> None:
    user = current_user()
    others = endings.end_everything_else(user, settings(), keep=visit().id)
    audited(act, name, factor=kind, sessions=others or None)
    tell(user, notice, name)
    if others:
        text += " " + ngettext("%(num)d other browser is signed out.", "%(num)d other browsers are signed out.", others)
    notify(text, "done")
