"""New mail: detects new mail in a mailbox since it was shown, by STATUS, without selecting it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from webmail.imap.connections.commands import mailbox_name
from webmail.imap.connections.connection import Connection

_ITEM = re.compile(rb"([A-Z]+) (\d+)")


@dataclass(frozen=True, slots=True)
class MailboxState:
    """The STATUS of a mailbox (RFC 3501 section 6.3.10). `uidnext` is 0 if unknown. `str()` and `read` convert it to text."""

    uidvalidity: int
    uidnext: int
    messages: int
    unseen: int

    def __str__(self) -> str:
        return f"{self.uidvalidity}.{self.uidnext}.{self.messages}.{self.unseen}"

    @classmethod
    def read(cls, text: str) -> MailboxState | None:
        """Parse the output of `str()`; None if invalid."""
        parts = text.split(".")
        if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) < 11 for part in parts):
            return None
        return cls(*map(int, parts))

    def new_since(self, before: MailboxState) -> int:
        """Upper bound of the messages that arrived since `before`: some may be gone again; never more than exist."""
        if before.uidvalidity != self.uidvalidity:
            return 0
        came = self.uidnext - before.uidnext if before.uidnext and self.uidnext else self.messages - before.messages
        return max(0, min(came, self.messages))


def state_of(connection: Connection, mailbox: str) -> MailboxState:
    """The current state of a mailbox: 1 round trip, after a NOOP if it is the selected one (Dovecot would report stale
    numbers). Raises NoSuchMailboxError."""
    if connection.mailbox == mailbox:
        connection.select(mailbox)
    command = (b"STATUS", mailbox_name(mailbox), b"(MESSAGES UNSEEN UIDNEXT UIDVALIDITY)")
    told = status_numbers(connection.run(command))
    return MailboxState(*(told.get(name, 0) for name in ("UIDVALIDITY", "UIDNEXT", "MESSAGES", "UNSEEN")))


def status_numbers(answers: dict[str, list[Any]]) -> dict[str, int]:
    """The numbers of the STATUS response with UIDNEXT, which is requested for one mailbox only."""
    for line in answers.get("STATUS", []):
        items = line.rpartition(b"(")[2] if isinstance(line, bytes) else b""
        found = {name.decode(): int(number) for name, number in _ITEM.findall(items)}
        if "UIDNEXT" in found:
            return found
    return {}
