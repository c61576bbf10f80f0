"""OpenID Connect: leads to a provider and back: to sign in, to connect an account, to confirm that it is you; and signs out.

What the provider's answer proves is decided in auth/providers/oidc.py; what is begun waits in the session of the browser that
began it (auth/views/providers/oidc_attempts.py). Addresses that the provider leads back to come from `public_url` alone.
"""

from __future__ import annotations

from flask import Response as Plain
from flask import abort, current_app, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import audit
from webmail.auth.blueprint import blueprint
from webmail.auth.factors.second_step import Factor
from webmail.auth.forms import SignInForm
from webmail.auth.guard import asks_again, comes_first, public
from webmail.auth.providers import accounts, oidc, oidc_server
from webmail.auth.providers.accounts import NotLetInError
from webmail.auth.providers.oidc import ProvenPerson
from webmail.auth.providers.oidc_server import ProviderAwayError, ProviderRefusedError
from webmail.auth.sessions import endings, sessions
from webmail.auth.sessions.cookies import visit
from webmail.auth.sessions.user_agent import describe
from webmail.auth.sign_in.first_steps import FirstStep
from webmail.auth.views.completion import HINT, after_sign_in
from webmail.auth.views.factors.confirm import confirm_page, resume_after_factor
from webmail.auth.views.providers import oidc_attempts
from webmail.auth.views.providers import provider_answers as answers
from webmail.auth.views.providers.linked_accounts import ask_to_connect
from webmail.auth.views.providers.oidc_attempts import AttemptPurpose, Begun
from webmail.auth.views.providers.provider_ways import lead_on, refusal_words
from webmail.auth.views.sign_in import kept_text, sign_in_page, too_long_words
from webmail.config.providers import Oidc
from webmail.models import AuditAct
from webmail.rate_limits import TooManyRequestsError
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import local_path, next_path
from webmail.web.notices import notify
from webmail.web.public_links import public_link
from webmail.web.responses.too_many import too_many_words
from webmail.web.responses.unavailable import because

_TELLS = {  # errors that a provider tells (RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6)
    "away": ("server_error", "temporarily_unavailable"),
    "left": ("access_denied", "login_required", "interaction_required", "consent_required", "account_selection_required"),
}


# --- there -----------------------------------------------------------------------------------------------------------


@blueprint.get("/login/oidc/<name>")
@public
def begin_oidc(name: str) -> Response:
    provider = _provider(name)
    if visit().user is not None:
        return redirect(after_sign_in(next_path()), 303)
    target, shared = next_path(), "shared" in request.args or visit().on_shared
    try:
        return redirect(_begin(provider, target=target, shared=shared), 302)
    except ProviderAwayError as error:
        return sign_in_page(SignInForm(formdata=None, next=target, shared=shared), error.status, _away_words(provider))


@blueprint.post("/login/oidc/<name>")
@public
def leave_for_oidc(name: str) -> Response:
    """From the sign-in page, with what was chosen there and the text that was being written."""
    provider, form = _provider(name), SignInForm()
    target, kept = local_path(form.next.data or ""), oidc_attempts.packed(kept_text())
    if len(kept) > oidc_attempts.LONGEST_KEPT:
        return sign_in_page(form, 422, too_long_words())
    try:
        shared, lasting = bool(form.shared.data), bool(form.lasting.data)
        return lead_on(_begin(provider, target=target, stored=kept, shared=shared, lasting=lasting), provider.title)
    except ProviderAwayError as error:
        return sign_in_page(form, error.status, _away_words(provider))


@blueprint.get("/account/confirm/oidc/<name>")
@comes_first(FirstStep.SECOND_STEP, FirstStep.RECOVERY)
def confirm_by_oidc(name: str) -> Response:
    """Somebody who has neither a factor nor a password of ours signs in at their provider again."""
    provider, target = _provider(name), next_path()
    try:
        return redirect(_begin(provider, AttemptPurpose.CONFIRM, target=target), 302)
    except ProviderAwayError as error:
        return confirm_page(target, error.status, _away_words(provider))


