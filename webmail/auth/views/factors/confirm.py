"""Confirm page: asks for a factor again, then leads back to what was wanted (see guard.asks_again).

Every way ends in `confirmed(factor, target)`; a security key has a view of its own.
"""

from __future__ import annotations

from flask import redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.auth.blueprint import blueprint
from webmail.auth.factors import confirmation
from webmail.auth.factors.second_step import Factor
from webmail.auth.forms import ConfirmForm
from webmail.auth.guard import comes_first, is_confirmed
from webmail.auth.passwords.check_admission import TooBusyError
from webmail.auth.providers.accounts import has_own_password
from webmail.auth.sessions import known_devices
from webmail.auth.sessions.cookies import visit
from webmail.auth.sessions.interrupted_forms import is_interrupted, take_interrupted
from webmail.auth.sign_in.first_steps import FirstStep
from webmail.auth.views.factors.second_step import recovery_code_was_used
from webmail.auth.views.sign_in import away_words, busy_words
from webmail.errors import ServerAwayError, SignInRefusedError
from webmail.models import AuditAct
from webmail.rate_limits import TooManyRequestsError
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import local_path, next_path
from webmail.web.rendering import page
from webmail.web.responses.too_many import told_to_wait, too_many_words


@blueprint.get("/account/confirm")
@comes_first(FirstStep.SECOND_STEP, FirstStep.RECOVERY)
def show_confirm() -> Response:
    target = next_path()
    if is_confirmed():
        return _go_on(target)
    return _form(ConfirmForm(formdata=None, next=target))


@blueprint.post("/account/confirm")
@comes_first(FirstStep.SECOND_STEP, FirstStep.RECOVERY)
def confirm() -> Response:
    form, row, user = ConfirmForm(), visit().row, current_user()
    assert row is not None
    typed = (form.code.data if user.second_step else form.password.data) or ""
    browser = known_devices.recognise(visit().device_cookie, user.address, settings().secret_key)
    try:
        factor = confirmation.confirm(row, typed, settings(), imap.check, browser=browser)
    except SignInRefusedError as error:
        audited(AuditAct.SECOND_STEP_REFUSED, user.address, factor=None if user.second_step else Factor.PASSWORD)
        wrong = _("This code is not right, or it was used already.") if user.second_step else _("This is not your password.")
        return _form(form, error.status, wrong)
    except TooManyRequestsError as error:
        words = too_many_words(error)
        if user.second_step:
            words += " " + _("A recovery code works right away.")
        return told_to_wait(_form(form, error.status, words), error)
    except TooBusyError as error:
        return _form(form, error.status, busy_words(), wait=60)
    except ServerAwayError as error:
        return _form(form, error.status, away_words())
    return _confirmed(factor, form.next.data or "")


def resume_after_factor(factor: Factor, target: str) -> Response:
    """Go on after a factor was given by another way than a code.

    A provider confirms only for who has nothing else: it may skip the second step of ours, and a proxy asks nobody anything.
    """
    row, user = visit().row, current_user()
    assert row is not None
    if factor is Factor.PROVIDER and (user.second_step or has_own_password(user)):
        return redirect(url_for("auth.show_confirm", next=local_path(target) or None), 303)
    confirmation.mark(row)
    return _confirmed(factor, target)


def _confirmed(factor: Factor, target: str) -> Response:
    audited(AuditAct.CONFIRMED, factor=factor)
    if factor is Factor.CODE:
        recovery_code_was_used(current_user())
    target = local_path(target)
    if is_interrupted():
        return redirect(url_for("auth.show_confirm", next=target or None), 303)
    return redirect(target or url_for("auth.show_security"), 303)


def _go_on(target: str) -> Response:
    """Back to the page, or to what was being done when the question came: once more, by a click."""
    interrupted = take_interrupted()
    target = target or url_for("auth.show_security")
    if interrupted is None:
        return redirect(target, 303)
    return page("auth/go_on.html", interrupted=interrupted, target=target)


def confirm_page(target: str, status: int, problem: str) -> Response:
    """The page once more, for a way of another view that did not confirm it."""
    return _form(ConfirmForm(formdata=None, next=target), status, problem)


def _form(form: ConfirmForm, status: int = 200, problem: str = "", *, wait: int = 0) -> Response:
    form.next.data = local_path(form.next.data or "")
    response = page("auth/confirm.html", status, form=form, problem=problem)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response
