"""Faults of servers that are followed: what can go wrong between them and us, as kinds that are stored and that pages explain."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from webmail.errors import MailError
from webmail.http_fetch import AddressForbiddenError, AnswerTooLargeError

_LONGEST_WAIT = 86_400  # seconds that a server may ask us to wait


class FollowFault(StrEnum):
    AWAY = "away"
    BROKEN = "broken"  # a fault of its own (500)
    BUSY = "busy"  # it asks us to come later
    GONE = "gone"  # there is no such collection
    REFUSED = "refused"  # it does not allow it, wants a password, or lets nobody in
    PASSWORD = "password"  # refused there, or no longer to be read here
    ELSEWHERE = "elsewhere"  # it sends us on to another host, which must not get the password
    INSECURE = "insecure"  # an address without TLS
    FORBIDDEN_PLACE = "forbidden-place"  # an address that our server must not ask
    NOT_DAV = "not-dav"
    NOT_CALENDAR = "not-calendar"
    CUT = "cut"  # the file ends in the middle
    TOO_LARGE = "too-large"
    TOO_MANY = "too-many"
    FULL = "full"  # no room: here for what is subscribed, there for what is sent
    OURS = "ours"  # a fault here


class FollowTroubleError(MailError):
    """`after`: seconds that the server asks us to wait, 0 where it says nothing. The words are for the log.

    `target`: the host that it sent us on to, where that is the trouble.
    """

    status = 502

    def __init__(self, kind: FollowFault, text: str = "", after: int = 0, target: str = "") -> None:
        super().__init__(f"{kind}: {text}"[:300])
        self.kind, self.after, self.target = kind, after, target[:253]


def of_fetching(error: Exception) -> FollowFault:
    """Why `http_fetch` brought no answer."""
    if isinstance(error, AnswerTooLargeError):
        return FollowFault.TOO_LARGE
    return FollowFault.FORBIDDEN_PLACE if isinstance(error, AddressForbiddenError) else FollowFault.AWAY


def seconds_to_wait(headers: Mapping[str, str]) -> int:
    """As `Retry-After` says (RFC 9110, 10.2.3), within bounds; 0 where it says nothing.

    A date is counted from the server's own `Date`: its clock and ours may differ.
    """
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return min(int(said[:9]), _LONGEST_WAIT)
    until, there = (_moment(text) for text in (said, headers.get("date", "")))
    if until is None:
        return 0
    return min(max(math.ceil((until - (there or datetime.now(UTC))).total_seconds()), 0), _LONGEST_WAIT)


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text[:100])
        return found.replace(tzinfo=found.tzinfo or UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
