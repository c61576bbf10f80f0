"""CAS: leads to the establishment's CAS server and back, to sign in, to connect an account, to confirm; and hears of sign-outs.

CAS has no `state`. Ours is part of the address that the server leads back to (`service`), for which alone its ticket is good, and
in the session of the browser that began: so nobody is signed in by a link with somebody else's ticket.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from dataclasses import astuple, dataclass
from typing import Any

from flask import Response as Plain
from flask import abort, current_app, redirect, request, session
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import audit
from webmail.auth.blueprint import blueprint
from webmail.auth.factors.second_step import Factor
from webmail.auth.forms import SignInForm
from webmail.auth.guard import asks_again, comes_first, public
from webmail.auth.providers import accounts, cas
from webmail.auth.providers.accounts import Claims, NotLetInError
from webmail.auth.providers.cas import PROVIDER, CasFault, CasRefusedError
from webmail.auth.sessions import sessions
from webmail.auth.sessions.cookies import visit
from webmail.auth.sessions.user_agent import describe
from webmail.auth.sign_in.first_steps import FirstStep
from webmail.auth.views.completion import after_sign_in
from webmail.auth.views.factors.confirm import resume_after_factor
from webmail.auth.views.providers import oidc_attempts
from webmail.auth.views.providers import provider_answers as answers
from webmail.auth.views.providers.linked_accounts import ask_to_connect
from webmail.auth.views.providers.oidc_attempts import AttemptPurpose
from webmail.auth.views.providers.provider_ways import lead_on, refusal_words
from webmail.auth.views.sign_in import kept_text, sign_in_page, too_long_words
from webmail.config.providers import Cas
from webmail.models import AuditAct
from webmail.rate_limits import TooManyRequestsError
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import local_path, next_path
from webmail.web.public_links import public_link
from webmail.web.responses.too_many import too_many_words

_BEGUN = "cas"  # in the session: what was begun in this browser, the fields of `CasVisit`
_MOST = 4  # tabs
_LARGEST = 2000  # characters of all of them: browsers bound cookies
_LIFE = 15 * 60  # seconds


@dataclass(frozen=True, slots=True)
class CasVisit:
    """A way to the CAS server, and what is to be done when the browser comes back. `user`: who is signed in; 0 for nobody.

    `carried`: the text that was being written when a session ended, as oidc_attempts.packed gives it.
    """

    state: str
    at: int
    purpose: str = AttemptPurpose.SIGN_IN
    user: int = 0
    target: str = ""
    shared: bool = False
    lasting: bool = False
    carried: str = ""


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
def leave_for_cas() -> Response:
    """From the sign-in page, with what was chosen there and the text that was being written."""
    rules, form = _rules(), SignInForm()
    target, kept = local_path(form.next.data or ""), oidc_attempts.packed(kept_text())
    if len(kept) > oidc_attempts.LONGEST_KEPT:
        return sign_in_page(form, 422, too_long_words())
    shared, lasting = bool(form.shared.data), bool(form.lasting.data)
    return lead_on(_begin(rules, target=target, carried=kept, shared=shared, lasting=lasting), rules.title)


@blueprint.get("/account/confirm/cas")
@comes_first(FirstStep.SECOND_STEP, FirstStep.RECOVERY)
def confirm_by_cas() -> Response:
    """The person types their password at the CAS server again."""
    return redirect(_begin(_rules(), AttemptPurpose.CONFIRM, target=next_path()), 302)


@blueprint.get("/account/providers/cas/connect")
@asks_again
def connect_by_cas() -> Response:
    """Somebody who is signed in types their password at the CAS server, to sign in with it from then on."""
    rules = _rules()
    return lead_on(_begin(rules, AttemptPurpose.CONNECT), rules.title)  # no redirect: a form may have led here, see there


def _begin(rules: Cas, purpose: AttemptPurpose = AttemptPurpose.SIGN_IN, **chosen: Any) -> str:
    """Keep what is begun; the address to go to.

    Who is signed in here types their password there anew: the session that a browser has there may be a colleague's.
    """
    user = visit().user if purpose is not AttemptPurpose.SIGN_IN else None
    begun = CasVisit(secrets.token_urlsafe(24), int(time.time()), purpose, int(user.id) if user else 0, **chosen)
    rows = [*_open()[1 - _MOST :], list(astuple(begun))]
    while len(rows) > 1 and len(json.dumps(rows)) > _LARGEST:
        rows.pop(0)
    session[_BEGUN] = rows
    return cas.login_address(rules, _service(begun.state), renew=user is not None)


def _service(state: str) -> str:
    """Where the server leads back to: from the settings, never from the request."""
    return public_link("auth.end_cas", state=state)


def _open() -> list[list[Any]]:
    return [row for row in session.get(_BEGUN, []) if row[1] > time.time() - _LIFE]


def _take(state: str) -> CasVisit | None:
    """What was begun under this state, once."""
    found = [row for row in _open() if hmac.compare_digest(row[0].encode(), state.encode())]
    if _BEGUN in session:
        session[_BEGUN] = [row for row in _open() if row not in found]
    return CasVisit(*found[0]) if found else None


# --- and back --------------------------------------------------------------------------------------------------------


@blueprint.get("/login/cas/callback")
@public
def end_cas() -> Response:
    rules, begun = _rules(), _take(request.args.get("state", ""))
    if begun is None:
        return answers.nobody_waits()
    if elsewhere := answers.somebody_else_is_here(begun):
        return elsewhere
    ticket, renew = request.args.get("ticket", ""), begun.purpose != AttemptPurpose.SIGN_IN
    try:
        answers.refuse_too_many()
        claims = cas.validate(rules, _service(begun.state), ticket, settings(), renew=renew)
        return _go_on(claims, begun, rules, ticket)
    except TooManyRequestsError as error:
        return answers.refused(begun, too_many_words(error), error.status)
    except CasRefusedError as error:
        if error.fault is CasFault.TICKET:
            answers.count_refused()
        audited(AuditAct.PROVIDER_REFUSED, PROVIDER)
        current_app.logger.warning("an answer of the CAS server is refused: %s", error)
        return answers.refused(begun, _fault_words(error.fault, rules.title), error.status)
    except NotLetInError as error:
        audited(AuditAct.PROVIDER_REFUSED, error.address or PROVIDER)
        return answers.refused(begun, refusal_words(error, rules.title), error.status)


def _go_on(claims: Claims, begun: CasVisit, rules: Cas, ticket: str) -> Response:
    if begun.purpose == AttemptPurpose.CONNECT:
        return ask_to_connect(claims)
    if begun.purpose == AttemptPurpose.CONFIRM:
        return _confirm(claims, begun, rules)
    return answers.let_in(begun, claims, rules, cas.key_of(ticket), second_step_done=rules.second_step == "theirs")


def _confirm(claims: Claims, begun: CasVisit, rules: Cas) -> Response:
    if refusal := answers.not_them(begun, claims, rules.title):
        return refusal
    accounts.vouched(current_user(), claims)
    return resume_after_factor(Factor.PROVIDER, begun.target)


def _fault_words(fault: CasFault, title: str) -> str:
    match fault:
        case CasFault.TICKET:
            return _("%(title)s did not confirm this sign-in. Please start again.", title=title)
        case CasFault.SERVICE:
            return _("%(title)s does not know this webmail, so nobody can sign in with it. Tell your administrator.", title=title)
        case CasFault.AWAY:
            words = _("%(title)s is not responding. Try again in a few minutes.", title=title)
            return words + " " + _("If you have a password here, it still works.")
        case CasFault.ODD:
            return _(
                "The answer from %(title)s could not be understood, so nobody can sign in with it. Tell your administrator.",
                title=title,
            )


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
    except CasRefusedError:
        return Plain("", 400, {"Cache-Control": "no-store"})
    for row in sessions.of_provider(PROVIDER, cas.key_of(ticket)):
        if sessions.revoke(row.id_hash):
            network = sessions.network_of(request.remote_addr)
            audit.record(AuditAct.PROVIDER_SIGN_OUT, actor=row.user, target=describe(row.user_agent), network=network)
    return Plain("", 200, {"Cache-Control": "no-store"})


def _rules() -> Cas:
    return settings().cas or abort(404)
