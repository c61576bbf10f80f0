"""Second-step page: after the right password, one more thing that only the person has.

Every way ends in `second_step_done(factor, target, trust=...)`: the code of an app, a recovery code or a mailed one here, a
security key and a voucher in views of their own. Those ask `visit().pending_user` who is at the door, and call it once they are
sure.
"""

from __future__ import annotations

from flask import redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.factors import recovery_codes, second_step, trusted_devices
from webmail.auth.factors.second_step import Factor
from webmail.auth.forms import SecondStepForm, SignInForm
from webmail.auth.guard import public
from webmail.auth.sessions import known_devices
from webmail.auth.sessions.cookies import visit
from webmail.auth.sessions.user_agent import describe
from webmail.auth.sign_in import waiting_lines
from webmail.auth.views.completion import HINT, Started, after_sign_in, complete
from webmail.auth.views.sign_in import PLACE, kept_text
from webmail.errors import SignInRefusedError
from webmail.models import AuditAct, User, now
from webmail.rate_limits import TooManyRequestsError
from webmail.web.audit import audited
from webmail.web.current import settings
from webmail.web.forms.request_values import local_path, next_path
from webmail.web.rendering import page
from webmail.web.responses.too_many import told_to_wait, too_many_words
from webmail.web.security_mail import SecurityNotice, tell


@blueprint.get("/login/code")
@public  # for somebody whose password was right, and nobody else
def show_second_step() -> Response:
    target = next_path()
    if visit().user is not None:
        return redirect(after_sign_in(target), 303)
    if visit().pending_user is None:
        return redirect(url_for("auth.login", next=target or None), 303)
    return second_step_page(SecondStepForm(formdata=None, next=target))


@blueprint.post("/login/code")
@public
def check_second_step() -> Response:
    form, user = SecondStepForm(), visit().pending_user
    if user is None:
        return second_step_over()
    place = waiting_lines.place_of(session.get(PLACE))
    try:
        browser = known_devices.recognise(visit().device_cookie, user.address, settings().secret_key)
        factor = second_step.check_code(user, form.code.data or "", settings(), browser=browser, admitted=place)
    except SignInRefusedError as error:
        session.pop(PLACE, None)
        audited(AuditAct.SECOND_STEP_REFUSED, user.address)
        return second_step_page(form, error.status, _("This code is not right, or it was used already."))
    except TooManyRequestsError as error:
        session[PLACE] = waiting_lines.next_place(place)
        audited(AuditAct.SIGN_IN_BLOCKED, user.address)
        tell(user, SecurityNotice.SECOND_STEP_GUESSED, once=f"{now():%Y-%m-%d}")
        words = f"{too_many_words(error)} {_('A recovery code works right away.')}"
        return told_to_wait(second_step_page(form, error.status, words), error)
    return second_step_done(factor, form.next.data or "", trust=bool(form.trust.data))


def second_step_page(form: SecondStepForm, status: int = 200, problem: str = "") -> Response:
    """The page of the second step, for every way that did not work."""
    form.next.data, row = local_path(form.next.data or ""), visit().pending_row
    may_trust = row is not None and not row.shared and settings().trust_days > 0
    return page("auth/second_step.html", status, form=form, problem=problem, may_trust=may_trust, kept=kept_fields())


def second_step_done(factor: Factor, target: str, *, trust: bool = False) -> Response:
    """Complete the sign-in of somebody who was asked for the second step and has proved it by `factor`.

    `trust`: they want not to be asked for it on this device for a while.
    """
    row, password = visit().pending_row, visit().password
    if row is None:
        return second_step_over()
    user: User = row.user
    if factor is Factor.CODE:
        recovery_code_was_used(user)
    if trust and not row.shared and settings().trust_days:
        browser = request.headers.get("User-Agent", "")
        visit().trusts = trusted_devices.trust(visit().trusted, user, settings(), user_agent=browser, network=visit().network)
        audited(AuditAct.DEVICE_TRUSTED, describe(browser), actor=user)
    data = {name: session[name] for name in ("kept", HINT) if name in session}
    how = Started(
        shared=row.shared, lasting=row.lasting, password=password, data=data, factor=factor,
        provider=row.provider, provider_session=row.provider_session,
    )  # fmt: skip
    return complete(user, how, target)


def recovery_code_was_used(user: User) -> None:
    """Record it, and tell the person by mail how many are left."""
    left = recovery_codes.left(user)
    audited(AuditAct.RECOVERY_CODE_USED, actor=user)
    tell(user, SecurityNotice.RECOVERY_CODE_USED, str(left), browser=describe(request.headers.get("User-Agent", "")))


def second_step_over() -> Response:
    """For a form of the second step that came too late: ask for the password again, with the text that was being written."""
    form = SignInForm(formdata=None, next=local_path(request.form.get("next", "")), shared=visit().on_shared)
    return page("auth/login.html", 401, form=form, problem=_("This took too long. Please sign in again."), kept=kept_text())


def kept_fields() -> list[list[str]]:
    """The text that was being written when a session ended: in the page too, in case this one ends as well."""
    return session["kept"]["fields"] if "kept" in session else []
