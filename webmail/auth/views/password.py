"""Password page: a person changes their password, or replaces the temporary one that the administrator gave them."""

from __future__ import annotations

from flask import redirect, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.factors.second_step import Factor
from webmail.auth.forms import PasswordForm
from webmail.auth.guard import FACTOR, comes_first, public
from webmail.auth.passwords import change
from webmail.auth.passwords.change import ChangeFault, PasswordNotChangedError
from webmail.auth.passwords.check_admission import TooBusyError
from webmail.auth.passwords.strength import Strength
from webmail.auth.passwords.texts import fault_words
from webmail.auth.providers.titles import password_keeper
from webmail.auth.recovery import password_reset
from webmail.auth.sessions.cookies import visit
from webmail.auth.sessions.endings import end_everything_else
from webmail.auth.sessions.user_agent import describe
from webmail.auth.sign_in.first_steps import FirstStep
from webmail.auth.views import first_walk
from webmail.auth.views.completion import HINT, after_sign_in
from webmail.auth.views.sign_in import busy_words
from webmail.models import AuditAct
from webmail.rate_limits import TooManyRequestsError
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import next_path
from webmail.web.notices import notify
from webmail.web.rendering import fragment, page
from webmail.web.responses.too_many import told_to_wait, too_many_words
from webmail.web.security_mail import SecurityNotice, tell

PROVED = "reset_proved"  # in the session: the token of somebody who has forgotten their password, after the code of an SMS


@blueprint.get("/account/password")
@comes_first(FirstStep.PASSWORD)
def show_password() -> Response:
    return _page(PasswordForm(next=next_path()))


@blueprint.post("/account/password")
@comes_first(FirstStep.PASSWORD)
def change_password() -> Response:
    """Change it, end all other sessions, and give this one a new token."""
    form, user = PasswordForm(), current_user()
    if password_keeper(user):
        return _page(form, 403)
    before, new = form.password.data or "", form.new_password.data or ""
    first = bool(user.must_change)
    helped = bool(first and user.temporary_until)
    try:
        change.change(user, before, new, form.new_password_again.data or "", settings())
    except PasswordNotChangedError as refused:
        if ChangeFault.WRONG in refused.faults.values():
            audited(AuditAct.PASSWORD_CHANGE_REFUSED)
        for name, fault in refused.faults.items():
            form[name].errors = [fault_words(fault, refused.strength)]
        return _page(form, 422, judged=refused.strength if new else None)
    except TooManyRequestsError as error:
        return told_to_wait(_page(form, error.status, problem=too_many_words(error)), error)
    except TooBusyError as error:
        return _page(form, error.status, problem=busy_words(), wait=60)
    answer = _changed(new, form.next.data or "", first=first)
    if helped:
        _ask_to_look()
    return answer


@blueprint.post("/account/password/strength")
@public  # asked while one types: its answer may come when the session is another one already, and must lead nowhere
def show_strength() -> Response:
    """The strength of what is being typed, for the page that shows it at once; nothing for visitors.

    `token` says whose it is on the page for somebody who has forgotten theirs.
    """
    user, password = visit().user, request.form.get("new_password", "")
    if "token" in request.form:
        user = password_reset.holder(request.form["token"] or session.get(PROVED, ""))
    judged = change.strength(password, user, settings()) if user is not None and password else None
    return fragment("auth/_strength.html", judged=judged)


def _changed(new: str, target: str, *, first: bool) -> Response:
    """`first`: it was a temporary one, and signing in goes on."""
    user, row = current_user(), visit().row
    others = end_everything_else(user, settings(), keep=visit().id)
    kept = {name: session[name] for name in ("kept", HINT) if name in session}
    if session.get(FACTOR) == Factor.VOUCHER:  # still true; of a factor it would be too long ago
        kept[FACTOR] = Factor.VOUCHER
    visit().start(
        user,
        shared=bool(row and row.shared),
        lasting=bool(row and row.lasting),
        password=new,
        data=kept,
        provider=row.provider if row else "",
        provider_session=row.provider_session if row else "",
    )
    audited(AuditAct.PASSWORD_CHANGED, describe(request.headers.get("User-Agent", "")), sessions=others or None)
    tell(user, SecurityNotice.PASSWORD_CHANGED)
    words = _("Password changed.")
    if others:
        words += " "
        words += ngettext("%(num)d other browser is signed out.", "%(num)d other browsers are signed out.", others)
    notify(words, "done")
    if first:
        return redirect(first_walk.lead_on(user, after_sign_in(target), typed=not user.second_step), 303)
    return redirect(after_sign_in(target), 303)


def _ask_to_look() -> None:
    """Whoever had the account before a deputy helped may have left a way back in: only its owner can tell."""
    words = _("Check on “My account” that all of this is yours: recovery address, telephone, devices, connected accounts.")
    notify(words, "plain", link={"url": url_for("auth.show_security"), "text": _("My account"), "here": True})


def _page(form: PasswordForm, status: int = 200, *, judged: Strength | None = None, problem: str = "", wait: int = 0) -> Response:
    first = bool(current_user().must_change) and settings().sign_in == "accounts"
    template = "auth/first_password.html" if first else "auth/password.html"
    if first:
        form.password.label.text = _("The password you were given")
    response = page(template, status, form=form, judged=judged, problem=problem)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response
