"""Errors: the ways in which mail can fail. MailError, and a subclass for each kind, with the HTTP status that answers it."""

from __future__ import annotations


class MailError(Exception):
    """Something about mail went wrong. `status` is the HTTP answer; the message is for logs, in English."""

    status = 500


class UnsafeValue(MailError):
    """A value that may not go into a command or a header: CR, LF, NUL."""

    status = 400


class BadAddress(MailError):
    """Not an address that mail can be sent to. `value` is what was typed."""

    status = 422

    def __init__(self, value: str) -> None:
        super().__init__(f"not an e-mail address: {value!r}")
        self.value = value


class SignInRefused(MailError):
    """The server knows no such person, or not with this credential."""

    status = 401


class NotAllowed(MailError):
    """The server refuses this to this person (ACL, read-only mailbox)."""

    status = 403


class NoSuchMailbox(MailError):
    status = 404


class NoSuchMessage(MailError):
    status = 404


class MailboxChanged(MailError):
    """UIDVALIDITY differs: UIDs seen before mean nothing now (RFC 3501 section 2.3.1.1)."""

    status = 410


class Refused(MailError):
    """The server understood and said no; its own words are the message."""

    status = 422


class OverQuota(Refused):
    """There is no room left (RFC 5530 OVERQUOTA)."""

    status = 507


class ServerAway(MailError):
    """The server can't be reached, is too slow, or broke off. Trying again may help."""

    status = 502


class SendRefused(MailError):
    """SMTP refused before accepting. `permanent` tells 5xx from 4xx; `refused` maps address -> the server's words."""

    status = 422

    def __init__(self, message: str, *, permanent: bool, refused: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.refused = refused or {}


class SendUncertain(MailError):
    """The connection broke after the final dot: the message may have been sent. Never retried by itself."""

    status = 502


class LimitReached(ValueError):
    """A person has as many of these (tags, contacts, identities, templates) as one person may have."""
