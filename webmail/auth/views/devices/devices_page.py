"""Devices page: where somebody is signed in, which browsers they trust, and the app passwords of phones and mail programs."""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import vault
from webmail.auth.blueprint import blueprint
from webmail.auth.devices import app_passwords, cloud_programs
from webmail.auth.devices.app_password_forms import AppPasswordForm
from webmail.auth.devices.instructions import WORDS
from webmail.auth.devices.servers import mail_servers
from webmail.auth.factors import trusted_devices
from webmail.auth.guard import asks_again
from webmail.auth.sessions import mail_sessions, sessions, whereabouts
from webmail.auth.sessions.cookies import visit
from webmail.auth.sessions.user_agent import describe
from webmail.auth.views.devices.dav import dav_link, has_dav
from webmail.auth.views.devices.refused_changes import refused_rows
from webmail.errors import LimitReachedError
from webmail.models import AppPassword, AuditAct, Session, now
from webmail.people import policies
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.formatting import day_in_full, local, short_date
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell

_MADE = "made"  # in the session: the password that was just made, sealed, until the next page shows it
_SECURITY = {"tls": "SSL/TLS", "starttls": "STARTTLS", "none": ""}


@blueprint.get("/devices")
def show_devices() -> Response:
    return _page(AppPasswordForm(dav=has_dav(), api=has_api(), formdata=None), made=_take_made())


@blueprint.post("/devices/new")
@asks_again
def add_app_password() -> Response:
    """Make one; the next page shows it, once."""
    form, user = AppPasswordForm(dav=has_dav(), api=has_api()), current_user()
    if not app_passwords.are_available(settings()):
        return _page(form, 403)
    if not form.validate():
        return _page(form, 422)
    try:
        letters, row = issue_app_password(form.name.data or "", form.uses, form.ends)
    except LimitReachedError:
        return _page(form, 422, problem=too_many_words())
    sealed = vault.seal_for_session(letters, visit().token, settings().secret_key, user.id)
    session[_MADE] = [row.id, base64.b64encode(sealed).decode()]
    return redirect(url_for("auth.show_devices", _anchor="made"), 303)


def issue_app_password(name: str, uses: Sequence[str], ends: datetime | None = None, kind: str = "") -> tuple[str, AppPassword]:
    """Make one for who is asking, and tell them by mail: as `app_passwords.add`. Raises LimitReachedError."""
    letters, row = app_passwords.add(current_user(), name, uses, ends, kind)
    audited(AuditAct.APP_PASSWORD_ADDED, name, uses=" ".join(app_passwords.uses_of(row)))
    tell(current_user(), SecurityNotice.APP_PASSWORD_ADDED, name, browser=_browser())
    return letters, row


def too_many_words() -> str:
    return _("You have %(num)d app passwords. Revoke one you no longer use.", num=app_passwords.MOST)


@blueprint.post("/devices/revoke")
def revoke_app_password() -> Response:
    """Needs no factor again: whoever takes a way in away does no harm by it that its owner can't undo."""
    user = current_user()
    row = app_passwords.revoke(user, request.form.get("app_password", 0, type=int))
    if row is not None:  # else it is gone already: a double click
        mail_sessions.end_app_password_soon(row.id, user.address, settings())
        audited(AuditAct.APP_PASSWORD_REVOKED, row.name)
        tell(user, SecurityNotice.APP_PASSWORD_REVOKED, row.name, browser=_browser())
        notify(_("“%(name)s” can no longer sign in.", name=row.name), "done")
    return redirect(url_for("auth.show_devices", _anchor="app-passwords"), 303)


@blueprint.post("/devices/trust")
def end_trust() -> Response:
    """Trust one browser no more."""
    row = trusted_devices.end(current_user(), request.form.get("device", ""))
    if row is not None:
        audited(AuditAct.TRUST_ENDED, describe(row.user_agent))
        notify(_("This browser will be asked for the second step again."), "done")
    return redirect(url_for("auth.show_devices"), 303)


