"""Delivery reports: parses bounces (delivery status notifications, RFC 3464) and read receipts (RFC 8098)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from webmail.mime.headers.headers import date, decode, fields

RECIPIENTS_LIMIT = 100
_WORDS_LIMIT = 2_000
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_BASIC = re.compile(r"(?<!\d)([45]\d\d)(?!\d)")


class Reason(StrEnum):
    """Why a message bounced, by its status code (RFC 3463, RFC 5321 and the IANA registry)."""

    NO_SUCH_PERSON = "no_such_person"
    NO_SUCH_DOMAIN = "no_such_domain"
    MOVED = "moved"
    CLOSED = "closed"
    FULL = "full"
    TOO_LARGE = "too_large"
    AWAY = "away"
    TOO_LONG = "too_long"  # delivery time expired
    LOOP = "loop"
    NOT_ALLOWED = "not_allowed"
    DISTRUSTED = "distrusted"
    CONTENT = "content"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Recipient:
    """The delivery result for one recipient. `words` are the server's own."""

    address: str
    action: str  # "failed", "delayed", "delivered", "relayed", "expanded"
    status: str = ""  # "5.1.1"
    reason: Reason = Reason.UNKNOWN
    words: str = ""
    server: str = ""
    retried_until: datetime | None = None

    @property
    def is_missing(self) -> bool:
        """Whether the message has not (yet) reached this recipient."""
        return self.action in ("failed", "delayed")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery report; `more` is the number of recipients left out."""

    recipients: tuple[Recipient, ...]
    more: int = 0
    reporter: str = ""

    @property
    def failed(self) -> bool:
        return any(recipient.action == "failed" for recipient in self.recipients)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A read receipt. `disposition`: "displayed", "deleted", "processed", "dispatched", "denied" or "failed". `automatic`: sent
    by a program without the person's action."""

    address: str
    disposition: str
    automatic: bool
    original: str = ""  # Message-ID


def delivery(text: str) -> Delivery | None:
    """Parse a message/delivery-status; None if it names no recipient. Never raises."""
    groups = list(_groups(text))
    about = [found for found in groups if "final-recipient" in found or "original-recipient" in found]
    if not about:
        return None
    reporter = next((_after_type(_first(found, "reporting-mta")) for found in groups if "reporting-mta" in found), "")
    return Delivery(
        tuple(_recipient(found) for found in about[:RECIPIENTS_LIMIT]), max(len(about) - RECIPIENTS_LIMIT, 0), reporter
    )


def receipt(text: str) -> Receipt | None:
    """Parse a message/disposition-notification; None if it is not one. Never raises."""
    found = fields(text.strip().encode("utf-8", "replace"))
    modes, _semicolon, kind = _first(found, "disposition").partition(";")
    disposition = re.split(r"[/,\s]", kind.strip().lower(), maxsplit=1)[0]
    if not disposition:
        return None
    address = _after_type(_first(found, "original-recipient") or _first(found, "final-recipient"))
    return Receipt(address, disposition, "automatic-action" in modes.lower(), _first(found, "original-message-id")[:1000])


def _groups(text: str) -> Iterator[dict[str, list[bytes]]]:
    """Header blocks between empty lines (RFC 3464 section 2.1)."""
    for block in re.split(r"\n[ \t]*\n\s*", text.strip())[: RECIPIENTS_LIMIT * 20]:
        yield fields(block.encode("utf-8", "replace"))


def _recipient(found: dict[str, list[bytes]]) -> Recipient:
    words = _after_type(_first(found, "diagnostic-code"))
    told = _ENHANCED.search(_first(found, "status"))
    status = told[0] if told else ""
    # Many servers report "5.0.0", but the remote server's reply has a more specific code
    if (not status or status.endswith(".0.0")) and (better := _ENHANCED.search(words)):
        status = better[0]
    return Recipient(
        address=_after_type(_first(found, "original-recipient") or _first(found, "final-recipient"))[:320],
        action=_first(found, "action").lower()[:20] or ("delayed" if status.startswith("4") else "failed"),
        status=status,
        reason=reason(status, words),
        words=words[:_WORDS_LIMIT],
        server=_after_type(_first(found, "remote-mta"))[:255],
        retried_until=date(found["will-retry-until"][0]) if "will-retry-until" in found else None,
    )


def reason(status: str, text: str = "") -> Reason:
    """The reason by the enhanced status code (RFC 3463 section 3), else by the reply code in the server's words."""
    found = _ENHANCED.fullmatch(status)
    if found and (known := _REASONS.get(f"{found[2]}.{found[3]}") or _SUBJECTS.get(found[2])):
        return known
    basic = _BASIC.search(text)
    return _REPLIES.get(basic[1], Reason.UNKNOWN) if basic else Reason.UNKNOWN


_REASONS = {
    "1.0": Reason.NO_SUCH_PERSON, "1.1": Reason.NO_SUCH_PERSON, "1.2": Reason.NO_SUCH_DOMAIN, "1.3": Reason.NO_SUCH_PERSON,
    "1.4": Reason.NO_SUCH_PERSON, "1.6": Reason.MOVED, "1.7": Reason.DISTRUSTED, "1.8": Reason.DISTRUSTED,
    "1.10": Reason.NO_SUCH_DOMAIN, "2.0": Reason.CLOSED, "2.1": Reason.CLOSED, "2.2": Reason.FULL, "2.3": Reason.TOO_LARGE,
    "3.1": Reason.FULL, "3.4": Reason.TOO_LARGE, "4.0": Reason.AWAY, "4.1": Reason.AWAY, "4.2": Reason.AWAY, "4.3": Reason.AWAY,
    "4.4": Reason.NO_SUCH_DOMAIN, "4.5": Reason.AWAY, "4.6": Reason.LOOP, "4.7": Reason.TOO_LONG, "5.3": Reason.TOO_LARGE,
    "6.0": Reason.CONTENT, "7.0": Reason.NOT_ALLOWED, "7.1": Reason.NOT_ALLOWED, "7.2": Reason.NOT_ALLOWED,
    "7.13": Reason.CLOSED, "7.20": Reason.DISTRUSTED, "7.21": Reason.DISTRUSTED, "7.22": Reason.DISTRUSTED,
    "7.23": Reason.DISTRUSTED, "7.24": Reason.DISTRUSTED, "7.25": Reason.DISTRUSTED, "7.26": Reason.DISTRUSTED,
    "7.27": Reason.DISTRUSTED, "7.28": Reason.DISTRUSTED,
}  # fmt: skip
_SUBJECTS = {"6": Reason.CONTENT, "7": Reason.NOT_ALLOWED}  # by the first number alone, if the second is unknown
_REPLIES = {
    "421": Reason.AWAY,
    "450": Reason.AWAY,
    "451": Reason.AWAY,
    "452": Reason.FULL,
    "550": Reason.UNKNOWN,
    "552": Reason.FULL,
}


def _first(found: dict[str, list[bytes]], name: str) -> str:
    return decode(found.get(name, [b""])[0])


def _after_type(value: str) -> str:
    """The value without its type: "rfc822; ann@x.example" -> "ann@x.example" (RFC 3464 section 2.1.2)."""
    kind, semicolon, rest = value.partition(";")
    return rest.strip().strip("<>") if semicolon and " " not in kind.strip() else value.strip().strip("<>")
