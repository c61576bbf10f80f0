"""Forgotten password: asks who it is, and for the code that came as a text message. Answers the same whoever asks for whom."""

from __future__ import annotations

from functools import partial

from flask import Flask, current_app, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import audit
from webmail.auth.blueprint import blueprint
from webmail.auth.factors.mailed_codes import CodeRefusedError
from webmail.auth.forms import ForgotForm
from webmail.auth.guard import public
from webmail.auth.notifications import password_reset as reset_letters
from webmail.auth.recovery import password_reset, text_messages
from webmail.auth.recovery.password_reset import AskedReset, Channel
from webmail.auth.sessions.cookies import visit
from webmail.auth.views.password import PROVED
from webmail.database.connection import DATABASE_AWAY, db
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import AuditAct
from webmail.rate_limits import TooManyRequestsError
from webmail.web.current import after_the_answer, settings
from webmail.web.rendering import page
from webmail.web.responses.too_many import told_to_wait, too_many_words
from webmail.web.texts.code_texts import code_fault_words

_TOKENS = "reset_tokens"  # in the session: of the codes that were asked for in this browser, the latest first
_MOST_TOKENS = 5


@blueprint.get("/forgot")
@public
def show_forgot() -> Response:
    return _page("ask", ForgotForm(formdata=None))


@blueprint.post("/forgot")
@public
def ask_forgot() -> Response:
    """`action`: mail or sms. What is sent, if anything, is decided once the answer has gone."""
    form, ways = ForgotForm(), password_reset.channels(settings())
    if not ways:
        return _page("ask", form, 403)
    channel = next((way for way in ways if way == request.form.get("action")), ways[0])
    if not (form.username.data or "").strip():
        form.username.errors = [_("Type your user name or address.")]
        return _page("ask", form, 422)
    try:
        asked = password_reset.ask(form.username.data or "", channel, visit().network, settings(), browser=visit().device_cookie)
    except TooManyRequestsError as error:
        return told_to_wait(_page("ask", form, error.status, problem=too_many_words(error)), error)
    after_the_answer(partial(_send, current_app._get_current_object(), asked))  # type: ignore[attr-defined]
    if channel is Channel.MAIL:
        return redirect(url_for("auth.show_forgot_sent"), 303)
    session[_TOKENS] = [asked.token, *_tokens()][:_MOST_TOKENS]
    return redirect(url_for("auth.show_reset_code"), 303)


@blueprint.get("/forgot/sent")
@public
def show_forgot_sent() -> Response:
    return _page("sent", ForgotForm(formdata=None))


@blueprint.get("/forgot/code")
@public
def show_reset_code() -> Response:
    if not _tokens():
        return redirect(url_for("auth.show_forgot"), 303)
    return _page("code", ForgotForm(formdata=None))


@blueprint.post("/forgot/code")
@public
def check_reset_code() -> Response:
    form = ForgotForm()
    try:
        proved = password_reset.check_code(_tokens(), form.code.data or "", settings())
    except CodeRefusedError as refused:
        form.code.errors = [code_fault_words(refused.fault)]
        return _page("code", form, 422)
    session.pop(_TOKENS, None)
    session[PROVED] = proved
    return redirect(url_for("auth.show_new_password"), 303)


def _page(step: str, form: ForgotForm, status: int = 200, *, problem: str = "") -> Response:
    """`step`: ask, sent, or code."""
    ways = [str(way) for way in password_reset.channels(settings())]
    return page("auth/forgot.html", status, step=step, form=form, ways=ways, problem=problem)


def _tokens() -> list[str]:
    return list(session.get(_TOKENS, []))


def _send(app: Flask, reset: AskedReset) -> None:
    """Once the answer has gone. Whatever goes wrong is only logged: nobody is there any more."""
    try:
        with app.app_context():
            with db.connection_context():
                if (sending := password_reset.take_sending(reset, settings())) is None:
                    return
                audit.record(AuditAct.PASSWORD_RESET_ASKED, target=sending.user.address, network=reset.network)
                text = reset_letters.send(sending, reset)
            if text:
                text_messages.send_soon(sending.to, text, settings())
    except (BadAddressError, UnsafeValueError, *DATABASE_AWAY) as error:
        app.logger.warning("the way to a new password is not sent: %s", error)
