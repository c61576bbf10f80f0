"""Password page: a person changes their password, or replaces the temporary one that the administrator gave them."""

from __future__ import annotations

from flask import redirect, request, session
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail.auth import password_change
from webmail.auth.blueprint import blueprint
from webmail.auth.check_slots import TooBusy
from webmail.auth.cookies import visit
from webmail.auth.endings import end_everything_else
from webmail.auth.first_steps import FirstStep
from webmail.auth.forms import PasswordForm
from webmail.auth.guard import FACTOR, comes_first, public
from webmail.auth.password_change import ChangeFault, PasswordNotChanged
from webmail.auth.password_strength import Strength, Weakness
from webmail.auth.second_step import Factor
from webmail.auth.throttle import TooManyAttempts
from webmail.auth.user_agent import describe
from webmail.auth.views.completion import after_sign_in
from webmail.auth.views.sign_in import busy_words, too_many_words
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import fragment, page
from webmail.web.request_values import next_path
from webmail.web.security_mail import SecurityNotice, tell

_LEVELS = (_l("Very weak"), _l("Weak"), _l("Fair"), _l("Good"), _l("Strong"))
_WHY = {
    Weakness.COMMON: _l("This is a common password, one of the first that others would try."),
    Weakness.KNOWN: _l("Your name, your address and your organisation’s name are easy to guess. Add unrelated words."),
    Weakness.WORD: _l("A single word or name is easy to guess. Use several unrelated words."),
    Weakness.KEYS: _l("Neighbouring keys are easy to guess."),
    Weakness.REPEATED: _l("Repeating letters or words makes a password longer, but hardly stronger."),
    Weakness.SEQUENCE: _l("Sequences such as abc or 1234 are easy to guess."),
    Weakness.DATE: _l("Dates and years are easy to guess."),
    Weakness.GUESSABLE: _l("Several unrelated words make a better password."),
}  # fmt: skip


@blueprint.get("/account/password")
@comes_first(FirstStep.PASSWORD)
def show_password() -> Response:
    return _page(PasswordForm(next=next_path()))


@blueprint.post("/account/password")
@comes_first(FirstStep.PASSWORD)
def change_password() -> Response:
    """Change it, end all other sessions, and give this one a new token."""
    form, user = PasswordForm(), current_user()
    if settings().sign_in != "accounts":
        return _page(form, 403)
    before, new = form.password.data or "", form.new_password.data or ""
    try:
        password_change.change(user, before, new, form.new_password_again.data or "", settings())
    except PasswordNotChanged as refused:
        if ChangeFault.WRONG in refused.faults.values():
            audited(AuditAct.PASSWORD_CHANGE_REFUSED)
        for name, fault in refused.faults.items():
            form[name].errors = [_fault(fault, refused.strength)]
        return _page(form, 422, judged=refused.strength if new else None)
    except TooManyAttempts as error:
        return _page(form, error.status, problem=too_many_words(error.retry_minutes), wait=error.retry_minutes * 60)
    except TooBusy as error:
        return _page(form, error.status, problem=busy_words(), wait=60)
    return _changed(new, form.next.data or "")


@blueprint.post("/account/password/strength")
@public  # asked while one types: its answer may come when the session is another one already, and must lead nowhere
def show_strength() -> Response:
    """The strength of what is being typed, for the page that shows it at once; nothing for visitors."""
    user, password = visit().user, request.form.get("new_password", "")
    judged = password_change.strength(password, user, settings()) if user is not None and password else None
    return fragment("auth/_strength.html", judged=judged)


def _changed(new: str, target: str) -> Response:
    user, row = current_user(), visit().row
    others = end_everything_else(user, settings(), keep=visit().id)
    kept = {"kept": session["kept"]} if "kept" in session else {}
    if session.get(FACTOR) == Factor.VOUCHER:  # still true; of a factor it would be too long ago
        kept[FACTOR] = Factor.VOUCHER
    visit().start(
        user,
        shared=bool(row and row.shared),
        lasting=bool(row and row.lasting),
        confirmed=not user.second_step,  # who has no other factor has just typed the one there is
        password=new,
        data=kept,
    )
    audited(AuditAct.PASSWORD_CHANGED, describe(request.headers.get("User-Agent", "")), sessions=others or None)
    tell(user, SecurityNotice.PASSWORD_CHANGED)
    words = _("Password changed.")
    if others:
        words += " "
        words += ngettext("%(num)d other browser is signed out.", "%(num)d other browsers are signed out.", others)
    notify(words, "done")
    return redirect(after_sign_in(target), 303)


def _page(form: PasswordForm, status: int = 200, *, judged: Strength | None = None, problem: str = "", wait: int = 0) -> Response:
    first = bool(current_user().must_change) and settings().sign_in == "accounts"
    template = "auth/first_password.html" if first else "auth/password.html"
    if first:
        form.password.label.text = _("The password you were given")
    response = page(template, status, form=form, judged=judged, problem=problem)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response


def _fault(fault: ChangeFault, judged: Strength) -> str:
    match fault:
        case ChangeFault.WRONG:
            return _("This is not your current password.")
        case ChangeFault.DIFFERENT:
            return _("The two new passwords are not the same.")
        case ChangeFault.SAME:
            return _("This is the password you have now. Choose another one.")
        case ChangeFault.UNUSABLE:
            return _("This password is empty, too long, or contains characters that mail programs can't send.")
        case ChangeFault.WEAK:
            return weakness_words(judged) or _("This password is too easy to guess.")


@blueprint.app_template_global()
def strength_words(judged: Strength) -> str:
    """The level in words."""
    return str(_LEVELS[judged.score])


@blueprint.app_template_global()
def weakness_words(judged: Strength) -> str:
    """What would make the password better; "" where nothing stands out."""
    if judged.weakness is Weakness.SHORT:
        length = settings().password_length
        return ngettext(
            "Use at least %(num)d character.", "Use at least %(num)d characters. Several words are easy to remember.", length
        )
    return str(_WHY[judged.weakness]) if judged.weakness else ""
