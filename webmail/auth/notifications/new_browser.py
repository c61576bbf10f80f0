"""New browser: tells a person by mail that somebody signed in as them from a browser that was not known before."""

from __future__ import annotations

from datetime import timedelta

from webmail import audit
from webmail.auth.sessions import known_devices
from webmail.database.connection import DATABASE_AWAY
from webmail.models import AuditAct, User, now
from webmail.web.current import settings
from webmail.web.security_mail import SecurityNotice, tell

_AGAIN_AFTER = timedelta(days=1)


def tell_of_new_browser(user: User, browser: str, *, existing: str, network: str, shared: bool) -> bool:
    """Queue the mail, before the sign-in is in the audit log; whether that log should say so. Never raises.

    `existing`: the cookie of known devices that it has; `network`: where it is.

    Nothing is told where the establishment sends no mail, nor of the first sign-in ever. What was told is not told again for a
    day: of a shared computer, which stays unknown, for everything in its network; otherwise for the same kind of browser.
    No query where the browser is known, else two.
    """
    if settings().system_sender is None or not settings().new_browser_mail:
        return False
    if known_devices.recognise(existing, user.address, settings().secret_key):
        return False
    try:
        if _is_told(user, browser, network, shared=shared):
            return False
        if not _is_first(user):
            tell(user, SecurityNotice.NEW_SIGN_IN, browser=browser)
    except DATABASE_AWAY:  # the sign-in itself says so, if it fails too
        return False
    return True


def _is_told(user: User, browser: str, network: str, *, shared: bool) -> bool:
    lately, _more = audit.search(act=AuditAct.SIGN_IN, actor=user.address, since=now() - _AGAIN_AFTER)
    here = [entry for entry in lately if entry.network == network and (shared or entry.target == browser)]
    return any(audit.details_of(entry).get("new") for entry in here)


def _is_first(user: User) -> bool:
    """Whether the account was never used, as far as the log reaches back: an older one without an entry was, before that."""
    found, _more = audit.search(act=AuditAct.SIGN_IN, actor=user.address, size=1)
    days = settings().audit_days
    return not found and (not days or user.created > now() - timedelta(days=days))
