"""Telephone page: a person gives a number, and confirms it by the code that arrives there as a text message."""

from __future__ import annotations

from flask import abort, current_app, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.factors import mailed_codes
from webmail.auth.factors.mailed_codes import CodePurpose, CodeRefusedError
from webmail.auth.forms import PhoneForm
from webmail.auth.guard import asks_again, confirm_first
from webmail.auth.notifications.password_reset import code_text, phone_text
from webmail.auth.recovery import phone, phone_numbers, text_messages
from webmail.auth.recovery.phone_numbers import NumberFault, NumberRefusedError
from webmail.auth.sessions.cookies import visit
from webmail.auth.views.recovery.new_password import text_soon
from webmail.models import AuditAct
from webmail.rate_limits import TooManyRequestsError
from webmail.system_mail.sms import NotTextedError
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.too_many import told_to_wait
from webmail.web.security_mail import SecurityNotice, tell
from webmail.web.texts.code_texts import code_fault_words, too_many_codes_words

_PURPOSE = CodePurpose.PHONE


@blueprint.get("/account/phone")
def show_phone() -> Response:
    return _page(PhoneForm(formdata=None), ask="change" in request.args)


@blueprint.post("/account/phone")
def give_phone() -> Response:
    """Text a code to the number that was typed, or once more to the same one."""
    if not phone.is_offered(settings()):
        abort(404)
    form, user = PhoneForm(), current_user()
    if elsewhere := confirm_first():
        return elsewhere
    try:
        number = phone.new_number(form.number.data or "", user, settings())
        code = mailed_codes.begin_by_text(user, number, settings(), visit().network)
        text_messages.send(number, code_text(code), settings())
    except NumberRefusedError as refused:
        form.number.errors = [_fault_words(refused.fault)]
        return _page(form, 422, ask=True)
    except TooManyRequestsError as error:
        form.number.errors = [too_many_codes_words(error)]
        return told_to_wait(_page(form, error.status, ask=True), error)
    except NotTextedError as error:
        mailed_codes.forget(user, _PURPOSE)
        current_app.logger.warning("a code is not sent: %s", error)
        form.number.errors = [_("The text message could not be sent. Try again later.")]
        return _page(form, 502, ask=True)
    return redirect(url_for("auth.show_phone"), 303)


@blueprint.post("/account/phone/code")
def confirm_phone() -> Response:
    if not phone.is_offered(settings()):
        abort(404)
    form, user = PhoneForm(), current_user()
    try:
        number = mailed_codes.accept(user, _PURPOSE, form.code.data or "", settings())
    except CodeRefusedError as refused:
        form.code.errors = [code_fault_words(refused.fault)]
        return _page(form, 422)
    before = phone.keep(user, number, at_once=bool(user.second_step))
    audited(AuditAct.PHONE_SET, phone_numbers.masked(number), before=phone_numbers.masked(before) or None)
    tell(user, SecurityNotice.PHONE_SET, phone_numbers.grouped(number))
    text_soon(user, before, phone_text(user))
    notify(_("%(number)s is now your telephone number.", number=phone_numbers.grouped(number)), "done")
    return redirect(url_for("auth.show_phone"), 303)


@blueprint.post("/account/phone/remove")
@asks_again
def remove_phone() -> Response:
    user = current_user()
    if before := phone.keep(user, ""):
        audited(AuditAct.PHONE_REMOVED, phone_numbers.masked(before))
        tell(user, SecurityNotice.PHONE_REMOVED, phone_numbers.grouped(before))
        text_soon(user, before, phone_text(user))
        notify(_("You no longer have a telephone number."), "done")
    mailed_codes.forget(user, _PURPOSE)
    return redirect(url_for("auth.show_security" if not phone.is_offered(settings()) else "auth.show_phone"), 303)


@blueprint.app_template_global()
def phone_is_offered() -> bool:
    """Whether pages speak of telephone numbers at all."""
    return phone.is_offered(settings())


@blueprint.app_template_filter("phone_number")
def in_one_piece(number: str) -> str:
    """As it is shown, with spaces at which no line ends."""
    return phone_numbers.grouped(number).replace(" ", "\u00a0")


def _page(form: PhoneForm, status: int = 200, *, ask: bool = False) -> Response:
    """Ask for a number (`ask`), or for the code that is on its way, or show the number there is."""
    user = current_user()
    if not phone.is_offered(settings()) and not user.phone:
        abort(404)
    waiting = "" if ask else mailed_codes.waiting_for(user, _PURPOSE)
    return page("auth/phone.html", status, form=form, waiting=waiting, ask=ask or not (waiting or user.phone))


def _fault_words(fault: NumberFault) -> str:
    match fault:
        case NumberFault.INVALID:
            return _("This number is not complete. For example: 06 12 34 56 78 or +33 6 12 34 56 78.")
        case NumberFault.NOT_MOBILE:
            return _("Choose the number of a mobile phone: others don’t receive text messages.")
        case NumberFault.SAME:
            return _("This is your number already.")
