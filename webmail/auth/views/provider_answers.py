"""Answers of providers, by OpenID Connect and CAS alike: one that nobody waits for, and too many that proved nothing."""

from __future__ import annotations

from flask import redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth import throttle
from webmail.auth.cookies import visit
from webmail.auth.forms import SignInForm
from webmail.auth.throttle import TooManyAttempts
from webmail.auth.views.completion import after_sign_in
from webmail.auth.views.sign_in import sign_in_page
from webmail.models import SignInFailure
from webmail.web.current import settings

_MOST_REFUSED = 5  # times `sign_in_attempts`: answers from one network, which may be a school's, that proved nothing


def nobody_waits() -> Response:
    """For an answer that was used already, is too old, of another browser, or planted by somebody."""
    if visit().user is not None:  # another tab was quicker
        return redirect(after_sign_in(""), 303)
    if visit().pending_user is not None:
        return redirect(url_for("auth.show_second_step"), 303)
    words = _("This sign-in was started in another browser, or too long ago. Please start again.")
    return sign_in_page(SignInForm(formdata=None, shared=visit().on_shared), 400, words)


def refuse_too_many() -> None:
    """Before an answer is looked at, as each costs requests to the provider. Two SELECTs. Raises TooManyAttempts."""
    if throttle.is_slowed(_counted(), "", _MOST_REFUSED * settings().sign_in_attempts):
        raise TooManyAttempts(int(throttle.WINDOW.total_seconds() // 60))


def count_refused() -> None:
    """Note an answer that proved nothing. One INSERT."""
    SignInFailure.create(address=_counted(), network="")


def _counted() -> str:
    return f"answers of providers at {visit().network}"[:254]
