"""Forwarding page: to which addresses all mail goes on, who confirmed them, and until when; the banner on every page.

What turns it on or adds an address asks for a factor again: whoever takes over an account begins with this. What turns it off
does not, nor does a code, which shows no more than that somebody reads what arrives at an address. One that can't be used is
refused before the question; one that can is kept in the session, and added by the page that the question leads back to.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from flask import redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.factors import mailed_codes
from webmail.auth.factors.mailed_codes import CodePurpose, CodeRefusedError
from webmail.auth.guard import asks_again, confirm_first, is_confirmed
from webmail.auth.sessions.cookies import visit
from webmail.auth.sessions.user_agent import describe
from webmail.errors import BadAddressError, MailError
from webmail.filters import store
from webmail.filters.blueprint import blueprint
from webmail.filters.forwarding import forward_change, forward_targets, forwarding, policy
from webmail.filters.forwarding.forward_change import StoredForwarding
from webmail.filters.forwarding.forward_forms import ForwardForm
from webmail.filters.forwarding.forward_targets import KnownForwarding, TargetFault, TargetRefusedError
from webmail.filters.forwarding.forwarding import Forwarding
from webmail.filters.forwarding.policy import ForwardPolicy
from webmail.filters.notifications.forwarding_codes import mail_forward_code
from webmail.filters.rules.rules import BadRuleError
from webmail.filters.store import FiltersChangedError, FilterState
from webmail.filters.views.absence import part_undo
from webmail.filters.views.frame import loaded_state, trouble_words, when_loaded
from webmail.models import AuditAct, User
from webmail.rate_limits import TooManyRequestsError
from webmail.web.audit import audited
from webmail.web.current import current_account, current_user, preferences, settings
from webmail.web.forms.request_values import fetched_ahead, local_path
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.too_many import told_to_wait
from webmail.web.security_mail import SecurityNotice, tell
from webmail.web.texts.code_texts import code_fault_words, too_many_codes_words

_PURPOSE = CodePurpose.FORWARDING
_UNDO = "filters.undo_forwarding"
# in the session: the address that was added last, until it is saved; the one that waits for the question, and since when
_ADDED, _WANTED = "forward_added", "forward_wanted"
_TOLD = "forward_told"  # in the session: the notice on the next page says that it is to be saved
_PATIENCE = 600  # seconds that an address waits for the question to be answered


# --- the page --------------------------------------------------------------------------------------------------------


@blueprint.get("/forwarding")
def show_forwarding() -> Response:
    """3 ManageSieve round trips after signing in to it."""
    if not fetched_ahead() and (wanted := _taken_wanted()):
        return _add_target(wanted)
    try:
        return _forwarding_page(None, loaded_state(), told=session.pop(_TOLD, False))
    except MailError as error:
        return _forwarding_page(None, None, trouble=error)


@blueprint.post("/forwarding")
@asks_again
def save_forwarding() -> Response:
    form, user = ForwardForm.typed(request.form), current_user()
    found = form.read(_now())
    if found is None:
        return _forwarding_page(form, status=422)
    try:
        stored = forward_change.save(user, current_account(), settings(), found, form.version)
    except (TargetRefusedError, BadRuleError) as refused:
        address = getattr(refused, "address", "")
        form.errors["to"] = _unusable_words(address) if address else _("This can’t be saved as it is.")
        return _forwarding_page(form, status=422)
    except FiltersChangedError:
        words = _("Your forwarding was changed in another window. If you save again, it is replaced by what is below.")
        return _forwarding_page(_renewed(form), trouble_text=words, status=409)
    except MailError as error:
        return _forwarding_page(form, trouble=error)
    session.pop(_ADDED, None)
    _told(stored.before, found)
    _notify(_stored_words(found, stored), stored.before, found, "done" if stored.in_force or not found.on else "caution")
    return redirect(url_for("filters.show_forwarding"), 303)


@blueprint.post("/forwarding/address")
def add_forward_target() -> Response:
    """A colleague's address can be chosen at once; to any other a code is mailed, or once more to the same one."""
    user, text = current_user(), request.form.get("address", "")
    try:
        address = forward_targets.typed(text, user, settings())
        forward_targets.check_new(address, user, settings(), sure=request.form.get("sure", "") == address)
    except TargetRefusedError as refused:
        unsure = refused.address if refused.fault is TargetFault.UNKNOWN else ""
        return _forwarding_page(None, new=text, problem=_fault_words(refused.fault), unsure=unsure, status=422)
    session[_WANTED] = [address, _now().timestamp()]
    if question := confirm_first(back=url_for("filters.show_forwarding"), resumes=True):
        return question
    session.pop(_WANTED)
    return _add_target(address)


def _taken_wanted() -> str:
    """The address that waited for the question, once, if it was answered soon after; else ""."""
    address, since = session.pop(_WANTED, ("", 0.0))
    return str(address) if is_confirmed() and _now().timestamp() - since < _PATIENCE else ""


