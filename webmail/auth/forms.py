"""Sign-in form: user name, password and the shared-computer choice."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, PasswordField, StringField


class SignInForm(FlaskForm):
    """The sign-in form. Nothing is stripped or truncated here: auth/sign_in.py normalises the values."""

    username = StringField(
        _l("User name or address"),
        render_kw={
            "autocomplete": "username",
            "autocapitalize": "none",
            "spellcheck": "false",
            "inputmode": "email",
            "required": True,
        },
    )
    password = PasswordField(_l("Password"), render_kw={"autocomplete": "current-password", "required": True})
    shared = BooleanField(_l("This is a shared computer"))
    next = HiddenField()
