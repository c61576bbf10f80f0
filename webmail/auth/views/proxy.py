"""Proxy sign-in: a gateway in front of us has found out who somebody is, and names them in a header (auth/providers/proxy.py)."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response as Plain
from flask import abort, current_app, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.cookies import visit
from webmail.auth.forms import SignInForm
from webmail.auth.guard import public
from webmail.auth.providers import accounts, proxy
from webmail.auth.providers.accounts import NotLetIn
from webmail.auth.providers.proxy import PROVIDER, HeaderNotBelieved
from webmail.auth.views.completion import Started, after_sign_in, password_was_right
from webmail.auth.views.provider_ways import lead_on, refusal_words
from webmail.auth.views.sign_in import kept_for_later, sign_in_page, too_long_words
from webmail.config_providers import ProxySignIn
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import settings
from webmail.web.request_values import fetched_ahead, guessed_by_browser, local_path, next_path

_BACK = "back"  # in the query: the gateway has been asked already
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
    except HeaderNotBelieved as error:
        current_app.logger.warning("nobody is signed in by %s: %s", rules.title, error)
        audited(AuditAct.PROVIDER_REFUSED, PROVIDER)
        return _again(target, error.status, _("%(title)s did not say who you are. Tell your administrator.", title=rules.title))
    except NotLetIn as error:
        audited(AuditAct.PROVIDER_REFUSED, error.address or PROVIDER)
        return _again(target, error.status, refusal_words(error, rules.title))


@blueprint.post("/login/proxy")
@public
def begin_proxy_by_form() -> Response:
    """From the sign-in page, with what was chosen there and the text that was being written."""
    rules, form = _rules(), SignInForm()
    if (kept := kept_for_later(form)) is None:
        return sign_in_page(form, 422, too_long_words())
    session[_KEPT] = kept
    chosen = {"shared": form.shared.data and 1 or None, "lasting": form.lasting.data and 1 or None}
    return lead_on(url_for("auth.begin_proxy", next=local_path(form.next.data or "") or None, **chosen), rules.title)


def _sign_in(rules: ProxySignIn, target: str, *, shared: bool, lasting: bool) -> Response:
    claims = proxy.claims(request.environ, rules, settings())
    if (row := visit().row) is not None and row.provider_session == proxy.key_of(claims.subject):
        return redirect(after_sign_in(target), 303)
    user = accounts.account_for(claims, rules, settings(), visit().network)
    kept = session.get(_KEPT, {}) if visit().stored is None else {}
    how = Started(
        shared=shared, lasting=lasting, data=kept, provider=PROVIDER, provider_session=proxy.key_of(claims.subject),
        second_step_done=rules.second_step == "theirs",
    )  # fmt: skip
    return password_was_right(user, how, target)


def _nobody(rules: ProxySignIn, target: str) -> Response:
    """To the gateway's own page, which leads back here; once, or both would send the browser to and fro."""
    if not rules.path or _BACK in request.args:
        words = _("%(title)s did not say who you are. Sign in there first, then try again.", title=rules.title)
        return _again(target, 403, words)
    back = url_for("auth.begin_proxy", next=target or None, **{_BACK: 1})
    return redirect(rules.path.replace("{back}", quote(back, safe="")), 302)


def _again(target: str, status: int, words: str) -> Response:
    return sign_in_page(SignInForm(formdata=None, next=target, shared=visit().on_shared), status, words)


def _rules() -> ProxySignIn:
    return settings().proxy_sign_in or abort(404)