def _add_target(address: str) -> Response:
    """Add an address that may be used, or mail it a code."""
    user = current_user()
    try:
        forward_targets.check(address, user, settings())
        if not forward_targets.needs_code(user, address, settings()):
            forward_targets.confirm(user, address)
            mailed_codes.forget(user, _PURPOSE)
            notify(_("%(address)s is added. Check the settings below, then save.", address=address), "done")
            session[_ADDED], session[_TOLD] = address, True
            return _back()
        mail_forward_code(user, address, visit().network)
    except TargetRefusedError as refused:
        return _forwarding_page(None, new=address, problem=_fault_words(refused.fault), status=422)
    except BadAddressError:
        return _forwarding_page(None, new=address, problem=_fault_words(TargetFault.INVALID), status=422)
    except TooManyRequestsError as error:
        return told_to_wait(_forwarding_page(None, new=address, problem=too_many_codes_words(error), status=error.status), error)
    return _back("new")


@blueprint.post("/forwarding/code")
def confirm_forward_target() -> Response:
    user = current_user()
    try:
        address = mailed_codes.accept(user, _PURPOSE, request.form.get("code", ""), settings())
        forward_targets.check(address, user, settings())  # the setting may have changed since
        forward_targets.confirm(user, address)
    except CodeRefusedError as refused:
        return _forwarding_page(None, problem=code_fault_words(refused.fault), status=422)
    except TargetRefusedError as refused:
        return _forwarding_page(None, problem=_fault_words(refused.fault), status=422)
    notify(_("%(address)s is confirmed. Check the settings below, then save.", address=address), "done")
    session[_ADDED], session[_TOLD] = address, True
    return _back()


@blueprint.post("/forwarding/remove")
def remove_forward_target() -> Response:
    """Forget an address; nothing goes there any more."""
    user, address = current_user(), request.form.get("address", "")[:254]
    try:
        before = forward_change.without(user, current_account(), settings(), address)
    except MailError as error:
        notify(trouble_words(error), "danger")
        return _back()
    if session.get(_ADDED) == address:
        session.pop(_ADDED)
    if forward_targets.remove(user, address):
        notify(_("%(address)s is removed.", address=address), "done")
    if before.on and address in before.addresses:
        left = tuple(one for one in before.addresses if one != address)
        _told(before, Forwarding(bool(left), left, before.keep, before.until))
    return _back()


@blueprint.post("/forwarding/end")
def end_forwarding() -> Response:
    """By the button of the banner; leads back to where it was pressed."""
    back = local_path(request.form.get("back", ""))
    try:
        before = forward_change.without(current_user(), current_account(), settings())
        if before.on:
            _told(before, Forwarding())
        _notify(_("Your mail is no longer forwarded."), before, replace(before, on=False), back=back)
    except MailError as error:
        notify(trouble_words(error), "danger")
    return redirect(back or url_for("filters.show_forwarding"), 303)


@blueprint.post("/forwarding/undo")
def undo_forwarding() -> Response:
    """Put it back as it was before it was saved or ended, unless it was changed since. What turns it on asks for a factor."""
    row, text = part_undo.stored_undo(_UNDO)
    before = forwarding.from_json(text) if row else Forwarding()
    if before.on and (first := confirm_first()):
        return first

    def put_back(version: str) -> None:
        stored = forward_change.save(current_user(), current_account(), settings(), before, version)
        _told(stored.before, before)

    changed = _("Your forwarding has been changed since, so this can no longer be undone.")
    return part_undo.take_back(row, put_back, changed, "filters.show_forwarding")


def _notify(text: str, before: Forwarding, after: Forwarding, kind: str = "done", back: str = "") -> None:
    """With Undo, where there is something to undo."""
    if before == after:
        notify(text, kind)
        return
    undo = part_undo.undo_offer(_UNDO, forwarding.to_json(before), forward_change.version_of(after), back)
    notify(text, kind, undo=undo)


def _renewed(form: ForwardForm) -> ForwardForm:
    """The same form, which may replace what is stored now."""
    try:
        form.version = forward_change.version_of(store.load(current_account()).filters.forwarding)
    except MailError:
        form.version = ""
    return form


