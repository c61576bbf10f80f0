"""Send errors: classifies and serialises why a message was not sent, so that pages can explain it in the user's language."""

from __future__ import annotations

import re
from enum import StrEnum

from webmail import smtp
from webmail.compose.large_files.large_files import FilesStoppedError, FileState
from webmail.errors import (
    MailError,
    OverQuotaError,
    RefusedError,
    SendRefusedError,
    ServerAwayError,
    SignInRefusedError,
    TokenRefusedError,
)
from webmail.storage import StorageAwayError
from webmail.system_mail import send_attempts

STOPPED = send_attempts.STOPPED


class SendErrorKind(StrEnum):
    """The kind of failure: ours, or the meaning of the server's enhanced status code (RFC 3463)."""

    NOT_REACHED = "not-reached"
    NO_ANSWER = "no-answer"
    BROKE_OFF = "broke-off"
    SIGN_IN = "sign-in"
    TOKEN_REFUSED = "token-refused"  # a fault of the servers: retried
    NO_ROOM = "no-room"  # the user's own mailbox is over quota
    FILES_AWAY = "files-away"  # the storage that holds the message, or its files
    LINKS_COMING = "links-coming"  # large files that are not there yet
    LINKS_CLOSED = "links-closed"
    LINKS_REFUSED = "links-refused"
    LINKS_ABANDONED = "links-abandoned"
    LINKS_NOT_TAKEN = "links-not-taken"  # by FileSender
    LINKS_NOT_SAVED = "links-not-saved"  # on the drive of their writer
    STOPPED = "stopped"
    OTHER = "other"
    NO_SUCH_ADDRESS = "no-such-address"
    NO_SUCH_DOMAIN = "no-such-domain"
    MAILBOX_CLOSED = "mailbox-closed"
    MAILBOX_FULL = "mailbox-full"
    TOO_LARGE = "too-large"
    NOT_ASCII = "not-ascii"
    NOT_NOW = "not-now"
    REFUSED = "refused"


_WITH_WORDS = (
    SendErrorKind.SIGN_IN, SendErrorKind.TOKEN_REFUSED, SendErrorKind.NO_ROOM, SendErrorKind.OTHER, SendErrorKind.LINKS_CLOSED,
    SendErrorKind.LINKS_REFUSED, SendErrorKind.LINKS_ABANDONED, SendErrorKind.LINKS_NOT_TAKEN, SendErrorKind.LINKS_NOT_SAVED,
)  # fmt: skip
_OURS = {
    SendErrorKind.NOT_REACHED,
    SendErrorKind.NO_ANSWER,
    SendErrorKind.BROKE_OFF,
    SendErrorKind.SIGN_IN,
    SendErrorKind.TOKEN_REFUSED,
    SendErrorKind.NO_ROOM,
    SendErrorKind.FILES_AWAY,
    SendErrorKind.LINKS_COMING,
    SendErrorKind.LINKS_CLOSED,
    SendErrorKind.LINKS_REFUSED,
    SendErrorKind.LINKS_ABANDONED,
    SendErrorKind.LINKS_NOT_TAKEN,
    SendErrorKind.LINKS_NOT_SAVED,
    SendErrorKind.STOPPED,
    SendErrorKind.OTHER,
}
FILES_COMING = f"{SendErrorKind.LINKS_COMING}: "  # as a row has it that waits for its large files
_LINKS = {  # the words are the name of a file
    FileState.COMING: SendErrorKind.LINKS_COMING,
    FileState.CLOSED: SendErrorKind.LINKS_CLOSED,
    FileState.REFUSED: SendErrorKind.LINKS_REFUSED,
    FileState.ABANDONED: SendErrorKind.LINKS_ABANDONED,
    FileState.NOT_TAKEN: SendErrorKind.LINKS_NOT_TAKEN,
    FileState.NOT_SAVED: SendErrorKind.LINKS_NOT_SAVED,
}
_REPLY = re.compile(r"([245])\d\d(?:[ -]+([245])\.(\d{1,3})\.(\d{1,3}))?(?!\d)")
_MEANINGS = {
    "1.0": SendErrorKind.NO_SUCH_ADDRESS,
    "1.1": SendErrorKind.NO_SUCH_ADDRESS,
    "1.3": SendErrorKind.NO_SUCH_ADDRESS,
    "1.6": SendErrorKind.NO_SUCH_ADDRESS,
    "1.2": SendErrorKind.NO_SUCH_DOMAIN,
    "1.10": SendErrorKind.NO_SUCH_DOMAIN,
    "4.4": SendErrorKind.NO_SUCH_DOMAIN,
    "2.1": SendErrorKind.MAILBOX_CLOSED,
    "2.2": SendErrorKind.MAILBOX_FULL,
    "2.3": SendErrorKind.TOO_LARGE,
    "3.4": SendErrorKind.TOO_LARGE,
    "6.7": SendErrorKind.NOT_ASCII,
}


def note(error: MailError) -> str:
    """The error as text for the outbox row: server replies verbatim, our own errors prefixed with their kind."""
    words = str(error)
    if isinstance(error, FilesStoppedError):
        return f"{_LINKS[error.state]}: {error.name}"
    if isinstance(error, TokenRefusedError):
        return f"{SendErrorKind.TOKEN_REFUSED}: {words}"
    if isinstance(error, SendRefusedError | RefusedError) or _REPLY.match(words):
        if isinstance(error, SignInRefusedError):
            return f"{SendErrorKind.SIGN_IN}: {words}"
        return words if not isinstance(error, OverQuotaError) else f"{SendErrorKind.NO_ROOM}: {words}"
    kinds = [
        (smtp.NoAnswerError, SendErrorKind.NO_ANSWER),
        (smtp.BrokeOffError, SendErrorKind.BROKE_OFF),
        (ServerAwayError, SendErrorKind.NOT_REACHED),
        (SignInRefusedError, SendErrorKind.SIGN_IN),
        (StorageAwayError, SendErrorKind.FILES_AWAY),
    ]
    kind = next((kind for type, kind in kinds if isinstance(error, type)), SendErrorKind.OTHER)
    return f"{kind}: {words}"


def read(noted: str) -> tuple[SendErrorKind, str]:
    """Parse what `note` wrote: the kind, and the server's reply ("" if there was none)."""
    name, colon, words = noted.partition(": ")
    if colon and name in set(_OURS):
        return SendErrorKind(name), words if SendErrorKind(name) in _WITH_WORDS else ""
    if noted == STOPPED:
        return SendErrorKind.STOPPED, ""
    match = _REPLY.match(noted)
    if match is None:
        return SendErrorKind.REFUSED, noted
    if match[2] and (kind := _MEANINGS.get(f"{match[3]}.{match[4]}")) and (match[2] != "4" or kind is SendErrorKind.MAILBOX_FULL):
        return kind, noted
    return (SendErrorKind.NOT_NOW if match[1] == "4" else SendErrorKind.REFUSED), noted
