"""Endings: what ends when the way in changes, such as a new password, a factor, a role or a disabled account. No Flask here."""

from __future__ import annotations

from webmail import imap
from webmail.auth.devices import app_passwords
from webmail.auth.factors import trusted_devices
from webmail.auth.recovery import password_reset
from webmail.auth.sessions import mail_sessions, sessions
from webmail.config.settings import Settings
from webmail.models import User


def end_everything_else(user: User, settings: Settings, *, keep: str = "", signs_in: bool = False) -> int:
    """End all sessions of `user`, all trust in browsers, and what mail programs have open; returns how many sessions there were.

    `keep`: the `id_hash` of the session that goes on, as `visit().id`. `signs_in`: another one begins with this answer; the
    connections of its first page would be among those of these pages. Mail programs are ended after a moment, in a thread, since
    nobody waits for Dovecot; new sign-ins of theirs are checked anew in any case. Links to a new password end too. 4 queries.
    """
    ended = _end_here(user, keep)
    mail_sessions.end_soon(user.address, settings, pages=not (keep or signs_in))
    return ended


def end_everything(user: User, settings: Settings) -> tuple[int, int | None]:
    """For commands, which end at once: the same, but waits for Dovecot, for mail_sessions.SECONDS at most.

    Returns how many sessions there were, and how many connections of mail programs (None: Dovecot can't be told).
    """
    return _end_here(user), mail_sessions.end(user.address, settings, pages=True)


def _end_here(user: User, keep: str = "") -> int:
    ended = sessions.revoke_all(user, except_=keep)
    trusted_devices.end_all(user)
    password_reset.void(user)
    app_passwords.mark_revoked(User.id == user.id)
    imap.close_all_of(user.address)
    return ended
