"""Sign-in forms: user name and password, codes and other second steps, the recovery address, a change of password."""

from __future__ import annotations

from flask_babel import LazyString
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, PasswordField, StringField

from webmail.web.formatting import lazy_text as _l

_CODE = {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false", "maxlength": "60", "required": True}
_DIGITS = {"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "40", "required": True}
_NAME = {"autocapitalize": "none", "spellcheck": "false", "inputmode": "email", "required": True}  # of an account, or an address
_PASSWORD = {"autocomplete": "current-password", "required": True}


class SignInForm(FlaskForm):
    """The sign-in form. Nothing is stripped or truncated here: auth/sign_in/authentication.py normalises the values."""

    username = StringField(
        _l("User name or address"),
        render_kw={"autocomplete": "username", **_NAME},
    )
    password = PasswordField(_l("Password"), render_kw=_PASSWORD)
    shared = BooleanField(_l("This is a shared computer"))
    lasting = BooleanField(_l("Stay signed in on this device"))
    next = HiddenField("")  # without a label WTForms translates its name, from a catalogue that it reads for each request


def _new_password(label: LazyString) -> PasswordField:
    return PasswordField(label, render_kw={"autocomplete": "new-password", "required": True})


class SecondStepForm(FlaskForm):
    """The second step at sign-in: a code, and whether to ask for it on this device the next time."""

    code = StringField(_l("Code"), render_kw=_CODE)
    trust = BooleanField()  # the template says for how long
    next = HiddenField()


class ColleagueForm(FlaskForm):
    """Whom somebody at the second step asks to vouch for them."""

    colleague = StringField(
        _l("Your colleague’s email address or user name"),
        render_kw={"autocomplete": "off", "maxlength": "254", **_NAME},
    )
    next = HiddenField()


class RecoveryForm(FlaskForm):
    """The recovery address, and the code that confirms it."""

    address = StringField(
        _l("Private email address"),
        render_kw={"autocomplete": "email", **_NAME},
    )
    code = StringField(_l("Code"), render_kw=_DIGITS)
    next = HiddenField()


class ConfirmForm(FlaskForm):
    """A factor asked for again: a code, or the password of somebody who has no factor."""

    code = StringField(_l("Code"), render_kw=_CODE)
    password = PasswordField(_l("Password"), render_kw=_PASSWORD)
    next = HiddenField()


class AuthenticatorForm(FlaskForm):
    """An authenticator app: what to call it, and a code that it shows."""

    name = StringField(_l("Name"), render_kw={"maxlength": "60", "autocomplete": "off"})
    code = StringField(_l("Code that the app shows"), render_kw={**_CODE, "inputmode": "numeric", "maxlength": "20"})


class NewPasswordForm(FlaskForm):
    """A new password, twice. Nothing is stripped or truncated here either."""

    new_password = _new_password(_l("New password"))
    new_password_again = _new_password(_l("New password, again"))


class PasswordForm(NewPasswordForm):
    """A change of password by somebody who is signed in."""

    password = PasswordField(_l("Current password"), render_kw=_PASSWORD)
    next = HiddenField()


class ForgotForm(FlaskForm):
    """Who has forgotten their password, and the code that came by SMS."""

    username = StringField(_l("User name or address"), render_kw={"autocomplete": "username", "maxlength": "254", **_NAME})
    code = StringField(_l("Code"), render_kw=_DIGITS)


class ResetForm(NewPasswordForm):
    """The new password of somebody who has forgotten theirs, with which they are signed in. `token`: of the link."""

    token = HiddenField()
    shared = BooleanField(_l("This is a shared computer"))
    lasting = BooleanField(_l("Stay signed in on this device"))


class PhoneForm(FlaskForm):
    """A telephone number, and the code that confirms it."""

    number = StringField(
        _l("Mobile number"), render_kw={"inputmode": "tel", "autocomplete": "tel", "maxlength": "40", "required": True}
    )
    code = StringField(_l("Code"), render_kw=_DIGITS)
