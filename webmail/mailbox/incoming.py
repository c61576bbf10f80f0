"""Incoming mail: what an import brings, and how it knows that a folder has a message already."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from webmail.imap.bulk import MessageFingerprint
from webmail.mail import Address
from webmail.mailbox.import_filing import Filing

LARGEST = 100_000_000  # bytes of one message

Position = list[str | int]  # where a source goes on; kept as JSON


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message to import. `key` is the same for the same message in a folder of ours; `content` has CRLF line ends, and is None
    where the source loads it only if it is needed.
    """

    filing: Filing
    size: int
    key: bytes
    content: bytes | None = None
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that can't be imported: its name in the source, and why (`too-large`, `broken`, `no-message`, `refused`)."""

    name: str
    reason: str
    position: Position | None = None


Found = Incoming | Unreadable


class Source(Protocol):
    """Where messages come from: a file, or another mail server."""

    def count(self) -> int:
        """How many messages there are, readable or not."""

    def messages(self, at: int, position: Position | None) -> Iterator[Found]:
        """The messages after the first `at`, the last of which was at `position`."""

    def key_of(self, there: MessageFingerprint) -> bytes:
        """The key of a message in a folder of ours."""

    def load(self, messages: Sequence[Incoming]) -> list[bytes | None]:
        """The contents, None for what is gone."""


def message_key(message_id: str, subject: str, sender: Sequence[Address], more: object) -> bytes:
    """Tells messages apart by their Message-ID, or without one by subject and sender, and by `more`: their size, or date."""
    words = message_id or "\n".join([subject, *(one.email for one in sender)])
    return hashlib.blake2b(f"{more} {words}".encode("utf-8", "replace"), digest_size=12).digest()