@blueprint.get("/account/providers/<name>/connect")
@asks_again
def connect_by_oidc(name: str) -> Response:
    """Somebody who is signed in proves who they are at a provider, to sign in with it from then on."""
    provider = _provider(name)
    try:
        return lead_on(_begin(provider, AttemptPurpose.CONNECT), provider.title)  # no redirect: a form may have led here
    except ProviderAwayError:
        notify(_away_words(provider), "caution")
        return redirect(url_for("auth.show_providers"), 303)


def _begin(
    provider: Oidc, purpose: AttemptPurpose = AttemptPurpose.SIGN_IN, *,
    target: str = "", shared: bool = False, lasting: bool = False, stored: str = "",
) -> str:  # fmt: skip
    """Keep what is begun; the address to go to. Raises ProviderAwayError.

    Who is signed in here must sign in anew there: the session that a browser has there may be a colleague's, who left it open.
    """
    user = visit().user if purpose is not AttemptPurpose.SIGN_IN else None
    attempt, address = oidc.begin(provider, _back(provider), fresh=user is not None)
    number = int(user.id) if user is not None else 0
    oidc_attempts.keep(Begun(attempt, purpose, number, target, shared, lasting, stored))
    return address


def _back(provider: Oidc) -> str:
    return public_link("auth.end_oidc", name=provider.name)


# --- and back --------------------------------------------------------------------------------------------------------


@blueprint.get("/login/oidc/<name>/callback")
@public
def end_oidc(name: str) -> Response:
    provider = _provider(name)
    begun = oidc_attempts.take(name, request.args.get("state", ""))
    if begun is None:
        return answers.nobody_waits()
    if elsewhere := answers.somebody_else_is_here(begun):
        return elsewhere
    if told := request.args.get("error", ""):
        return answers.refused(begun, _told_words(provider, told), 403)
    try:
        answers.refuse_too_many()
        identity = oidc.finish(provider, begun.attempt, request.args, _back(provider))
        return _go_on(provider, begun, identity)
    except TooManyRequestsError as error:
        return answers.refused(begun, too_many_words(error), error.status)
    except ProviderAwayError as error:
        return answers.refused(begun, _away_words(provider), error.status)
    except ProviderRefusedError as error:
        answers.count_refused()
        audited(AuditAct.PROVIDER_REFUSED, oidc.key_of(provider))
        current_app.logger.warning("an answer of %s is refused: %s", provider.name, error)
        return answers.refused(begun, _refused_words(provider, begun), error.status)
    except NotLetInError as error:
        audited(AuditAct.PROVIDER_REFUSED, error.address or oidc.key_of(provider))
        return answers.refused(begun, refusal_words(error, provider.title), error.status)


def _go_on(provider: Oidc, begun: Begun, identity: ProvenPerson) -> Response:
    if begun.purpose is AttemptPurpose.CONNECT:
        return ask_to_connect(identity.claims)
    if begun.purpose is AttemptPurpose.CONFIRM:
        return _confirm(provider, begun, identity)
    there = oidc.session_hash(identity.session)
    done, hint = provider.second_step == "theirs", oidc.keep_hint(identity.id_token, settings())
    return answers.let_in(begun, identity.claims, provider, there, second_step_done=done, hint=hint)


def _confirm(provider: Oidc, begun: Begun, identity: ProvenPerson) -> Response:
    if refusal := answers.not_them(begun, identity.claims, provider.title):
        return refusal
    if not identity.fresh:
        words = _(
            "%(title)s does not say when you signed in there, so it can’t confirm this. Ask for help.", title=provider.title
        )
        return confirm_page(begun.target, 403, words)
    accounts.vouched(current_user(), identity.claims)
    return resume_after_factor(Factor.PROVIDER, begun.target)


