"""Incoming mail: what an import brings, and how it knows that a folder has a message already."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from webmail.imap.bulk.bulk_fetch import MessageFingerprint
from webmail.mail import Address
from webmail.mailbox.imports.import_filing import Filing
from webmail.mime.headers import headers
from webmail.mime.headers.header_lines import named, only

LARGEST = 100_000_000  # bytes of one message

Position = list[str | int]  # where a source goes on; kept as JSON


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message to import. `key` is that of each message in a folder that may be the same; `content` has CRLF line ends, and is
    None where the source loads it only if it is needed. `once`: the name of a message that stands in several places of the source
    and is one; `again`: it stood in an earlier one.
    """

    filing: Filing
    size: int
    key: bytes
    content: bytes | None = None
    position: Position | None = None
    once: bytes = b""
    again: bool = False


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

    def size(self) -> int:
        """Bytes of all messages, in about."""

    def load(self, messages: Sequence[Incoming]) -> list[bytes | None]:
        """The contents, None for what is gone."""


_HEADERS = named(b"message-id", b"from", b"subject")
_MOST_HEADERS = 16_384  # as `imap.bulk` asks for


def message_key(message_id: str, subject: str, sender: Sequence[Address]) -> bytes:
    """Which messages may be the same: those with one Message-ID, or without any, those with one subject and sender."""
    words = message_id or "\n".join([subject, *(one.email for one in sender)])
    return hashlib.blake2b(words.encode("utf-8", "replace"), digest_size=12).digest()


def key_of_message(raw: bytes) -> bytes:
    """As of one in a folder: of its headers as the mail server tells them, cut off as there."""
    envelope = headers.envelope(only(raw, _HEADERS, _MOST_HEADERS))
    return message_key(envelope.message_id[:998], envelope.subject[:500], envelope.sender[:5])


def key_of_fingerprint(there: MessageFingerprint) -> bytes:
    return message_key(there.message_id, there.subject, there.sender)
