"""Codes by e-mail as a factor: a person turns them on, with their recovery address, or off."""

from __future__ import annotations

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.factors import mailed_codes, second_step
from webmail.auth.factors.second_step import Factor
from webmail.auth.guard import asks_again, comes_first
from webmail.auth.sign_in.first_steps import FirstStep
from webmail.auth.views.factors.factor_changes import factor_added, factor_removed
from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import next_path
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice


@blueprint.get("/account/mail-codes")
@comes_first(FirstStep.SECOND_STEP)
@asks_again
def show_mail_codes() -> Response:
    user = current_user()
    if not user.mailed_step and not mail_is_offered():
        abort(404)
    return page("auth/mail_codes.html", last=second_step.has_only_mail(user))


@blueprint.post("/account/mail-codes")
@comes_first(FirstStep.SECOND_STEP)
@asks_again
def change_mail_codes() -> Response:
    """`action`: on or off. What is so already, after a double click, stays."""
    user, on = current_user(), request.form.get("action") == "on"
    address = user.recovery_address
    if on and not mail_is_offered():
        abort(404)
    if on and second_step.turn_mail_on(user):
        return factor_added(Factor.MAIL, address, SecurityNotice.MAIL_CODES_ON, _("Codes by email are turned on."))
    if not on and second_step.turn_mail_off(user):
        mail_was_turned_off(address)
    return redirect(url_for("auth.show_security", next=next_path() or None), 303)


def mail_was_turned_off(address: str) -> None:
    """End other sessions, and tell the person."""
    factor_removed(Factor.MAIL, address, SecurityNotice.MAIL_CODES_OFF, _("Codes by email are turned off."))


@blueprint.app_template_global()
def mail_is_offered() -> bool:
    """Whether people may turn it on."""
    return mailed_codes.may_be_factor(settings())
