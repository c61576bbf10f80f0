"""Ways in by what the establishment already has: what the sign-in page offers, and why one lets nobody in, in words."""

from __future__ import annotations

from flask import url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.providers import accounts, cas, directory, oidc, proxy
from webmail.auth.providers.accounts import NotLetInError, Refusal
from webmail.models import User
from webmail.web.current import settings
from webmail.web.forms.request_values import local_path, next_path
from webmail.web.rendering import page


@blueprint.app_template_global()
def provider_ways(target: str | None = None) -> list[tuple[str, str]]:
    """The title and address of each, in the order of their buttons. `target`: the page that was asked for (else `next`).

    A link to the address begins there. So does a form that is sent to it by POST with the fields of the sign-in page: `next`,
    `shared`, `lasting`, and the text that was being written (`kept-...`). It answers with a page that leads on, since our policy
    (`form-action`) lets no form lead to another site.
    """
    here, found = settings(), []
    after = local_path(next_path() if target is None else target) or None
    for provider in here.oidc:
        found.append((provider.title, url_for("auth.begin_oidc", name=provider.name, next=after)))
    if here.cas is not None:
        found.append((here.cas.title, url_for("auth.begin_cas", next=after)))
    if here.proxy_sign_in is not None:
        found.append((here.proxy_sign_in.title, url_for("auth.begin_proxy", next=after)))
    return found


@blueprint.app_template_global()
def types_password(user: User) -> bool:
    """Whether the person has a password that can be typed here: ours, the mail server's or the directory's.

    One SELECT for people of whom we keep none, where there is a directory: it knows its own people only.
    """
    here = settings()
    if here.sign_in == "imap" or accounts.has_own_password(user):
        return True
    return here.ldap is not None and any(link.provider == directory.PROVIDER for link in accounts.links_of(user))


@blueprint.app_template_global()
def provider_confirmations(user: User) -> list[tuple[str, str]]:
    """Title and address of each provider at which this person can confirm that it is them; nothing for who has a factor, or a
    password to type.

    Two SELECTs at most. The addresses are for links, not for forms, and may lead to another site: no HTMX.
    """
    here, after = settings(), next_path() or None
    if user.second_step or not (here.oidc or here.cas or here.proxy_sign_in) or types_password(user):
        return []
    found = [(oidc.key_of(one), one.title, url_for("auth.confirm_by_oidc", name=one.name, next=after)) for one in here.oidc]
    if here.cas is not None:
        found.append((cas.PROVIDER, here.cas.title, url_for("auth.confirm_by_cas", next=after)))
    if here.proxy_sign_in is not None:
        found.append((proxy.PROVIDER, here.proxy_sign_in.title, url_for("auth.confirm_by_proxy", next=after)))
    mine = {link.provider for link in accounts.links_of(user)}
    return [(title, address) for name, title, address in found if name in mine]


def refusal_words(error: NotLetInError, title: str) -> str:
    """What happened and what to do, for somebody whom the provider of this title vouches for."""
    address = error.address
    match error.refusal:
        case Refusal.NO_ACCOUNT:
            return _(
                "%(title)s knows you, but %(address)s has no account here. Ask for one: see Help.", title=title, address=address
            )
        case Refusal.NOT_LINKED:
            return _(
                "There is already an account %(address)s. Sign in to it as usual, then connect it to %(title)s on “My account”.",
                address=address, title=title,
            )  # fmt: skip
        case Refusal.NO_ADDRESS:
            return _("%(title)s gave no email address that can be used here. Ask for help: see Help.", title=title)
        case Refusal.NOT_PROVEN:
            return _(
                "%(title)s has not checked that %(address)s is yours. Confirm your address there first. "
                "If you have an account here, sign in to it as usual, then connect it on “My account”.",
                title=title,
                address=address,
            )
        case Refusal.DISABLED:
            return _("This account is disabled. Ask for help: see Help.")
        case Refusal.RESERVED:
            return _(
                "%(address)s is the address of a room or of equipment, not of a person. Ask for help: see Help.", address=address
            )
        case Refusal.RESTS:
            return _(
                "%(address)s was somebody else’s address not long ago, so it is not given out again yet. Ask for help: see Help.",
                address=address,
            )
        case Refusal.OTHER_SUBJECT if address:
            return _(
                "The account %(address)s is connected to somebody else at %(title)s. Ask for help: see Help.",
                address=address,
                title=title,
            )
        case Refusal.OTHER_SUBJECT:
            return _("This user of %(title)s is connected to another account already.", title=title)


def lead_on(address: str, title: str) -> Response:
    """A page that leads on to another site, for an answer to a form: our policy (`form-action`) lets none redirect there."""
    return page("auth/lead_on.html", address=address, title=title)
