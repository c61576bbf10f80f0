"""Sign-in pages: the sign-in form, signing out, and expired CSRF tokens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from flask import Flask, current_app, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response

from webmail import audit, imap
from webmail.auth.blueprint import blueprint
from webmail.auth.forms import SignInForm
from webmail.auth.guard import public
from webmail.auth.notifications.codes import mail_door_code
from webmail.auth.passwords.check_admission import PATIENCE_SECONDS, TooBusyError
from webmail.auth.providers import directory
from webmail.auth.providers.accounts import NotLetInError, Refusal
from webmail.auth.providers.titles import provider_title
from webmail.auth.recovery.temporary_passwords import TemporaryPasswordOverError
from webmail.auth.sessions import sessions
from webmail.auth.sessions.cookies import visit
from webmail.auth.sign_in import sources, unlock_codes, waiting_lines
from webmail.auth.sign_in.authentication import account_address, sign_in
from webmail.auth.sign_in.names import normalise
from webmail.auth.sign_in.sources import SignInSource
from webmail.auth.views.completion import Started, after_sign_in, password_was_right
from webmail.auth.views.providers.provider_ways import refusal_words
from webmail.database.connection import DATABASE_AWAY, db
from webmail.errors import BadAddressError, ServerAwayError, SignInRefusedError, UnsafeValueError
from webmail.models import AuditAct, User
from webmail.rate_limits import TooManyRequestsError
from webmail.web.audit import audited
from webmail.web.current import after_the_answer, settings
from webmail.web.forms.request_values import local_path, next_path
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.errors import csrf_error
from webmail.web.responses.too_many import told_to_wait, too_many_words
from webmail.web.responses.unavailable import because

PLACE = "waiting"  # in the session of who was told to wait: their place in line (auth/sign_in/waiting_lines.py)


@blueprint.get("/login")
@public
def login() -> Response:
    if visit().user is not None:
        return redirect(after_sign_in(request.args.get("next", "")), 303)
    return sign_in_page(SignInForm(next=next_path(), shared="shared" in request.args or visit().on_shared))


@blueprint.post("/login")
@public
def log_in() -> Response:
    form = SignInForm()
    if request.form.get("action") == "code":  # text browsers send the button with the form around it
        return send_door_code()
    name, password = form.username.data or "", form.password.data or ""
    try:
        network = sessions.network_of(request.remote_addr)
        place, code = waiting_lines.place_of(session.get(PLACE)), request.form.get("code", "")
        user = sign_in(
            name, password, network, settings(), imap.check,
            browser=visit().device_cookie, computer=visit().computer, admitted=place, code=code,
        )  # fmt: skip
    except SignInRefusedError as error:
        session.pop(PLACE, None)
        _not_let_in(AuditAct.SIGN_IN_REFUSED, name)
        over = isinstance(error, TemporaryPasswordOverError)
        words = _("This temporary password is no longer valid. Ask for a new one.") if over else _("Wrong user name or password.")
        return sign_in_page(form, error.status, words)
    except TooManyRequestsError as error:
        session[PLACE] = waiting_lines.next_place(place)
        _not_let_in(AuditAct.SIGN_IN_BLOCKED, name)
        return told_to_wait(sign_in_page(form, error.status, too_many_words(error), waits=True), error)
    except TooBusyError as error:
        response = sign_in_page(form, error.status, busy_words())
        response.headers["Retry-After"] = "60"
        return response
    except ServerAwayError as error:
        return sign_in_page(form, error.status, away_words())
    except NotLetInError as error:
        _not_let_in(AuditAct.PROVIDER_REFUSED if settings().ldap else AuditAct.SIGN_IN_REFUSED, error.address or name)
        return sign_in_page(form, error.status, _directory_words(error))
    how = Started(shared=bool(form.shared.data), lasting=bool(form.lasting.data), data=kept_data(form), **_by(user, password))
    return password_was_right(user, how, form.next.data or "")


@blueprint.errorhandler(CSRFError)
def stale_form(error: CSRFError) -> Response:
    """For a sign-in page whose cookie expired while it was open: show a fresh form instead of an error."""
    if request.endpoint == "auth.logout" and visit().user is None:
        return redirect(url_for("auth.login"), 303)
    if visit().user is not None and (kept := kept_text()):  # signed in in another tab: the text goes on there
        visit()["kept"] = {"path": next_path(), "fields": [list(one) for one in kept]}
        return redirect(after_sign_in(next_path()), 303)
    if request.endpoint not in (
        "auth.log_in",
        "auth.send_door_code",
        "auth.check_second_step",
        "auth.check_key",
        "auth.sign_in_by_passkey",
        "auth.leave_for_oidc",
        "auth.leave_for_cas",
        "auth.leave_for_proxy",
    ):
        return csrf_error(error)
    words = _("This page was open for too long, or your browser blocks cookies. Please sign in again.")
    return sign_in_page(SignInForm(), 400, words)


@blueprint.post("/login/door-code")
@public
def send_door_code() -> Response:
    """Mail a code to who has a recovery address and is kept waiting; the answer is the same for everybody, and takes as long."""
    form = SignInForm()
    address = normalise(form.username.data or "", settings().domain)
    if address:
        source = sources.source_of(visit().network, visit().computer, settings())
        after_the_answer(partial(_mail_door_code, current_app._get_current_object(), address, source))  # type: ignore[attr-defined]
    notify(_("If this account has a recovery address, we have sent a code there. Type it here with your password."), "plain")
    return sign_in_page(form, waits=True)


def _mail_door_code(app: Flask, address: str, source: SignInSource) -> None:
    """Once the answer has gone. Whatever goes wrong is only logged: nobody is there any more."""
    try:
        with app.app_context(), db.connection_context():
            if user := unlock_codes.receiver(address, source, settings()):
                mail_door_code(user)
    except (BadAddressError, UnsafeValueError, *DATABASE_AWAY) as error:
        app.logger.warning("no code is sent to the recovery address of %s: %s", address, error)


def sign_in_page(
    form: SignInForm, status: int = 200, problem: str = "", *, waits: bool = False, stored: Sequence[Sequence[str]] = ()
) -> Response:
    """The page, with what was chosen on it, for every way of signing in. `waits`: others guess, and a code would help.

    `stored`: text that was being written, by the names of its fields, where it does not come with the form.
    """
    form.next.data = local_path(form.next.data or "")
    waits = waits and unlock_codes.are_offered(settings())
    return page("auth/login.html", status, form=form, problem=problem, kept=stored or kept_text(), waits=waits)


def _not_let_in(act: AuditAct, name: str) -> None:
    audited(act, account_address(name, settings().domain) or audit.UNKNOWN)


def kept_data(form: SignInForm) -> dict[str, Any]:
    """What the new session keeps of it, with the page that it is for."""
    fields = [[name, value] for name, value in kept_text()]
    return {"kept": {"path": form.next.data, "fields": fields}} if fields else {}


def too_long_words() -> str:
    return _("Your text is too long to carry over. Sign in in a new tab, then come back to this page.")


def kept_text() -> list[tuple[str, str]]:
    """The text submitted when the session had ended: carried along in the sign-in form, then in the new session."""
    return [(name.removeprefix("kept-"), value) for name, value in request.form.items(multi=True) if name.startswith("kept-")]


def _by(user: User, password: str) -> dict[str, Any]:
    """Who checked the password. The directory's opens no mail server, and is not kept."""
    return {"provider": directory.PROVIDER} if directory.is_asked(user, settings()) else {"password": password}


def _directory_words(error: NotLetInError) -> str:
    if error.refusal is Refusal.NOT_LINKED:
        return _(
            "There is already an account %(address)s, with another way to sign in. Use that one.",
            address=error.address,
        )
    if error.refusal is Refusal.NOT_PROVEN:
        return _(
            "More than one entry in the directory has the address %(address)s. Ask for help: see Help.", address=error.address
        )
    return refusal_words(error, provider_title(directory.PROVIDER))


def away_words() -> str:
    """Whoever checks passwords besides us does not answer: the directory or the mail server."""
    if settings().ldap is not None:
        return _(
            "The directory is not responding. Please try again in a few minutes. "
            "People whose password is kept here can still sign in."
        )
    return _("The mail server is not responding. Please try again in a few minutes.")


def busy_words() -> str:
    """For who gets 503, as TooBusyError was raised."""
    because(f"no turn to check a password within {PATIENCE_SECONDS:g} s")
    return _("A lot of people are signing in at the moment. Please try again in a minute.")
