"""Why a message did not go as it should: what is kept of an error, so that a page can say it in the person's language."""

from __future__ import annotations

import re
from enum import StrEnum

from webmail import smtp
from webmail.mail import MailError, OverQuota, Refused, SendRefused, ServerAway, SignInRefused

STOPPED = "the program that was sending it stopped"


class Kind(StrEnum):
    """Whose fault it was, or what exactly the server's answer means (RFC 3463)."""

    NOT_REACHED = "not-reached"
    NO_ANSWER = "no-answer"
    BROKE_OFF = "broke-off"
    SIGN_IN = "sign-in"
    NO_ROOM = "no-room"  # in one's own mailbox
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


_OURS = {Kind.NOT_REACHED, Kind.NO_ANSWER, Kind.BROKE_OFF, Kind.SIGN_IN, Kind.NO_ROOM, Kind.STOPPED, Kind.OTHER}
_REPLY = re.compile(r"([245])\d\d(?:[ -]+([245])\.(\d{1,3})\.(\d{1,3}))?(?!\d)")
_MEANINGS = {
    "1.0": Kind.NO_SUCH_ADDRESS,
    "1.1": Kind.NO_SUCH_ADDRESS,
    "1.3": Kind.NO_SUCH_ADDRESS,
    "1.6": Kind.NO_SUCH_ADDRESS,
    "1.2": Kind.NO_SUCH_DOMAIN,
    "1.10": Kind.NO_SUCH_DOMAIN,
    "4.4": Kind.NO_SUCH_DOMAIN,
    "2.1": Kind.MAILBOX_CLOSED,
    "2.2": Kind.MAILBOX_FULL,
    "2.3": Kind.TOO_LARGE,
    "3.4": Kind.TOO_LARGE,
    "6.7": Kind.NOT_ASCII,
}


def note(error: MailError) -> str:
    """The error as one line for the outbox: the server's own words as they are, ours with their kind before them."""
    words = str(error)
    if isinstance(error, SendRefused | Refused) or _REPLY.match(words):
        if isinstance(error, SignInRefused):
            return f"{Kind.SIGN_IN}: {words}"
        return words if not isinstance(error, OverQuota) else f"{Kind.NO_ROOM}: {words}"
    kinds = [
        (smtp.NoAnswer, Kind.NO_ANSWER),
        (smtp.BrokeOff, Kind.BROKE_OFF),
        (ServerAway, Kind.NOT_REACHED),
        (SignInRefused, Kind.SIGN_IN),
    ]
    kind = next((kind for type, kind in kinds if isinstance(error, type)), Kind.OTHER)
    return f"{kind}: {words}"


def read(noted: str) -> tuple[Kind, str]:
    """The kind of what `note` wrote, and the server's own words (empty where the server said nothing)."""
    name, colon, words = noted.partition(": ")
    if colon and name in set(_OURS):
        said = Kind(name) in (Kind.SIGN_IN, Kind.NO_ROOM, Kind.OTHER)
        return Kind(name), words if said else ""
    if noted == STOPPED:
        return Kind.STOPPED, ""
    match = _REPLY.match(noted)
    if match is None:
        return Kind.REFUSED, noted
    if match[2] and (kind := _MEANINGS.get(f"{match[3]}.{match[4]}")) and (match[2] != "4" or kind is Kind.MAILBOX_FULL):
        return kind, noted
    return (Kind.NOT_NOW if match[1] == "4" else Kind.REFUSED), noted
