"""mbox of a mailbox: messages fetched in bulk, written one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from webmail.account import Account
from webmail.imap.bulk import bulk_fetch
from webmail.imap.bulk.chosen import Selection
from webmail.mime.formats.mbox_writer import mbox_message


@dataclass(slots=True)
class Written:
    """How many messages have been written so far."""

    count: int = 0


def mbox(
    account: Account, group: Selection, messages: Sequence[bulk_fetch.MessageFingerprint], written: Written
) -> Iterator[bytes]:
    """These messages of a mailbox in pieces; `written` goes on counting. Round trips and errors as `bulk.contents`."""
    for message, chunks in bulk_fetch.contents(account, group.mailbox, messages, group.uidvalidity):
        sender = message.sender[0].email if message.sender else ""
        yield from mbox_message(sender, message.received, message.flags, chunks)
        written.count += 1
