"""CAS: leads to the establishment's CAS server and back, to sign in or to confirm that it is you; and is told of sign-outs there.

CAS has no `state`. Ours is part of the address that the server leads back to (`service`), for which alone its ticket is good, and
in the session of the browser that began: so nobody is signed in by a link with somebody else's ticket.
"""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from flask import Response as Plain
from flask import abort, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import audit
from webmail.auth import sessions
from webmail.auth.blueprint import blueprint
from webmail.auth.cookies import visit
from webmail.auth.first_steps import FirstStep
from webmail.auth.forms import SignInForm
from webmail.auth.guard import comes_first, public
from webmail.auth.providers import accounts, cas
from webmail.auth.providers.accounts import Claims, NotLetIn
from webmail.auth.providers.cas import PROVIDER, CasFault, CasRefused
from webmail.auth.second_step import Factor
from webmail.auth.user_agent import describe
from webmail.auth.views.completion import Started, after_sign_in, password_was_right
from webmail.auth.views.confirm import confirm_page, confirmed
from webmail.auth.views.provider_ways import lead_on, refusal_words
from webmail.auth.views.sign_in import kept_for_later, sign_in_page, too_long_words
from webmail.config_providers import Cas
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.public_links import public_link
from webmail.web.request_values import local_path, next_path

_BEGUN = "cas"  # in the session: what was begun in this browser, `CasVisit` as lists
_MOST = 4  # tabs
_LIFE = 15 * 60  # seconds


@dataclass(frozen=True, slots=True)
class CasVisit:
    """A way to the CAS server, and what is to be done when the browser comes back: sign in, or `confirms` who is signed in."""

    state: str
    at: int
    target: str = ""
    shared: bool = False
    lasting: bool = False
    confirms: bool = False
    kept: dict[str, Any] = field(default_factory=dict)


# --- there -----------------------------------------------------------------------------------------------------------


@blueprint.get("/login/cas")
@public
def begin_cas() -> Response:
    rules = _rules()
    if visit().user is not None:
        return redirect(after_sign_in(next_path()), 303)
    return redirect(_begin(rules, target=next_path(), shared="shared" in request.args or visit().on_shared), 302)


@blueprint.post("/login/cas")
@public
def begin_cas_by_form() -> Response:
    """From the sign-in page, with what was chosen there and the text that was being written."""
    rules, form = _rules(), SignInForm()
    if (kept := kept_for_later(form)) is None:
        return sign_in_page(form, 422, too_long_words())
    target = local_path(form.next.data or "")
    address = _begin(rules, target=target, shared=bool(form.shared.data), lasting=bool(form.lasting.data), kept=kept)
    return lead_on(address, rules.title)


@blueprint.get("/account/confirm/cas")
@comes_first(FirstStep.SECOND_STEP, FirstStep.RECOVERY)
def confirm_by_cas() -> Response:
    """The person types their password at the CAS server again."""
    return redirect(_begin(_rules(), target=next_path(), confirms=True), 302)


def _begin(rules: Cas, *, confirms: bool = False, **chosen: Any) -> str:
    """Keep what is begun; the address to go to."""
    begun = CasVisit(secrets.token_urlsafe(24), int(time.time()), confirms=confirms, **chosen)
    session[_BEGUN] = [*_open()[1 - _MOST :], asdict(begun)]
    return cas.login_address(rules, _service(begun.state), renew=confirms)


def _service(state: str) -> str:
    """Where the server leads back to: from the settings, never from the request."""
    return public_link("auth.end_cas", state=state)


def _open() -> list[dict[str, Any]]:
    return [one for one in session.get(_BEGUN, []) if one["at"] > time.time() - _LIFE]


def _take(state: str) -> CasVisit | None:
    """What was begun under this state, once."""
    found = [one for one in _open() if hmac.compare_digest(one["state"].encode(), state.encode())]
    if _BEGUN in session:
        session[_BEGUN] = [one for one in _open() if one not in found]
    return CasVisit(**found[0]) if found else None


# --- and back --------------------------------------------------------------------------------------------------------