def _away_words(provider: Oidc) -> str:
    return _(
        "%(title)s is not responding. Try again in a few minutes. If you have a password here, it still works.",
        title=provider.title,
    )


def _told_words(provider: Oidc, error: str) -> str:
    if error in _TELLS["away"]:
        return _away_words(provider)
    if error in _TELLS["left"]:
        return _("You did not sign in to %(title)s. Try again, or choose another way.", title=provider.title)
    current_app.logger.warning("%s tells an error: %.100r", provider.name, error)
    return _("%(title)s does not let this webmail ask who you are. Tell your administrator.", title=provider.title)


def _refused_words(provider: Oidc, begun: Begun) -> str:
    if begun.attempt.fresh:
        return _("%(title)s did not confirm that you have just signed in there. Please try again.", title=provider.title)
    return _("%(title)s did not confirm this sign-in. Please start again.", title=provider.title)


# --- sign-out --------------------------------------------------------------------------------------------------------


@blueprint.post("/login/oidc/<name>/sign-out")
@public
def sign_out_by_oidc(name: str) -> Plain:
    """The provider says that a session of its own is over, or all of a person (Back-Channel Logout 1.0 section 2.5).

    It needs no CSRF token: the provider signs what it says. Of a person, everything ends; of a session, ours that began with it.
    """
    provider = _provider(name)
    headers = {"Cache-Control": "no-store"}
    try:
        ended = oidc.ended(provider, request.form.get("logout_token", ""))
    except ProviderRefusedError as error:
        current_app.logger.warning("a sign-out of %s is refused: %s", provider.name, error)
        return Plain('{"error": "invalid_request"}\n', 400, headers, "application/json")
    except ProviderAwayError as error:
        because(error)
        return Plain('{"error": "temporarily_unavailable"}\n', 503, {**headers, "Retry-After": "60"}, "application/json")
    if ended.session:
        _end_session(provider, ended.session)
    else:
        _end_person(provider, ended.subject)
    return Plain("", 200, headers)


def _end_session(provider: Oidc, session_there: str) -> None:
    for row in sessions.of_provider(oidc.key_of(provider), oidc.session_hash(session_there)):
        if sessions.revoke(row.id_hash):
            audit.record(AuditAct.PROVIDER_SIGN_OUT, actor=row.user, target=describe(row.user_agent), network=visit().network)


def _end_person(provider: Oidc, subject: str) -> None:
    if (user := accounts.of_subject(oidc.key_of(provider), subject)) is not None:
        count, key = endings.end_everything_else(user, settings()), oidc.key_of(provider)
        audit.record(AuditAct.PROVIDER_SIGN_OUT, actor=user, target=key, network=visit().network, sessions=count)


@blueprint.get("/login/oidc/<name>/leave")
@public
def leave_oidc(name: str) -> Response:
    """To where somebody who is signed out here signs out of the provider too (RP-Initiated Logout 1.0)."""
    provider = _provider(name)
    try:
        address = oidc.sign_out_address(provider, public_link("auth.login"), session.pop(HINT, ""), settings())
    except ProviderAwayError:
        address = ""
    if address:
        return redirect(address, 302)
    notify(_("Open %(title)s and sign out there: it does not let other sites do that.", title=provider.title), "caution")
    return redirect(url_for("auth.login"), 303)


def sign_out_way(provider_key: str) -> tuple[str, str] | None:
    """Title and address for signing out of the provider of a session too; None where there is no such way."""
    provider = oidc.find(provider_key.removeprefix("oidc:"), settings())
    if provider is None or oidc.key_of(provider) != provider_key:
        return None
    known = oidc_server.known_metadata(provider)
    if known is not None and not known.end_session:
        return None
    return provider.title, url_for("auth.leave_oidc", name=provider.name)


def _provider(name: str) -> Oidc:
    return oidc.find(name, settings()) or abort(404)
