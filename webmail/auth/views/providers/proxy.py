"""Proxy sign-in: a gateway in front of us has found out who somebody is, and names them in a header (auth/providers/proxy.py)."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response as Plain
from flask import abort, current_app, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.factors.second_step import Factor
from webmail.auth.forms import SignInForm
from webmail.auth.guard import asks_again, comes_first, public
from webmail.auth.providers import accounts, proxy
from webmail.auth.providers.accounts import NotLetInError
from webmail.auth.providers.proxy import PROVIDER, HeaderNotBelievedError
from webmail.auth.sessions.cookies import visit
from webmail.auth.sign_in.first_steps import FirstStep
from webmail.auth.views.completion import Started, after_sign_in, password_was_right
from webmail.auth.views.factors.confirm import confirm_page, resume_after_factor
from webmail.auth.views.providers import oidc_attempts
from webmail.auth.views.providers.linked_accounts import account_told, ask_to_connect
from webmail.auth.views.providers.provider_ways import lead_on, refusal_words
from webmail.auth.views.sign_in import kept_text, sign_in_page, too_long_words
from webmail.config.providers import ProxySignIn
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import fetched_ahead, guessed_by_browser, local_path, next_path
from webmail.web.notices import notify

_KEPT = "kept-for-proxy"  # in a visitor's session: the text that was being written


@blueprint.get("/login/proxy")
@public
def begin_proxy() -> Response:
    """Sign in whom the proxy names; where it names nobody yet, send the browser where it asks (`path`)."""
    rules = _rules()
    if fetched_ahead() or guessed_by_browser():
        return Plain(status=204)
    target, shared = next_path(), "shared" in request.args or visit().on_shared
    try:
        if not proxy.named(request.environ, rules, settings()):
            return _nobody(rules, target)
        return _sign_in(rules, target, shared=shared, lasting="lasting" in request.args)
    except HeaderNotBelievedError as error:
        current_app.logger.warning("nobody is signed in by %s: %s", rules.title, error)
        audited(AuditAct.PROVIDER_REFUSED, PROVIDER)
        return _again(target, error.status, _("%(title)s did not say who you are. Tell your administrator.", title=rules.title))
    except NotLetInError as error:
        audited(AuditAct.PROVIDER_REFUSED, error.address or PROVIDER)
        return _again(target, error.status, refusal_words(error, rules.title))


@blueprint.post("/login/proxy")
@public
def leave_for_proxy() -> Response:
    """From the sign-in page, with what was chosen there and the text that was being written."""
    rules, form = _rules(), SignInForm()
    target, kept = local_path(form.next.data or ""), oidc_attempts.packed(kept_text())
    if len(kept) > oidc_attempts.LONGEST_KEPT:
        return sign_in_page(form, 422, too_long_words())
    session[_KEPT] = kept
    shared, lasting = (1 if box.data else None for box in (form.shared, form.lasting))
    return lead_on(url_for("auth.begin_proxy", next=target or None, shared=shared, lasting=lasting), rules.title)


@blueprint.get("/login/proxy/confirm")
@comes_first(FirstStep.SECOND_STEP, FirstStep.RECOVERY)
def confirm_by_proxy() -> Response:
    """The gateway says once more who is there: it can ask for no password, but who stole our cookie lacks the one it gives."""
    rules, target = _rules(), next_path()
    if not _is_named(rules):
        words = _("%(title)s did not say that it is you, so this was not confirmed.", title=rules.title)
        return confirm_page(target, 403, words)
    return resume_after_factor(Factor.PROVIDER, target)


@blueprint.get("/login/proxy/connect")
@asks_again
def connect_by_proxy() -> Response:
    """Somebody who is signed in shows whom the gateway names, to sign in with it from then on."""
    rules = _rules()
    try:
        return ask_to_connect(proxy.claims(request.environ, rules, settings()))
    except HeaderNotBelievedError:
        notify(_("%(title)s did not say who you are. Sign in there first, then try again.", title=rules.title), "caution")
        return redirect(url_for("auth.show_providers"), 303)


def _is_named(rules: ProxySignIn) -> bool:
    try:
        return accounts.is_linked(current_user(), proxy.claims(request.environ, rules, settings()))
    except HeaderNotBelievedError:
        return False


def _sign_in(rules: ProxySignIn, target: str, *, shared: bool, lasting: bool) -> Response:
    claims = proxy.claims(request.environ, rules, settings())
    if (row := visit().row) is not None and row.provider_session == proxy.key_of(claims.subject):
        return redirect(after_sign_in(target), 303)
    user = account_told(claims, rules)
    kept = oidc_attempts.unpacked(session.get(_KEPT, "")) if visit().stored is None else []
    how = Started(
        shared=shared, lasting=lasting, data={"kept": {"path": target, "fields": kept}} if kept else {}, provider=PROVIDER,
        provider_session=proxy.key_of(claims.subject), second_step_done=rules.second_step == "theirs",
    )  # fmt: skip
    return password_was_right(user, how, target)


def _nobody(rules: ProxySignIn, target: str) -> Response:
    """To the gateway's own page, which leads back here; once, or both would send the browser to and fro."""
    if not rules.path or "back" in request.args:
        words = _("%(title)s did not say who you are. Sign in there first, then try again.", title=rules.title)
        return _again(target, 403, words)
    back = url_for("auth.begin_proxy", next=target or None, back=1)
    return redirect(rules.path.replace("{back}", quote(back, safe="")), 302)


def _again(target: str, status: int, text: str) -> Response:
    return sign_in_page(SignInForm(formdata=None, next=target, shared=visit().on_shared), status, text)


def _rules() -> ProxySignIn:
    return settings().proxy_sign_in or abort(404)