def _page(form: AppPasswordForm, status: int = 200, *, made: dict[str, Any] | None = None, problem: str = "") -> Response:
    user = current_user()
    places = [
        {"row": row, "browser": _browser_name(row.user_agent), "here": row.id_hash == visit().id, "elsewhere": _elsewhere(row)}
        for row in _sessions()
    ]
    trusted = [{"row": row, "browser": _browser_name(row.user_agent)} for row in trusted_devices.for_user(user)]
    passwords = app_passwords.for_user(user) if app_passwords.are_available(settings()) else None
    return page(
        "auth/devices.html", status, form=form, places=places, trusted=trusted, passwords=passwords, made=made, problem=problem,
        refused=refused_rows(), device_kinds=WORDS, cloud=cloud_programs.for_user(user) if settings().cloud_programs else (),
    )  # fmt: skip


def _sessions() -> list[Any]:
    """This one first."""
    return sorted(sessions.sessions_of(current_user(), settings()), key=lambda row: row.id_hash != visit().id)


def _elsewhere(row: Session) -> list[tuple[str, str, datetime]]:
    """Where a session was, the latest first: browser, network and when; nothing where that is one place alone."""
    found = sorted(whereabouts.for_session(row), key=lambda one: one.last, reverse=True)
    return [(_kind_words(one.browser), one.network, one.last) for one in found] if len(found) > 1 else []


def _take_made() -> dict[str, Any] | None:
    """The password that was just made, with what belongs beside it; None where it was shown already."""
    made = session.pop(_MADE, None)
    if not made:
        return None
    row = AppPassword.get_or_none(AppPassword.id == made[0], AppPassword.user == current_user())
    try:
        letters = vault.open_for_session(base64.b64decode(made[1]), visit().token, settings().secret_key, current_user().id)
    except vault.CannotOpenError:  # a new session since
        return None
    if row is None:  # revoked since
        return None
    uses = app_passwords.uses_of(row)
    servers, ask = server_lines(uses), bool({"imap", "smtp"} & set(uses))
    dav = dav_link() if {"caldav", "carddav"} & set(uses) else ""
    return {
        "row": row, "groups": app_passwords.groups(letters), "servers": servers, "ask": ask and not servers, "dav": dav,
        "api": bool(row.api),
    }  # fmt: skip


@blueprint.app_template_global()
def has_api() -> bool:
    """Whether who is asking may have scripts."""
    return settings().api and app_passwords.are_available(settings()) and "api" not in policies.hidden(current_user())


def server_lines(uses: Collection[str]) -> list[dict[str, Any]]:
    """What is typed into the program besides; nothing of a server that is known here by a name of this machine alone."""
    words = {"imap": _("Incoming mail (IMAP)"), "smtp": _("Outgoing mail (SMTP)")}
    return [
        {"words": words[one.use], "host": one.host, "port": one.port, "security": _SECURITY[one.security]}
        for one in mail_servers(settings())
        if one.use in uses
    ]


def _browser() -> str:
    return describe(request.headers.get("User-Agent", ""))


def _browser_name(user_agent: str) -> str:
    return _kind_words(describe(user_agent))


def _kind_words(kind: str) -> str:
    """As `user_agent.describe` gives it."""
    browser, _comma, system = kind.partition(", ")
    return _("%(browser)s on %(system)s", browser=browser, system=system) if system else browser or _("Unknown browser")


@blueprint.app_template_global()
def app_password_words(row: AppPassword) -> str:
    """What it is for, and until when."""
    uses = app_passwords.uses_of(row)
    names = [(_("reading mail"), "imap"), (_("sending mail"), "smtp"), (_("calendars"), "caldav"), (_("contacts"), "carddav")]
    names.append((_("scripts"), "api"))
    words = [_("For: %(uses)s", uses=", ".join(name for name, use in names if use in uses))]
    if (ends := app_passwords.ends(row)) and not is_over(row):
        words.append(_("until %(when)s", when=day_in_full(local(ends - timedelta(seconds=1)).date())))  # its last day
    return " · ".join(words)


@blueprint.app_template_global()
def last_use_words(row: AppPassword) -> str:
    """When it was used last, as Dovecot told; "" where Dovecot tells nothing."""
    if row.used is not None:
        words = [_("Last used: %(when)s", when=short_date(row.used)), row.used_protocol.upper()]
        return " · ".join([*words, *([_("from %(network)s", network=row.used_network)] if row.used_network else [])])
    return _("Not used yet") if settings().doveadm_key else ""


@blueprint.app_template_global()
def is_over(row: AppPassword) -> bool:
    ends = app_passwords.ends(row)
    return ends is not None and ends <= now()
