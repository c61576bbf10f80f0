"""Recovery page: a person gives an address outside of their own mail, and confirms it by the code that arrives there.

Codes by e-mail may be a factor of theirs (views/factors/mailed_factor.py): then a new address is one too, and they go with the
address.
"""

from __future__ import annotations

from datetime import datetime

from flask import abort, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.factors import mailed_codes, second_step
from webmail.auth.factors.mailed_codes import CodePurpose, CodeRefusedError
from webmail.auth.forms import RecoveryForm
from webmail.auth.guard import asks_again, comes_first, confirm_first, is_confirmed, step_to_do
from webmail.auth.notifications.codes import mail_code
from webmail.auth.recovery import recovery_address
from webmail.auth.recovery.recovery_address import AddressFault, AddressRefusedError
from webmail.auth.sessions import endings
from webmail.auth.sessions.cookies import visit
from webmail.auth.sign_in.first_steps import FirstStep
from webmail.auth.views import first_walk
from webmail.auth.views.factors.mailed_factor import mail_was_turned_off
from webmail.errors import BadAddressError
from webmail.models import AuditAct, now
from webmail.rate_limits import TooManyRequestsError
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.formatting import long_date
from webmail.web.forms.request_values import local_path
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.too_many import told_to_wait
from webmail.web.security_mail import SecurityNotice, tell
from webmail.web.texts.code_texts import code_fault_words, too_many_codes_words

_PURPOSE = CodePurpose.RECOVERY_ADDRESS
_PROVED = "recovery_given"  # in the session: the address, and whether more than the password said that it is theirs


@blueprint.get("/account/recovery")
@comes_first(FirstStep.RECOVERY, FirstStep.SECOND_STEP)
def show_recovery() -> Response:
    return _page(RecoveryForm(formdata=None), ask="change" in request.args)


@blueprint.post("/account/recovery")
@comes_first(FirstStep.RECOVERY, FirstStep.SECOND_STEP)
def give_recovery() -> Response:
    """Mail a code to the address that was typed, or once more to the same one."""
    form, user = RecoveryForm(), current_user()
    walks = not user.recovery_address and first_walk.walks()
    if not walks and not _is_again(form) and (elsewhere := confirm_first()):
        return elsewhere
    try:
        address = recovery_address.outside(form.address.data or "", user, settings())
        mail_code(user, _PURPOSE, address, visit().network)
    except AddressRefusedError as refused:
        form.address.errors = [_fault_words(refused.fault)]
        return _page(form, 422, ask=True)
    except BadAddressError:
        form.address.errors = [_fault_words(AddressFault.INVALID)]
        return _page(form, 422, ask=True)
    except TooManyRequestsError as error:
        form.address.errors = [too_many_codes_words(error)]
        return told_to_wait(_page(form, error.status, ask=True), error)
    if walks or is_confirmed():
        session[_PROVED] = [address, bool(walks or user.second_step)]
    first_walk.has_walked()
    return _again()


@blueprint.post("/account/recovery/code")
@comes_first(FirstStep.RECOVERY, FirstStep.SECOND_STEP)
def confirm_recovery() -> Response:
    form, user = RecoveryForm(), current_user()
    try:
        address = mailed_codes.accept(user, _PURPOSE, form.code.data or "", settings())
    except CodeRefusedError as refused:
        form.code.errors = [code_fault_words(refused.fault)]
        return _page(form, 422)
    first, proved = _is_first(), session.pop(_PROVED, None) == [address, True]
    before = recovery_address.keep(user, address, at_once=proved)
    if user.mailed_step:
        endings.end_everything_else(user, settings(), keep=visit().id)
    audited(AuditAct.RECOVERY_ADDRESS_SET, address, before=before or None)
    tell(user, SecurityNotice.RECOVERY_ADDRESS_SET, address, also=(before,))
    notify(_("%(address)s is now your recovery address.", address=address), "done")
    if first:
        return redirect(_target() or url_for("mailbox.show", mailbox="INBOX"), 303)
    return _again()


@blueprint.post("/account/recovery/remove")
@asks_again
def remove_recovery() -> Response:
    user = current_user()
    with second_step.changing(user):  # a factor never stays without its address
        was_factor = second_step.turn_mail_off(user)
        before = recovery_address.keep(user, "")
    if was_factor:
        mail_was_turned_off(before)
    if before:
        audited(AuditAct.RECOVERY_ADDRESS_REMOVED, before)
        tell(user, SecurityNotice.RECOVERY_ADDRESS_REMOVED, before, also=(before,))
        notify(_("You no longer have a recovery address."), "done")
    for purpose in (_PURPOSE, CodePurpose.SECOND_STEP):
        mailed_codes.forget(user, purpose)
    return _again()


@blueprint.app_template_global()
def not_yet(since: datetime | None) -> str:
    """What is said of a new way to a forgotten password while it leads nowhere yet."""
    if since is None or since <= now():
        return ""
    return _("If you forget your password, you can use it from %(when)s.", when=long_date(since))


@blueprint.app_template_global()
def recovery_is_offered() -> bool:
    """Whether pages speak of recovery addresses at all."""
    return recovery_address.is_offered(settings())


def _page(form: RecoveryForm, status: int = 200, *, ask: bool = False) -> Response:
    """Ask for an address (`ask`), or for the code that is on its way, or show the address there is."""
    if not recovery_address.is_offered(settings()):
        abort(404)
    user, first = current_user(), _is_first()
    waiting = "" if ask else mailed_codes.waiting_for(user, _PURPOSE)
    form.next.data = _target()
    asking = ask or not (waiting or user.recovery_address)
    if first and asking and status == 200:
        recovery_address.note_asked(user)
    state = {
        "walk": first_walk.walk_number() if asking else "",
        "waiting": waiting,
        "first": first,
        "required": settings().recovery_address == "required",
        "ask": asking,
        "last": second_step.has_only_mail(user),
    }
    return page("auth/first_recovery.html" if first else "auth/recovery.html", status, form=form, **state)


def _again() -> Response:
    return redirect(url_for("auth.show_recovery", first=1 if _is_first() else None, next=_target() or None), 303)


def _is_again(form: RecoveryForm) -> bool:
    """Whether it is another code to the address that one is on its way to: who gave it was asked then."""
    waiting = mailed_codes.waiting_for(current_user(), _PURPOSE)
    return bool(waiting) and (form.address.data or "") == waiting


def _is_first() -> bool:
    """Whether it is asked for on the way to another page: then nothing but this is shown."""
    return "first" in request.values or step_to_do() in (FirstStep.RECOVERY, FirstStep.SECOND_STEP)


def _target() -> str:
    return local_path(request.values.get("next", ""))


def _fault_words(fault: AddressFault) -> str:
    match fault:
        case AddressFault.INVALID:
            return _("This is not a complete address. It looks like marie@example.org.")
        case AddressFault.LONG:
            return _("This address is too long.")
        case AddressFault.INSIDE:
            return _(
                "Choose an address outside %(name)s: one you can still read when you can’t sign in here.", name=settings().name
            )
        case AddressFault.SAME:
            return _("This is your recovery address already.")
