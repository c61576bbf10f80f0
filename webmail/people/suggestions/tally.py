"""Tally of people: how often addresses were met in messages, when last, and under which name. Nothing is read or written here."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime

from webmail.imap.bulk.people import MessagePeople
from webmail.mail import Address
from webmail.people.automatic_senders import is_automatic

MOST = 5_000  # addresses of one folder
LONGEST = 254  # characters of an address, as in the tables


@dataclass(slots=True)
class Met:
    """`count` messages, the newest at `last` (UTC, naive, as in the tables)."""

    name: str
    count: int
    last: datetime


class Tally:
    """Counts people; of messages that come newest first, the newest name of each stays."""

    def __init__(self, own: Container[str]) -> None:
        """`own`: the person's addresses, in lower case, which are never counted."""
        self.own = own
        self.people: dict[str, Met] = {}

    def add_sent(self, message: MessagePeople) -> None:
        """Whom a message went to."""
        if not message.aside:
            self._add(message.recipients, message.at)

    def add_received(self, message: MessagePeople) -> None:
        """Who wrote: no lists, newsletters, automatic messages or junk."""
        if not message.aside and not message.bulk:
            self._add(message.sender[:1], message.at)

    def _add(self, people: tuple[Address, ...], at: datetime) -> None:
        when = at.replace(tzinfo=None)
        for email, name in {one.email.lower(): one.name for one in people}.items():
            if known := self.people.get(email):
                known.count, known.last, known.name = known.count + 1, max(known.last, when), known.name or name[:190]
            elif len(self.people) < MOST and email not in self.own and _usable(email):
                self.people[email] = Met(name[:190], 1, when)


def _usable(email: str) -> bool:
    local, at, domain = email.rpartition("@")
    return bool(local and at and domain) and len(email) <= LONGEST and email.isprintable() and not is_automatic(email)
