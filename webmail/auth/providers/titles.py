"""Provider titles: how people call the ways in that the establishment already has, and who keeps their password."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import pgettext

from webmail.auth.blueprint import blueprint
from webmail.auth.providers import accounts, directory
from webmail.models import User
from webmail.web.current import settings


def provider_title(provider: str) -> str:
    """How people call a provider, as `LinkedAccount` names it; the establishment's name for one that is set no more."""
    here = settings()
    titles = {f"oidc:{one.name}": one.title for one in here.oidc}
    for name, entry in (("cas", here.cas), ("proxy", here.proxy_sign_in)):
        if entry is not None:
            titles[name] = entry.title
    if here.ldap is not None:
        titles["ldap"] = pgettext("provider", "Directory")
    return titles.get(provider, "") or here.name


@blueprint.app_template_global()
def password_keeper(user: User) -> str:
    """How people call who keeps this person's password: a provider's title, the mail server, or the directory; "" for us.

    One SELECT for people of whom we keep no password, else none.
    """
    here = settings()
    if here.sign_in == "imap":
        return _("the mail server")
    if accounts.has_own_password(user):
        return ""
    names = [name for name in (user.provider, *(link.provider for link in accounts.links_of(user))) if name]
    if here.ldap is not None and (not names or directory.PROVIDER in names):
        return _("your organisation’s directory")
    return next((provider_title(name) for name in names), here.name)
