"""Security keys page: a person adds, names and removes keys and passkeys; the button that asks for one, for other pages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import abort, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import rate_limits
from webmail.auth.blueprint import blueprint
from webmail.auth.factors import authenticator, second_step, security_keys
from webmail.auth.factors.challenges import ChallengeSubject, Purpose
from webmail.auth.factors.security_keys import KeyFault, KeyRefusedError, Site
from webmail.auth.guard import asks_again, comes_first
from webmail.auth.sessions import known_devices
from webmail.auth.sessions.cookies import visit
from webmail.auth.sign_in.first_steps import FirstStep
from webmail.auth.sign_in.throttle import attempt_at, attempt_in_turn
from webmail.auth.sign_in.waiting_lines import Place
from webmail.auth.views.factors.factor_changes import factor_added, factor_removed
from webmail.models import AuditAct, SecurityKey, User
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.formatting import lazy_text as _l
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell

_WORDS = {
    KeyFault.INVALID: _l("The response from the key can’t be used here. Try again."),
    KeyFault.EXPIRED: _l("This took too long. Try again."),
    KeyFault.UNKNOWN: _l("This key is not known here. Use another one, or another way."),
    KeyFault.UNVERIFIED: _l("To sign in without a password, your key has to ask for its PIN or your fingerprint."),
    KeyFault.COUNTER: _l("This key was refused: there may be a copy of it. Use another way, then remove it from your account."),
    KeyFault.REGISTERED: _l("This key is already in use. Choose another one."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class KeyQuestion:
    """What a button asks the browser for, as JSON, and where the answer goes. It asks only on pages of this origin."""

    url: str
    origin: str
    options: str
    only: bool = False  # whether the person has no other factor than keys


@blueprint.get("/account/keys")
@comes_first(FirstStep.SECOND_STEP)
@asks_again
def show_keys() -> Response:
    """`rename`: the number of the key whose name is being changed."""
    return _page(renamed=request.args.get("rename", 0, int))


@blueprint.post("/account/keys")
@comes_first(FirstStep.SECOND_STEP)
@asks_again
def add_key() -> Response:
    """Keep the key that answered; nothing but its answer is needed, since the key keeps what it was asked to make."""
    user, here, name = current_user(), site(), key_name(request.form.get("name", ""))
    if here is None:
        return _page(404)
    answer, asked = request.form.get("key", ""), _subject(Purpose.ADD, user)
    try:
        key = security_keys.register(answer, name or _("Security key"), user, here, asked, settings())
    except KeyRefusedError as refused:
        return _page(422, problem=key_fault_words(refused.fault), typed=name)
    return factor_added(key_kind(key), key.name, SecurityNotice.KEY_ADDED)


@blueprint.post("/account/keys/<int:number>/rename")
@comes_first(FirstStep.SECOND_STEP)
@asks_again
def rename_key(number: int) -> Response:
    name = key_name(request.form.get("name", ""))
    if not name:
        return _page(422, renamed=number, name_error=_("Give the key a name."))
    if not security_keys.rename(current_user(), number, name):
        abort(404)
    notify(_("The key is now called “%(name)s”.", name=name), "done")
    return redirect(url_for("auth.show_keys"), 303)


@blueprint.get("/account/keys/<int:number>/remove")
@comes_first(FirstStep.SECOND_STEP)
@asks_again
def ask_to_remove_key(number: int) -> Response:
    user = current_user()
    key = next((one for one in security_keys.keys_of(user) if one.id == number), None) or abort(404)
    return page("auth/remove_factor.html", name=key.name, last=second_step.is_last(user, settings()))


@blueprint.post("/account/keys/<int:number>/remove")
@comes_first(FirstStep.SECOND_STEP)
@asks_again
def remove_key(number: int) -> Response:
    key = security_keys.remove(current_user(), number) or abort(404)
    factor_removed(key_kind(key), key.name, SecurityNotice.KEY_REMOVED)
    return redirect(url_for("auth.show_security"), 303)


def _page(status: int = 200, **shown: Any) -> Response:
    user, here = current_user(), site()
    keys = security_keys.keys_of(user)
    asked = None
    if here is not None and len(keys) < security_keys.MOST:
        options = security_keys.registration_options(user, here, _subject(Purpose.ADD, user), settings())
        asked = KeyQuestion("", here.origin, json.dumps(options))
    return page("auth/keys.html", status, keys=keys, asked=asked, here=here, most=security_keys.MOST, **shown)


# --- for other pages -------------------------------------------------------------------------------------------------


def answering_key(user: User, purpose: Purpose, admitted: Place | None = None) -> SecurityKey:
    """The key of this person that answered the button of the page before (`key_question`). Raises KeyRefusedError,
    TooManyRequestsError.

    A refusal is audited; a key that may have been copied is told by mail. Tries are counted as those of codes are: with turns
    at the second step (`admitted`: of a browser that was told to wait).
    """
    browser = known_devices.recognise(visit().device_cookie, user.address, settings().secret_key)
    counted = f"key of {user.id} {browser}".rstrip()
    in_turn = purpose is Purpose.SECOND_STEP
    attempt = attempt_in_turn(counted, settings(), admitted) if in_turn else attempt_at(counted, settings())
    try:
        if (here := site()) is None:
            raise KeyRefusedError(KeyFault.INVALID)
        key = security_keys.verify(request.form.get("key", ""), user, here, _subject(purpose, user), settings())
    except KeyRefusedError as refused:
        key_was_refused(refused, AuditAct.SECOND_STEP_REFUSED, user.address)
        raise
    rate_limits.give_back(attempt)
    return key


def key_was_refused(refused: KeyRefusedError, act: AuditAct, target: str) -> None:
    """Put it in the audit log, and tell the person by mail where there may be a copy of their key."""
    audited(act, target, factor="key")
    if refused.fault is KeyFault.COUNTER and refused.key is not None:
        audited(AuditAct.KEY_COPIED, refused.key.name, actor=refused.key.user)
        tell(refused.key.user, SecurityNotice.KEY_COPIED, refused.key.name)


@blueprint.app_template_global()
def key_question() -> KeyQuestion | None:
    """What the person at the second step, or before a change of factors, can be asked for; None without a key. 3 queries."""
    user, purpose, endpoint = visit().pending_user, Purpose.SECOND_STEP, "auth.check_key"
    if user is None:
        user, purpose, endpoint = visit().user, Purpose.CONFIRM, "auth.confirm_by_key"
    here = site()
    if user is None or here is None or not security_keys.keys_of(user):
        return None
    options = security_keys.assertion_options(user, here, _subject(purpose, user), settings())
    return KeyQuestion(url_for(endpoint), here.origin, json.dumps(options), only=not authenticator.for_user(user))


@blueprint.app_template_global()
def passkey_site() -> Site | None:
    """For whom a passkey alone signs in; None where that is not offered. No query."""
    return site() if settings().passkey_sign_in else None


def site() -> Site | None:
    return security_keys.site(settings())


def key_fault_words(fault: KeyFault) -> str:
    """What happened, and what to do."""
    if fault is KeyFault.MOST:
        return ngettext(
            "You can have %(num)d key. Remove one to add another.", "You can have %(num)d keys. Remove one to add another.",
            security_keys.MOST,
        )  # fmt: skip
    return str(_WORDS[fault])


def asked_of_visitor() -> ChallengeSubject:
    """What a passkey is asked for where nobody is known yet."""
    return ChallengeSubject(Purpose.SIGN_IN, session.get("csrf_token", ""))


def _subject(purpose: Purpose, user: User) -> ChallengeSubject:
    row = visit().stored
    return ChallengeSubject(purpose, row.id_hash if row else "", user.id)


def key_name(typed: str) -> str:
    """A name as it is kept: one line, not too long."""
    return " ".join("".join(c if c.isprintable() else " " for c in typed[:500]).split())[: security_keys.LONGEST_NAME]


def key_kind(key: SecurityKey) -> str:
    """As the audit log calls it."""
    return "passkey" if key.passkey else "key"
