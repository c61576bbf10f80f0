"""Completion of a sign-in: what follows the right password, or a passkey, until the page that was asked for is shown."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from flask import current_app, redirect, request, url_for
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth import account_management
from webmail.auth.factors import requirement, second_step, trusted_devices
from webmail.auth.factors.second_step import Factor
from webmail.auth.guard import FACTOR
from webmail.auth.notifications.new_browser import tell_of_new_browser
from webmail.auth.sessions import sessions
from webmail.auth.sessions.cookies import visit
from webmail.auth.sessions.user_agent import describe
from webmail.auth.views import first_walk
from webmail.auth.views.factors.mail_code import mail_only_factor
from webmail.database.connection import DATABASE_AWAY, db
from webmail.errors import LimitReachedError
from webmail.models import AuditAct, User
from webmail.people.suggestions import mail_scan
from webmail.web.audit import audited
from webmail.web.current import settings
from webmail.web.formatting import LANGUAGES
from webmail.web.forms.request_values import local_path
from webmail.web.notices import notify

HINT = "hint"  # in the session: by which a provider knows whose session to end there (oidc.keep_hint)


@dataclass(frozen=True, slots=True)
class Started:
    """How a sign-in began: what the person chose, the mail password if they typed one, and the data of the new session.

    `factor`: the second one, or a passkey in the place of both, as the audit log calls it. `provider`, `provider_session`: see
    `models.Session`.
    """

    shared: bool = False
    lasting: bool = False
    password: str | None = field(default=None, repr=False)
    data: dict[str, Any] = field(default_factory=dict)
    factor: str | None = None
    provider: str = ""
    provider_session: str = ""
    second_step_done: bool = False  # the provider's own is enough


def password_was_right(user: User, how: Started, target: str) -> Response:
    """Ask for the second step, where the person has one and does not trust this browser, or complete the sign-in."""
    trusted = not how.shared and user.second_step and trusted_devices.is_trusted(visit().trusted, user, settings())
    if user.second_step and not trusted and not how.second_step_done:
        with db.atomic():
            standing = _begun(user, pending=True, **_chosen(how), data=how.data)
        if not standing:
            return _too_late(target)
        mail_only_factor(user)
        return redirect(url_for("auth.show_second_step", next=local_path(target) or None), 303)
    return complete(user, how, target)


def complete(user: User, how: Started, target: str) -> Response:
    """Sign in, record it, and go back to the page that was asked for, or to the inbox."""
    browser = describe(request.headers.get("User-Agent", ""))
    if how.factor not in (None, Factor.MAIL):
        second_step.note_other_factor(user)
    new = tell_of_new_browser(user, browser, existing=visit().device_cookie, network=visit().network, shared=how.shared)
    data = how.data | ({FACTOR: how.factor} if how.factor else {})
    with db.atomic():
        if standing := _begun(user, **_chosen(how), data=data):
            audited(AuditAct.SIGN_IN, browser, shared=how.shared or None, new=int(new) or None, factor=how.factor)
    if not standing:
        return _too_late(target)
    _note_sign_in(user)
    _note_language(user, how)
    _note_requirement(user)
    _learn_people(user, how.password)
    return redirect(first_walk.lead_on(user, after_sign_in(target), typed=first_walk.typed_here(user)), 303)


def _begun(user: User, **session: Any) -> bool:
    """Begin the session, in the caller's transaction; False where the account has another password by now, or is disabled."""
    if not sessions.may_begin(user):
        return False
    visit().start(user, **session)
    return True


def _too_late(target: str) -> Response:
    visit().end()
    notify(_("Your password has just been changed. Sign in again."), "caution")
    return redirect(url_for("auth.login", next=local_path(target) or None), 303)


def _chosen(how: Started) -> dict[str, Any]:
    return {
        "shared": how.shared, "lasting": how.lasting, "password": how.password,
        "provider": how.provider, "provider_session": how.provider_session,
    }  # fmt: skip


def after_sign_in(target: str) -> str:
    """Where to go after signing in: back, or to the inbox."""
    return local_path(target) or url_for("mailbox.show", mailbox="INBOX")


def _note_language(user: User, how: Started) -> None:
    """Remember the language of the pages, for mail to who chose none; not that of a computer that others use.

    One UPDATE where it is another than before. After the mail about a new browser: that one is not in a stranger's language.
    """
    spoken = str(get_locale())
    if user.language or how.shared or user.spoken == spoken or spoken not in LANGUAGES:
        return
    with suppress(*DATABASE_AWAY):
        User.update(spoken=spoken).where(User.id == user.id).execute()


def _note_sign_in(user: User) -> None:
    """Remember that the person was here, for administrators. One UPDATE, at most once an hour."""
    with suppress(*DATABASE_AWAY):
        account_management.note_sign_in(user)


def _note_requirement(user: User) -> None:
    """Say how many days are left to set up a second factor, where the administrator requires one."""
    requirement.note_at_sign_in(user, settings())
    if days := requirement.days_left(user):
        words = ngettext(
            "%(place)s asks you to turn on two-step verification: %(num)d day left.",
            "%(place)s asks you to turn on two-step verification: %(num)d days left.",
            days, place=settings().name,
        )  # fmt: skip
        notify(words, "plain", link={"url": url_for("auth.show_security"), "text": _("Set it up"), "here": True})


def _learn_people(user: User, password: str | None) -> None:
    """Have a worker learn whom the user writes to, if it is time; nothing of it is worth failing to sign in."""
    with suppress(LimitReachedError, *DATABASE_AWAY):
        if mail_scan.begin_if_due(user, settings(), password or "") and (jobs := current_app.extensions.get("jobs")):
            jobs.wake_tasks()
