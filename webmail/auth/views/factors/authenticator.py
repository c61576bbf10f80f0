"""Authenticator page: a person sets up an app that shows codes, by a picture or by typing its key, and removes one."""

from __future__ import annotations

from flask import abort, redirect, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import vault
from webmail.auth.blueprint import blueprint
from webmail.auth.factors import authenticator, second_step
from webmail.auth.factors.second_step import Factor
from webmail.auth.forms import AuthenticatorForm
from webmail.auth.guard import asks_again, comes_first
from webmail.auth.sign_in.first_steps import FirstStep
from webmail.auth.views.factors.factor_changes import factor_added, factor_removed
from webmail.auth.views.factors.security_keys import key_name
from webmail.models import Authenticator
from webmail.web.current import current_user, settings
from webmail.web.rendering import page
from webmail.web.responses.qr_code import qr_code
from webmail.web.security_mail import SecurityNotice

_SECRET = "totp"  # in the session: the sealed secret of the app that is being set up, the same until it works


@blueprint.get("/account/totp")
@comes_first(FirstStep.SECOND_STEP)
@asks_again
def show_totp() -> Response:
    return _page(AuthenticatorForm(formdata=None))


@blueprint.post("/account/totp")
@comes_first(FirstStep.SECOND_STEP)
@asks_again
def add_totp() -> Response:
    """Keep the app once it has shown a right code."""
    form, user = AuthenticatorForm(), current_user()
    secret = _secret()
    step = authenticator.step_of(secret, form.code.data or "")
    if step is None:
        form.code.errors = [
            _("This code is not right. Check that the time of your phone is set automatically, then type the next code.")
        ]
        form.code.data, form.code.render_kw = "", {**(form.code.render_kw or {}), "autofocus": True}  # the field is far down
        return _page(form, 422)
    name = key_name(form.name.data or "") or _("Authenticator app")
    with second_step.changing(user):
        if len(authenticator.for_user(user)) >= authenticator.MOST:
            abort(409)
        authenticator.add(user, name, secret, step, settings())
    session.pop(_SECRET, None)
    return factor_added(Factor.APP, name, SecurityNotice.APP_ADDED)


@blueprint.get("/account/totp/<int:number>/remove")
@comes_first(FirstStep.SECOND_STEP)
@asks_again
def ask_to_remove_totp(number: int) -> Response:
    app = Authenticator.get_or_none(Authenticator.id == number, Authenticator.user == current_user())
    if app is None:
        abort(404)
    last = second_step.is_last(current_user(), settings())
    return page("auth/remove_factor.html", name=app.name, last=last)


@blueprint.post("/account/totp/<int:number>/remove")
@comes_first(FirstStep.SECOND_STEP)
@asks_again
def remove_totp(number: int) -> Response:
    user = current_user()
    with second_step.changing(user):
        app = authenticator.remove(user, number)
    if app is None:
        abort(404)
    factor_removed(Factor.APP, app.name, SecurityNotice.APP_REMOVED)
    return redirect(url_for("auth.show_security"), 303)


def _page(form: AuthenticatorForm, status: int = 200) -> Response:
    user, full = current_user(), False
    if len(authenticator.for_user(user)) >= authenticator.MOST:
        full = True
    secret = _secret()
    address = authenticator.otpauth(secret, user, settings())
    groups = [secret[at : at + 4] for at in range(0, len(secret), 4)]
    return page(
        "auth/totp.html", status, form=form, groups=groups, address=address, picture=qr_code(address), full=full,
        most=authenticator.MOST,
    )  # fmt: skip


def _secret() -> str:
    """The secret that this session sets up. It stays the same when the page is loaded again: the app may have read it already."""
    sealed, user = session.get(_SECRET), current_user()
    try:
        if sealed:
            return authenticator.unseal(sealed, user, settings())
    except vault.CannotOpenError:  # sealed before the installation's secret was changed
        session.pop(_SECRET, None)
    secret = authenticator.new_secret()
    session[_SECRET] = authenticator.seal(secret, user, settings())
    return secret
