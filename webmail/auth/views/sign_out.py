"""Sign-out: ends the session here, and says how to end the one at the provider by which somebody signed in."""

from __future__ import annotations

from flask import redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.guard import public
from webmail.auth.providers import cas, proxy
from webmail.auth.sessions.cookies import CLEARED, visit
from webmail.auth.sessions.user_agent import describe
from webmail.auth.views.completion import HINT
from webmail.auth.views.providers import oidc
from webmail.auth.views.providers.provider_ways import lead_on
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import settings
from webmail.web.notices import notify
from webmail.web.public_links import public_link


@blueprint.post("/logout")
@public  # signing out twice is not an error
def logout() -> Response:
    user, browser = visit().user, describe(request.headers.get("User-Agent", ""))
    row = visit().row
    provider, hint = (row.provider if row is not None else ""), session.get(HINT, "")
    visit().end()
    if user is not None:
        audited(AuditAct.SIGN_OUT, browser, actor=user)
    response = _signed_out(provider, hint)
    response.headers["Clear-Site-Data"] = CLEARED  # mail in the browser's cache
    return response


def _signed_out(provider: str, hint: str) -> Response:
    """The sign-in page; or the gateway's own, which would sign them in again by the next click."""
    rules = settings().proxy_sign_in
    if provider == proxy.PROVIDER and rules is not None and rules.sign_out:
        return lead_on(rules.sign_out, rules.title)
    link = None
    if way := _sign_out_way(provider):
        if hint:
            session[HINT] = hint
        link = {"url": way[1], "text": _("Sign out of %(title)s too", title=way[0]), "here": True}
    notify(_("You are signed out."), "done", link=link)
    return redirect(url_for("auth.login"), 303)


def _sign_out_way(provider: str) -> tuple[str, str] | None:
    """Title and address for signing out of the provider of a session too; None where there is no such way."""
    rules = settings().cas
    if provider == cas.PROVIDER and rules is not None:
        return rules.title, cas.logout_address(rules, public_link("auth.login"))
    return oidc.sign_out_way(provider)
