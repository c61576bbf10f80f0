"""New password of somebody who has forgotten theirs: by the link that was mailed, or after the code of a text message.

Opening the link changes nothing, since programs that look for viruses open the links of mail too.
"""

from __future__ import annotations

from flask import request, session
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.forms import ResetForm
from webmail.auth.guard import public
from webmail.auth.notifications import password_reset as reset_letters
from webmail.auth.passwords.change import PasswordNotChangedError
from webmail.auth.passwords.check_admission import TooBusyError
from webmail.auth.passwords.strength import Strength
from webmail.auth.passwords.texts import fault_words
from webmail.auth.recovery import password_reset, text_messages
from webmail.auth.recovery.password_reset import ResetOverError
from webmail.auth.sessions.cookies import visit
from webmail.auth.sessions.endings import end_everything_else
from webmail.auth.sessions.user_agent import describe
from webmail.auth.views.completion import Started, password_was_right
from webmail.auth.views.password import PROVED
from webmail.auth.views.sign_in import busy_words
from webmail.models import AuditAct, User
from webmail.web.audit import audited
from webmail.web.current import settings
from webmail.web.formatting import lazy_text as _l
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell

_NOTE = _l(
    "Phones and programs with an app password keep working. If it was not you, choose another password "
    "yourself with “Forgotten password” on the sign-in page, and ask for help."
)


@blueprint.get("/forgot/<token>")
@public
def show_reset_link(token: str) -> Response:
    return _page(ResetForm(formdata=None, token=token, shared=visit().on_shared))


@blueprint.get("/forgot/new")
@public
def show_new_password() -> Response:
    """After a code: the token is in the session."""
    return _page(ResetForm(formdata=None, shared=visit().on_shared))


@blueprint.post("/forgot/new")
@public
def choose_password() -> Response:
    """Keep it, end everything that was open, and go on as after the right password: the second step is still to come."""
    form = ResetForm()
    new = form.new_password.data or ""
    try:
        user = password_reset.use(_token(form), new, form.new_password_again.data or "", settings())
    except PasswordNotChangedError as refused:
        for name, fault in refused.faults.items():
            form[name].errors = [fault_words(fault, refused.strength)]
        return _page(form, 422, judged=refused.strength if new else None)
    except TooBusyError as error:
        response = _page(form, error.status, problem=busy_words())
        response.headers["Retry-After"] = "60"
        return response
    except ResetOverError:
        return _page(form)
    ended = end_everything_else(user, settings(), signs_in=True)
    session.pop(PROVED, None)
    browser = describe(request.headers.get("User-Agent", ""))
    audited(AuditAct.PASSWORD_RESET, browser, actor=user, sessions=ended or None)
    tell(user, SecurityNotice.PASSWORD_RESET, browser=browser, note=_NOTE)
    text_soon(user, user.phone, reset_letters.reset_text(user))
    how = Started(shared=bool(form.shared.data), lasting=bool(form.lasting.data), password=new)
    answer = password_was_right(user, how, "")
    notify(_("Your new password is saved. You are signed out everywhere else."), "done")
    return answer


def text_soon(user: User, number: str, text: str) -> None:
    """Tell somebody by a text message, where they have a number and the day's are not used up. Nobody waits for it."""
    if text_messages.may_send(user, number, settings(), network=visit().network):
        text_messages.send_soon(number, text, settings())


def _page(form: ResetForm, status: int = 200, *, judged: Strength | None = None, problem: str = "") -> Response:
    """The form, or that the link or code is over."""
    user = password_reset.holder(_token(form))
    if user is None:
        return page("auth/reset_over.html", 410, by_link=bool(form.token.data))
    other = visit().user if visit().user != user else None
    answer = page("auth/reset_password.html", status, form=form, user=user, other=other, judged=judged, problem=problem)
    # the link's token stands in the address; "no-referrer" would hide our own Origin
    answer.headers["Referrer-Policy"] = "origin"
    return answer


def _token(form: ResetForm) -> str:
    return form.token.data or session.get(PROVED, "")