def _forwarding_page(
    form: ForwardForm | None,
    state: FilterState | None = None,
    *,
    trouble: MailError | None = None,
    trouble_text: str = "",
    new: str = "",
    problem: str = "",
    told: bool = False,
    unsure: str = "",
    status: int = 200,
) -> Response:
    """`form`: as it was sent, None for what the server has. `problem`: of the address or the code that was typed. `told`: a
    notice says that the address that was added last is to be saved. `unsure`: one that is asked about.
    """
    if form is None and state is None and trouble is None:
        try:
            state = loaded_state()
        except MailError as error:
            trouble = error
    added, user, targets = "", current_user(), forward_targets.for_user(current_user())
    addresses = [str(row.address) for row in targets if row.confirmed or row.active]
    if form is None and state is not None:
        form = ForwardForm.showing(state.filters.forwarding, (str(row.address) for row in targets if row.confirmed), _now())
        added = str(session.get(_ADDED, ""))
        added = added if added in addresses and added not in (form.to if form.on else ()) else ""
        if added:
            form.choose(added)
    if form is not None:
        addresses += [one for one in form.to if one not in addresses and form.on]
    here = settings()
    return page(
        "filters/forwarding.html", trouble.status if trouble else status, form=form, state=state,
        trouble=trouble_words(trouble) if trouble else trouble_text,
        added="" if told else added, unsure=unsure,
        targets=[(one, policy.may_forward(user, one, here)) for one in addresses],
        closed=forward_targets.closed(addresses) if addresses else (),
        waiting="" if new else mailed_codes.waiting_for(user, _PURPOSE), new=new, problem=problem,
        policy=str(policy.policy_for(user, here)), may_be_outside=here.system_sender is not None,
        domains=_domains(user), most=len(targets) >= forward_targets.MOST_TARGETS,
    )  # fmt: skip


def _domains(user: User) -> tuple[str, ...]:
    """Those that an address may be of, () for any."""
    kind, here = policy.policy_for(user, settings()), settings()
    if kind is ForwardPolicy.ANYWHERE and here.system_sender is not None:
        return ()
    confirmed = kind is ForwardPolicy.DOMAINS and here.system_sender is not None
    listed = policy.listed_domains(user, here) if confirmed else ()
    return tuple(dict.fromkeys([*here.own_domains(user.domain), *listed]))


def _back(anchor: str = "") -> Response:
    return redirect(url_for("filters.show_forwarding", _anchor=anchor or None), 303)


# --- what is told ----------------------------------------------------------------------------------------------------


def _told(before: Forwarding, after: Forwarding) -> None:
    """Audit log, and a mail to the person, wherever they can be reached: it is not theirs alone to know that mail leaves."""
    user = current_user()
    if after.on and after != before:
        until = after.until.isoformat(timespec="minutes") if after.until else None
        audited(AuditAct.FORWARDING_SET, user.address, address=" ".join(after.addresses), day=until)
        tell(user, SecurityNotice.FORWARDING_SET, ", ".join(after.addresses), browser=_browser())
    elif before.on and not after.on:
        audited(AuditAct.FORWARDING_ENDED, user.address, address=" ".join(before.addresses))
        tell(user, SecurityNotice.FORWARDING_ENDED, ", ".join(before.addresses), browser=_browser())


def _browser() -> str:
    return describe(request.headers.get("User-Agent", ""))


def _stored_words(found: Forwarding, stored: StoredForwarding) -> str:
    if not found.on:
        return _("Your mail is no longer forwarded.") if stored.before.on else _("Saved. Your mail is not forwarded.")
    if stored.other:
        return _("Saved, but another program’s filters (“%(name)s”) are active: nothing is forwarded yet.", name=stored.other)
    if stored.paused:
        return _("Saved, but all your filters are paused: nothing is forwarded yet.")
    return _("Your mail is now forwarded to %(addresses)s.", addresses=", ".join(found.addresses))


def _unusable_words(address: str) -> str:
    return _("Your mail can’t be forwarded to %(address)s. Add it below, or choose another.", address=address)


def _fault_words(fault: TargetFault) -> str:
    match fault:
        case TargetFault.OFF:
            return _("Your organisation does not allow forwarding.")
        case TargetFault.POLICY:
            return _("Your organisation does not allow forwarding to this address.")
        case TargetFault.CLOSED:
            return _("This account is closed: mail that is forwarded there comes back. Choose another address.")
        case TargetFault.OWN:
            return _("This is your own address. Choose another.")
        case TargetFault.LOOP:
            return _("Mail from that address is forwarded to you, so it would go round in circles. Choose another address.")
        case TargetFault.CODELESS:
            return _("Only addresses of your organisation can be used here.")
        case TargetFault.UNKNOWN:
            return _("We know no account with this address. If it is right, a list’s for example, choose “Add” again.")
        case TargetFault.MANY:
            return _("You have too many addresses here. Remove one first.")
    return _("This is not a complete address. It looks like marie@example.org.")


# --- on every page ---------------------------------------------------------------------------------------------------


@blueprint.app_template_global()
def forwarding_known() -> KnownForwarding | None:
    """What the banner says, from a copy: neither a query nor the mail server is asked. None where there is nothing to say."""
    found = forward_targets.parse_copy(preferences().forwarding, preferences().forwarding_closed)
    return found if found is not None and found.is_on(_now()) else None


def _keep_copy(state: FilterState) -> None:
    if not fetched_ahead():
        forward_targets.keep(current_user(), state)


when_loaded(_keep_copy)


def _now() -> datetime:
    return datetime.now(UTC)
