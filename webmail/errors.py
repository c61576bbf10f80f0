"""Errors: MailError and a subclass for each way mail can fail, with the HTTP status to respond with."""

from __future__ import annotations

from collections.abc import Mapping


class EnglishText(str):
    """Words in English that know their entry of the catalogue, so that a page can say them in another language: those of an
    error, or of a check. Import it as `_l`, by which the catalogue finds the entry. Values may be of its kind too.
    """

    entry: str
    values: Mapping[str, object]

    def __new__(cls, entry: str, **values: object) -> EnglishText:
        made = super().__new__(cls, entry % values if values else entry)
        made.entry, made.values = entry, values
        return made


class MailError(Exception):
    """Base class of mail errors. `status` is the HTTP status; the message is for logs, in English."""

    status = 500


class UnsafeValueError(MailError):
    """A value that must not go into a command or a header: it contains CR, LF or NUL."""

    status = 400


class BadAddressError(MailError):
    """Not a valid e-mail address. `value` is what was typed."""

    status = 422

    def __init__(self, value: str) -> None:
        super().__init__(f"not an e-mail address: {value!r}")
        self.value = value


class SignInRefusedError(MailError):
    """The server rejected the user name or the credential."""

    status = 401


class NotAllowedError(MailError):
    """The server denies permission (ACL, read-only mailbox)."""

    status = 403


class NoSuchMailboxError(MailError):
    status = 404


class NoSuchMessageError(MailError):
    status = 404


class MailboxChangedError(MailError):
    """UIDVALIDITY changed: UIDs known before are invalid (RFC 3501 section 2.3.1.1)."""

    status = 410


class RefusedError(MailError):
    """The server understood the command and refused it; its own words are the message."""

    status = 422


class OverQuotaError(RefusedError):
    """The quota is exceeded (RFC 5530 OVERQUOTA)."""

    status = 507


class ServerAwayError(MailError):
    """The server can't be reached, timed out, or dropped the connection. A retry may help."""

    status = 502


class OtherServerAwayError(ServerAwayError):
    """The same of a server that is not the establishment's own, such as one where a person keeps files."""


class UnconfirmedError(ServerAwayError):
    """The server was told to change messages and did not answer: it may have done so, all the same, or do so yet."""


class OutOfTimeError(ServerAwayError):
    """An action takes so long that proxies would give its page up: what is left was not begun."""


class TokenRefusedError(ServerAwayError):
    """The server rejected a token that we signed: a fault of the servers (clocks, key, issuer), which no user can mend."""


class SearchNotReadyError(ServerAwayError):
    """The server is still indexing what is to be searched. Other questions are answered."""

    status = 503


class SendRefusedError(MailError):
    """The SMTP server rejected the message. `permanent` tells 5xx from 4xx; `refused` maps address -> the server's words."""

    status = 422

    def __init__(self, message: str, *, permanent: bool, refused: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.refused = refused or {}


class SendUncertainError(MailError):
    """The connection broke after the final dot: the message may have been sent. Never retried automatically."""

    status = 502


class LimitReachedError(ValueError):
    """A person has reached the maximum number of tags, contacts, identities or templates."""
