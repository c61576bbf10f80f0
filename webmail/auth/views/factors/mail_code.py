"""A code by e-mail, instead of the usual factor or as the usual one: sent to the recovery address, and typed like the others."""

from __future__ import annotations

from dataclasses import dataclass

from flask import abort, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.factors import mailed_codes, second_step
from webmail.auth.factors.mailed_codes import CodePurpose
from webmail.auth.guard import comes_first, public
from webmail.auth.notifications.codes import mail_code
from webmail.auth.sessions.cookies import visit
from webmail.auth.sign_in.first_steps import FirstStep
from webmail.errors import BadAddressError
from webmail.models import User
from webmail.rate_limits import TooManyRequestsError
from webmail.web.current import settings
from webmail.web.forms.request_values import next_path
from webmail.web.notices import notify
from webmail.web.texts.code_texts import too_many_codes_words


@dataclass(frozen=True, slots=True)
class MailedWay:
    """That a code may be sent: where to ask for it, and to which address, which is not told whole.

    `only`: the person has no other factor; `sent`: whether a code that is still good is on its way to them then.
    """

    url: str
    address: str
    only: bool = False
    sent: bool = False


@blueprint.post("/login/code/mail")
@public  # for somebody whose password was right, and nobody else
def mail_second_step() -> Response:
    user = visit().pending_user
    if user is None:
        return redirect(url_for("auth.login", next=next_path() or None), 303)
    return _sent(user, "auth.show_second_step")


@blueprint.post("/account/confirm/mail")
@comes_first(FirstStep.SECOND_STEP, FirstStep.RECOVERY)
def mail_confirmation() -> Response:
    user = visit().user
    return _sent(user, "auth.show_confirm") if user is not None else abort(404)


@blueprint.app_template_global()
def mailed_way() -> MailedWay | None:
    """How the person at the second step may be sent a code; None where they may not.

    No query, but three where they turned codes by e-mail on.
    """
    user, endpoint = visit().pending_user, "auth.mail_second_step"
    if user is None:
        user, endpoint = visit().user, "auth.mail_confirmation"
    if user is None or not mailed_codes.can_replace_factor(user, settings()):
        return None
    only = second_step.has_only_mail(user)
    return MailedWay(url_for(endpoint), mailed_codes.masked(user.recovery_address), only, only and _is_on_its_way(user))


@blueprint.app_template_global()
def only_mail_is_away() -> bool:
    """Whether the person has no other factor than codes by e-mail, which can't be sent now. No query where they have none."""
    user = visit().pending_user or visit().user
    return user is not None and not mailed_codes.can_replace_factor(user, settings()) and second_step.has_only_mail(user)


def mail_only_factor(user: User) -> None:
    """Send a code to somebody who has no other factor, once their password was right; none while one is on its way."""
    here = settings()
    if mailed_codes.can_replace_factor(user, here) and second_step.has_only_mail(user) and not _is_on_its_way(user):
        _mail(user)


def _is_on_its_way(user: User) -> bool:
    return mailed_codes.waiting_for(user, CodePurpose.SECOND_STEP) == user.recovery_address


def _sent(user: User, back: str) -> Response:
    if not mailed_codes.can_replace_factor(user, settings()):
        abort(404)
    only = second_step.has_only_mail(user)
    again = only and _is_on_its_way(user)
    sent = _mail(user)
    if sent and again:
        notify(_("We sent another code. The previous one no longer works."), "done")
    elif sent and not only:  # else the page itself says so
        notify(_("We sent a code to %(address)s.", address=mailed_codes.masked(user.recovery_address)), "done")
    return redirect(url_for(back, next=next_path() or None), 303)


def _mail(user: User) -> bool:
    """Send it, or say why not; returns whether it was sent."""
    try:
        mail_code(user, CodePurpose.SECOND_STEP, user.recovery_address, visit().network)
    except TooManyRequestsError as error:
        notify(too_many_codes_words(error), "caution")
    except BadAddressError:
        notify(_("We can’t send mail to your recovery address. Choose another way."), "caution")
    else:
        return True
    return False
