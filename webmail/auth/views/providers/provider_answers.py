"""Answers of providers, by OpenID Connect and CAS alike: what follows one that is right, or refused, or that nobody waits for."""

from __future__ import annotations

from typing import Any, Protocol

from flask import redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import rate_limits
from webmail.auth.forms import SignInForm
from webmail.auth.providers import accounts
from webmail.auth.providers.accounts import Claims, Rules
from webmail.auth.sessions.cookies import visit
from webmail.auth.views.completion import HINT, Started, after_sign_in, password_was_right
from webmail.auth.views.factors.confirm import confirm_page
from webmail.auth.views.providers import oidc_attempts
from webmail.auth.views.providers.linked_accounts import account_told
from webmail.auth.views.providers.oidc_attempts import AttemptPurpose
from webmail.auth.views.sign_in import sign_in_page
from webmail.models import AuditAct
from webmail.rate_limits import QUARTER, Bounded, RateLimit
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify

_MOST_REFUSED = 5  # times `sign_in_attempts`: answers from one network, which may be a school's, that proved nothing


class WayThere(Protocol):
    """What was begun in this browser, and is to be done when it comes back: oidc_attempts.Begun, cas.CasVisit."""

    @property
    def purpose(self) -> str: ...

    @property
    def user(self) -> int: ...

    @property
    def target(self) -> str: ...

    @property
    def shared(self) -> bool: ...

    @property
    def lasting(self) -> bool: ...

    @property
    def carried(self) -> str: ...


def somebody_else_is_here(begun: WayThere) -> Response | None:
    """The way on where people signed in, out, or as somebody else meanwhile; None where all is as it was."""
    here = visit().user
    if begun.user == (here.id if here is not None else 0):
        return None
    return redirect(after_sign_in(begun.target) if here else url_for("auth.login", next=begun.target or None), 303)


def let_in(begun: WayThere, claims: Claims, rules: Rules, session: str, *, second_step_done: bool, hint: str = "") -> Response:
    """Sign in whom the provider vouches for. `session`: as in `models.Session.provider_session`. Raises NotLetInError.

    `hint`: what the session keeps for signing out there.
    """
    user, kept = account_told(claims, rules), oidc_attempts.unpacked(begun.carried)
    data: dict[str, Any] = {"kept": {"path": begun.target, "fields": kept}} if kept else {}
    how = Started(
        shared=begun.shared, lasting=begun.lasting, data=data | ({HINT: hint} if hint else {}),
        provider=claims.provider, provider_session=session, second_step_done=second_step_done,
    )  # fmt: skip
    return password_was_right(user, how, begun.target)


def not_them(begun: WayThere, claims: Claims, title: str) -> Response | None:
    """The refusal where somebody else came back than who is to confirm something; None where it is them."""
    if accounts.is_linked(current_user(), claims):
        return None
    audited(AuditAct.PROVIDER_REFUSED, claims.provider)
    words = _("You signed in to %(title)s as somebody else, so this was not confirmed.", title=title)
    return confirm_page(begun.target, 403, words)


def refused(begun: WayThere, text: str, status: int) -> Response:
    """The page from which it was begun, which says why it led nowhere."""
    if begun.purpose == AttemptPurpose.CONFIRM:
        return confirm_page(begun.target, status, text)
    if begun.purpose == AttemptPurpose.CONNECT:
        notify(text, "caution")
        return redirect(url_for("auth.show_providers"), 303)
    form = SignInForm(formdata=None, next=begun.target, shared=begun.shared)
    return sign_in_page(form, status, text, stored=oidc_attempts.unpacked(begun.carried))


def nobody_waits() -> Response:
    """For an answer that was used already, is too old, of another browser, or planted by somebody."""
    if visit().user is not None:  # another tab was quicker
        return redirect(after_sign_in(""), 303)
    if visit().pending_user is not None:
        return redirect(url_for("auth.show_second_step"), 303)
    words = _("This sign-in was started in another browser, or too long ago. Please start again.")
    return sign_in_page(SignInForm(formdata=None, shared=visit().on_shared), 400, words)


def refuse_too_many() -> None:
    """Before an answer is looked at, as each costs requests to the provider. One SELECT. Raises TooManyRequestsError."""
    rate_limits.check(settings(), _refused_answers())


def count_refused() -> None:
    """Note an answer that proved nothing. One INSERT."""
    rate_limits.note(settings(), _refused_answers())


def _refused_answers() -> Bounded:
    most = _MOST_REFUSED * settings().sign_in_attempts
    return RateLimit("refused answers of providers", most, QUARTER).by(visit().network)
