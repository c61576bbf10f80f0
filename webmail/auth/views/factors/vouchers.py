"""Vouchers page: who asks to be vouched for, for the colleague they named; and the word of it on every page meanwhile."""

from __future__ import annotations

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.factors import vouchers
from webmail.auth.factors.vouchers import GiveFault, NotGivenError
from webmail.auth.guard import asks_again, is_confirmed
from webmail.auth.sessions.user_agent import describe
from webmail.mail import Address
from webmail.models import AuditAct, Voucher
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.formatting import short_date
from webmail.web.frame.banners import add_banner
from webmail.web.frame.page_rows import add_rows, page_rows
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell

_BIGGEST_ID = 2**63 - 1

add_rows("wishes", Voucher, (Voucher.id,), lambda slot: vouchers.is_open_for(slot("user"), slot("now")) & Voucher.given.is_null())


@blueprint.get("/account/vouchers")
def show_vouchers() -> Response:
    _only_where_offered()
    return _page()


@blueprint.get("/account/vouchers/confirm")
@asks_again
def confirm_for_voucher() -> Response:
    """On the way to the form that vouches: a factor was asked for again."""
    _only_where_offered()
    return redirect(url_for("auth.show_vouchers"), 303)


@blueprint.post("/account/vouchers")
@asks_again
def vouch() -> Response:
    _only_where_offered()
    user, chosen = current_user(), _chosen()
    try:
        wish = vouchers.give(chosen, user, request.form.get("number", ""), settings())
    except NotGivenError as error:
        fault: GiveFault = error.args[0]
        if fault is GiveFault.TOO_MANY_TRIES:
            _tell_of_refusal(Voucher.get_by_id(chosen))
        return _page(422, chosen=chosen, problem=_fault_words(fault), wrong=fault is GiveFault.WRONG_NUMBER)
    audited(AuditAct.VOUCHER_GIVEN, wish.receiver.address)
    tell(user, SecurityNotice.VOUCHER_GIVEN, str(_receiver(wish)), browser=describe(request.headers.get("User-Agent", "")))
    name, time = _receiver(wish).label, short_date(wish.expires)
    notify(_("You have vouched for %(name)s, who can sign in until %(time)s.", name=name, time=time), "done")
    return redirect(url_for("auth.show_vouchers"), 303)


@blueprint.post("/account/vouchers/refuse")
def refuse_voucher() -> Response:
    """Nothing has to be confirmed: it only protects."""
    _only_where_offered()
    wish = vouchers.refuse(_chosen(), current_user())
    if wish is None:
        notify(_fault_words(GiveFault.GONE), "caution")
    else:
        _tell_of_refusal(wish)
        notify(_("Refused. %(name)s can’t sign in with your help.", name=_receiver(wish).label), "done")
    return redirect(url_for("auth.show_vouchers"), 303)


@add_banner("auth/_wishes.html", "wishes")
@blueprint.app_template_global()
def wishes_waiting() -> int:
    """How many people ask to be vouched for, for a notice on every page. No query of its own."""
    return len(page_rows("wishes")) if settings().vouchers else 0


def _page(status: int = 200, *, chosen: int = 0, problem: str = "", wrong: bool = False) -> Response:
    user = current_user()
    wishes = [
        {"row": wish, "person": _receiver(wish), "browser": describe(wish.user_agent)} for wish in vouchers.wishes_for(user)
    ]
    return page(
        "auth/vouchers.html", status, wishes=wishes, confirmed=bool(wishes) and is_confirmed(), may_vouch=bool(user.second_step),
        chosen=chosen, problem=problem, wrong=wrong,
    )  # fmt: skip


def _chosen() -> int:
    text = request.form.get("voucher", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return number if 0 < number <= _BIGGEST_ID else abort(404)


def _tell_of_refusal(wish: Voucher) -> None:
    """The person whose password was typed hears of it, with the browser and network that it was typed in."""
    user, receiver = current_user(), wish.receiver
    audited(AuditAct.VOUCHER_REFUSED, receiver.address)
    giver = str(Address(user.name, user.address))
    tell(receiver, SecurityNotice.VOUCHER_REFUSED, giver, browser=describe(wish.user_agent), network=wish.network)


def _receiver(wish: Voucher) -> Address:
    return Address(wish.receiver.name, wish.receiver.address)


def _only_where_offered() -> None:
    if not settings().vouchers:
        abort(404)


def _fault_words(fault: GiveFault) -> str:
    match fault:
        case GiveFault.NO_FACTOR:
            return _("Set up two-step verification yourself first: then you can vouch for others.")
        case GiveFault.TOO_MANY:
            most = vouchers.GIVEN.most
            return ngettext(
                "You can vouch once a day. Ask another colleague to vouch for this person.",
                "You can vouch %(num)d times a day. Ask another colleague to vouch for this person.",
                most,
            )
        case GiveFault.GONE:
            return _("This request is no longer waiting for you. Your colleague can ask you again.")
        case GiveFault.WRONG_NUMBER:
            return _("This is not the number on their screen. Ask for it again.")
        case GiveFault.TOO_MANY_TRIES:
            return _("The number was wrong three times, so this was refused. Your colleague can ask you again.")
