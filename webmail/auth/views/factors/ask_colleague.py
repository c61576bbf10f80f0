"""Asking a colleague, at the second step: name one, tell them the number on the screen, and sign in once they have vouched."""

from __future__ import annotations

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import audit
from webmail.auth.blueprint import blueprint
from webmail.auth.factors import vouchers
from webmail.auth.factors.second_step import Factor
from webmail.auth.factors.vouchers import NotAskedError, State, WishFault
from webmail.auth.forms import ColleagueForm
from webmail.auth.guard import public
from webmail.auth.sessions.cookies import visit
from webmail.auth.sessions.user_agent import describe
from webmail.auth.views.completion import after_sign_in
from webmail.auth.views.factors.second_step import kept_fields, second_step_done, second_step_over
from webmail.mail import Address
from webmail.models import AuditAct, User
from webmail.rate_limits import TooManyRequestsError
from webmail.web.audit import audited
from webmail.web.current import settings
from webmail.web.forms.request_values import local_path, next_path
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.too_many import told_to_wait, too_many_words
from webmail.web.security_mail import SecurityNotice, tell


@blueprint.get("/login/code/voucher")
@public  # for somebody whose password was right, and nobody else
def show_wish() -> Response:
    """The form that asks for a colleague, or what became of the wish; with scripts the page asks for that by itself (`auto`)."""
    _only_where_offered()
    target, row = next_path(), visit().pending_row
    if row is None:
        return _elsewhere(target)
    wish = None if "again" in request.args else vouchers.asked_in(row.id_hash)
    if wish is None:
        return _form(ColleagueForm(formdata=None, next=target))
    state = vouchers.state_of(wish)
    if "auto" in request.args and state is State.WAITING:  # nothing new: the page stays, and is not read out again
        return Response(status=204)
    return page("auth/voucher_wish.html", wish=wish, state=state, target=target, kept=kept_fields())


@blueprint.post("/login/code/voucher")
@public
def ask_colleague() -> Response:
    _only_where_offered()
    form, row = ColleagueForm(), visit().pending_row
    if row is None:
        return second_step_over()
    user: User = row.user
    try:
        wish = vouchers.ask(
            user, form.colleague.data or "", row.id_hash, settings(),
            user_agent=request.headers.get("User-Agent", ""), network=visit().network,
        )  # fmt: skip
    except NotAskedError as error:
        form.colleague.errors = [_fault_words(error.args[0])]
        return _form(form, 422)
    except TooManyRequestsError as error:
        return told_to_wait(_form(form, error.status, too_many_words(error)), error)
    visit().wait_longer()
    audited(AuditAct.VOUCHER_ASKED, wish.named if wish.giver_id else audit.UNKNOWN, actor=user)
    return redirect(url_for("auth.show_wish", next=local_path(form.next.data or "") or None), 303)


@blueprint.post("/login/code/voucher/use")
@public
def use_voucher() -> Response:
    _only_where_offered()
    row, target = visit().pending_row, local_path(request.form.get("next", ""))
    if row is None:
        return second_step_over()
    user: User = row.user
    wish = vouchers.use(row.id_hash)
    if wish is None:
        last = vouchers.asked_in(row.id_hash)
        if last is not None and vouchers.state_of(last) is State.WAITING:
            notify(_("Nobody has vouched for you yet."), "caution")
        return redirect(url_for("auth.show_wish", next=target or None), 303)
    assert wish.giver is not None  # whoever gave it
    giver = Address(wish.giver.name, wish.giver.address)
    audited(AuditAct.VOUCHER_USED, giver.email, actor=user)
    tell(user, SecurityNotice.VOUCHER_USED, str(giver), browser=describe(request.headers.get("User-Agent", "")))
    return second_step_done(Factor.VOUCHER, target)


def _only_where_offered() -> None:
    if not settings().vouchers:
        abort(404)


def _elsewhere(target: str) -> Response:
    """For somebody who is signed in already, or who has to begin again."""
    there = after_sign_in(target) if visit().user is not None else url_for("auth.login", next=target or None)
    if request.headers.get("HX-Request") == "true":
        return Response(status=401, headers={"HX-Redirect": there})
    return redirect(there, 303)


def _form(form: ColleagueForm, status: int = 200, problem: str = "") -> Response:
    form.next.data = local_path(form.next.data or "")
    user = visit().pending_user
    admin = user is not None and user.role != "person"
    return page("auth/ask_colleague.html", status, form=form, problem=problem, admin=admin, kept=kept_fields())


def _fault_words(fault: WishFault) -> str:
    match fault:
        case WishFault.UNUSABLE:
            return _("Enter your colleague’s email address or user name.")
        case WishFault.ONESELF:
            return _("You can’t vouch for yourself. Enter a colleague’s address.")
        case WishFault.OUTSIDE:
            return _("Only a colleague of %(place)s can vouch for you.", place=settings().name)
