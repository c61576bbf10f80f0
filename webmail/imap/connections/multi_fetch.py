"""Multi-mailbox commands: sends a command in each of several mailboxes, in one round trip, and keeps the answers apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from webmail.errors import MailError
from webmail.imap.connections.commands import mailbox_name
from webmail.imap.connections.connection import Command, Connection
from webmail.imap.connections.responses import fetched

_BATCH_BYTES = 24_000  # of commands sent at once: if they exceed the buffers, client and server wait for each other to read

Untagged = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class MailboxHits:
    """The results of one mailbox: the matching UIDs, in the order of the search."""

    mailbox: str
    uidvalidity: int
    flags: frozenset[str]  # known in the mailbox
    uids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    place: MailboxHits
    uid: int


def fetch(
    connection: Connection, place_of: dict[str, MailboxHits], asking: Sequence[tuple[str, Command]]
) -> dict[tuple[str, int], dict[bytes, Any]]:
    """Responses to UID FETCH by mailbox and UID, of mailboxes whose UIDVALIDITY did not change: 1 round trip."""
    values: dict[tuple[str, int], dict[bytes, Any]] = {}
    for name, opened, answers in in_each(connection, asking):
        if isinstance(opened, MailError) or isinstance(answers, MailError) or validity(opened) != place_of[name].uidvalidity:
            continue
        for uid, items in fetched(answers).items():  # a message may be asked about twice
            values.setdefault((name, uid), {}).update(items)
    return values


def in_each(
    connection: Connection, asking: Sequence[tuple[str, Command]]
) -> list[tuple[str, Untagged | MailError, Untagged | MailError]]:
    """For each (mailbox, command): the mailbox, the response to EXAMINE (read-only), the response to the command."""
    found: list[tuple[str, Untagged | MailError, Untagged | MailError]] = []
    for batch in _batches(asking):
        commands = [c for name, command in batch for c in ((b"EXAMINE", mailbox_name(name)), command)]
        answers = connection.run_apart(*commands)
        for (name, _command), opened, told in zip(batch, answers[::2], answers[1::2], strict=True):
            found.append((name, opened, told))
    return found


def _batches(asking: Sequence[tuple[str, Command]]) -> Iterable[list[tuple[str, Command]]]:
    batch: list[tuple[str, Command]] = []
    size = 0
    for name, command in asking:
        here = sum(map(len, command)) + 4 * len(name) + 40
        if batch and size + here > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append((name, command))
        size += here
    if batch:
        yield batch


def validity(opened: Untagged) -> int:
    """UIDVALIDITY, of a response to EXAMINE."""
    return int((opened.get("UIDVALIDITY") or [0])[-1])


def known_flags(opened: Untagged) -> frozenset[str]:
    """The flags known in the mailbox, of a response to EXAMINE."""
    return frozenset((opened.get("FLAGS") or [b""])[0].decode("ascii", "replace").strip("()").split())
