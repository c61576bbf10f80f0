"""Trouble with other servers: what can go wrong between them and us, as words that pages explain."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlsplit

from webmail.errors import MailError


class RemoteFault(StrEnum):
    PASSWORD = "password"  # refused there, or no longer to be read here
    AWAY = "away"
    BROKEN = "broken"  # a fault of its own (500)
    BUSY = "busy"  # it asks us to come later
    GONE = "gone"  # there is no such collection
    REFUSED = "refused"
    ELSEWHERE = "elsewhere"  # it sends us on to another host
    NOT_DAV = "not-dav"
    INSECURE = "insecure"  # an address without TLS
    FORBIDDEN_PLACE = "forbidden-place"  # an address that our server must not ask
    TOO_LARGE = "too-large"
    TOO_MANY = "too-many"
    FULL = "full"  # no room there
    OURS = "ours"  # a fault here


class RemoteTrouble(MailError):
    """`after`: seconds that the server asks us to wait, 0 where it says nothing. The words are for the log."""

    status = 502

    def __init__(self, kind: RemoteFault, words: str = "", after: int = 0) -> None:
        super().__init__(f"{kind}: {words}"[:300])
        self.kind, self.words, self.after = kind, words, after

    @property
    def target(self) -> str:
        """The host that the server sent us on to, if that is the trouble."""
        if self.kind is not RemoteFault.ELSEWHERE:
            return ""
        try:
            return (urlsplit(self.words).hostname or "")[:253]
        except ValueError:
            return ""


class RoundOver(Exception):
    """This round's time is over; the next one goes on."""
