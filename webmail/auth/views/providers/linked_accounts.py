"""Connected accounts: which providers somebody can sign in with, and what connects and disconnects them."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from flask import current_app, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.guard import asks_again
from webmail.auth.providers import accounts
from webmail.auth.providers.accounts import Claims, NotLetInError, Rules
from webmail.auth.providers.titles import provider_title
from webmail.auth.sessions import sessions
from webmail.auth.sessions.cookies import visit
from webmail.auth.sessions.user_agent import describe
from webmail.auth.views.providers.provider_ways import refusal_words
from webmail.models import AuditAct, LinkedAccount, User
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell

_CONNECTING = "connecting"  # in the session: who came back from a provider, to be connected by a click
_LIFE = 10 * 60  # seconds


@dataclass(frozen=True, slots=True)
class Way:
    """A provider, and the person's link to it. `connect`: where it is connected, "" where it can't be from here.

    `only`: without it the person could not sign in any more.
    """

    provider: str
    title: str
    link: LinkedAccount | None
    connect: str = ""
    only: bool = False


@blueprint.get("/account/providers")
def show_providers() -> Response:
    waiting = _connecting()
    title = provider_title(waiting.provider) if waiting else ""
    return page("auth/providers.html", ways=linked_ways(current_user()), waiting=waiting, title=title)


@blueprint.app_template_global()
def linked_ways(user: User) -> list[Way]:
    """Each provider of the establishment, and what else is connected. One SELECT, none where there are no providers."""
    rules = _rules()
    if not rules:
        return []
    links = {link.provider: link for link in accounts.links_of(user)}
    usable = len([name for name in links if name in rules])
    found = []
    for name in [*rules, *(name for name in links if name not in rules)]:
        link = links.get(name)
        only = link is not None and not accounts.has_own_password(user) and usable - (name in rules) < 1
        found.append(Way(name, provider_title(name), link, "" if link else _connect_address(name), only))
    return [way for way in found if way.link is not None or way.connect]


def account_told(claims: Claims, rules: Rules) -> User:
    """Whose account it is (accounts.account_for); they are told where it was connected just now by its address alone.

    Raises NotLetInError.
    """
    before = accounts.of_subject(claims.provider, claims.subject)
    user = accounts.account_for(claims, rules, settings(), visit().network)
    if before is None and user.provider != claims.provider:
        browser = describe(request.headers.get("User-Agent", ""))
        tell(user, SecurityNotice.PROVIDER_LINKED, provider_title(claims.provider), browser=browser)
    return user


def ask_to_connect(claims: Claims) -> Response:
    """Show who came back from the provider before they are connected: nobody connects somebody else's account by mistake."""
    session[_CONNECTING] = {"at": int(time.time()), "claims": asdict(claims)}
    return redirect(url_for("auth.show_providers"), 303)


@blueprint.post("/account/providers/connect")
@asks_again
def connect_provider() -> Response:
    claims, user = _connecting(), current_user()
    session.pop(_CONNECTING, None)
    if request.form.get("action") == "cancel":
        return redirect(url_for("auth.show_providers"), 303)
    if claims is None or (rules := _rules().get(claims.provider)) is None:
        notify(_("This took too long. Please start again."), "caution")
        return redirect(url_for("auth.show_providers"), 303)
    title = provider_title(claims.provider)
    try:
        accounts.link(user, claims, visit().network)
    except NotLetInError as error:
        notify(refusal_words(error, title), "caution")
        return redirect(url_for("auth.show_providers"), 303)
    accounts.bring_up_to_date(user, claims, rules)
    tell(user, SecurityNotice.PROVIDER_LINKED, title, browser=describe(request.headers.get("User-Agent", "")))
    notify(_("You can now sign in with %(title)s.", title=title), "done")
    return redirect(url_for("auth.show_providers"), 303)


@blueprint.post("/account/providers/disconnect")
@asks_again
def disconnect_provider() -> Response:
    user, name = current_user(), request.form.get("provider", "")
    title, way = provider_title(name), next((one for one in linked_ways(user) if one.provider == name and one.link), None)
    if way is not None and way.only:
        notify(_("%(title)s is your only way to sign in, so it stays connected.", title=title), "caution")
    elif way is not None and accounts.unlink(user, name):
        ended = sessions.revoke_of_provider(user, name, except_=visit().id)
        audited(AuditAct.PROVIDER_UNLINKED, name, sessions=ended or None)
        tell(user, SecurityNotice.PROVIDER_UNLINKED, title, browser=describe(request.headers.get("User-Agent", "")))
        notify(_("%(title)s is disconnected.", title=title), "done")
    return redirect(url_for("auth.show_providers"), 303)


def _rules() -> dict[str, Rules]:
    """The providers that are set, as `LinkedAccount` names them."""
    here = settings()
    found: dict[str, Any] = {f"oidc:{one.name}": one for one in here.oidc}
    found |= {"cas": here.cas, "ldap": here.ldap, "proxy": here.proxy_sign_in}
    return {name: rules for name, rules in found.items() if rules is not None}


def _connect_address(name: str) -> str:
    kind, _colon, which = name.partition(":")
    endpoint = f"auth.connect_by_{kind}"
    if endpoint not in current_app.view_functions:
        return ""
    return url_for(endpoint, name=which) if which else url_for(endpoint)


def _connecting() -> Claims | None:
    kept = session.get(_CONNECTING)
    if not kept or not 0 <= time.time() - kept["at"] <= _LIFE:
        return None
    return Claims(**kept["claims"])