@blueprint.get("/login/cas/callback")
@public
def end_cas() -> Response:
    rules, begun = _rules(), _take(request.args.get("state", ""))
    if begun is None:
        if visit().user is not None:  # another tab was quicker
            return redirect(after_sign_in(""), 303)
        return _again(_("This sign-in was begun in another browser, or too long ago. Please start again."), 400)
    if begun.confirms != (visit().user is not None):
        return redirect(after_sign_in(begun.target) if visit().user else url_for("auth.login", next=begun.target or None), 303)
    ticket = request.args.get("ticket", "")
    try:
        claims = cas.validate(rules, _service(begun.state), ticket, settings(), renew=begun.confirms)
        return _confirm(claims, begun, rules) if begun.confirms else _sign_in(claims, begun, rules, ticket)
    except CasRefused as error:
        audited(AuditAct.PROVIDER_REFUSED, PROVIDER)
        return _refused(begun, _fault_words(error.fault, rules.title), error.status)
    except NotLetIn as error:
        audited(AuditAct.PROVIDER_REFUSED, error.address or PROVIDER)
        return _refused(begun, refusal_words(error, rules.title), error.status)


def _sign_in(claims: Claims, begun: CasVisit, rules: Cas, ticket: str) -> Response:
    user = accounts.account_for(claims, rules, settings(), visit().network)
    how = Started(
        shared=begun.shared, lasting=begun.lasting, data=begun.kept, provider=PROVIDER, provider_session=cas.key_of(ticket),
        second_step_done=rules.second_step == "theirs",
    )  # fmt: skip
    return password_was_right(user, how, begun.target)


def _confirm(claims: Claims, begun: CasVisit, rules: Cas) -> Response:
    if not accounts.is_linked(current_user(), claims):
        words = _("You signed in to %(title)s as somebody else, so this was not confirmed.", title=rules.title)
        audited(AuditAct.PROVIDER_REFUSED, PROVIDER)
        return _refused(begun, words, 403)
    return confirmed(Factor.PROVIDER, begun.target)


def _refused(begun: CasVisit, words: str, status: int) -> Response:
    if begun.confirms:
        return confirm_page(begun.target, status, words)
    return _again(words, status, begun)


def _again(words: str, status: int, begun: CasVisit | None = None) -> Response:
    """The sign-in page, which says why this way did not lead in."""
    target, shared = (begun.target, begun.shared) if begun else ("", visit().on_shared)
    kept = begun.kept.get("kept", {}).get("fields", []) if begun else []
    return sign_in_page(SignInForm(formdata=None, next=target, shared=shared), status, words, kept=kept)


def _fault_words(fault: CasFault, title: str) -> str:
    match fault:
        case CasFault.TICKET:
            return _("%(title)s did not confirm this sign-in. Please start again.", title=title)
        case CasFault.SERVICE:
            return _("%(title)s does not know this webmail, so it lets nobody in. Tell your administrator.", title=title)
        case CasFault.AWAY:
            words = _("%(title)s is not responding. Try again in a few minutes.", title=title)
            return words + " " + _("If you have a password here, it still works.")
        case CasFault.ODD:
            return _("%(title)s gave an answer that makes no sense, so it lets nobody in. Tell your administrator.", title=title)


# --- sign-out there --------------------------------------------------------------------------------------------------


@blueprint.post("/login/cas/callback")
@public
def sign_out_by_cas() -> Plain:
    """The CAS server says that a session of its own is over: ours that began with its ticket ends.

    Needs no CSRF token, and proves nothing but that it knows the ticket: it has to come from whoever made or used it.
    """
    _rules()
    try:
        ticket = cas.ended_ticket(request.form.get("logoutRequest", "").encode())
    except CasRefused:
        return Plain("", 400, {"Cache-Control": "no-store"})
    for row in sessions.of_provider(PROVIDER, cas.key_of(ticket)):
        if sessions.revoke(row.id_hash):
            network = sessions.network_of(request.remote_addr)
            audit.record(AuditAct.PROVIDER_SIGN_OUT, actor=row.user, target=describe(row.user_agent), network=network)
    return Plain("", 200, {"Cache-Control": "no-store"})


def _rules() -> Cas:
    return settings().cas or abort(404)
