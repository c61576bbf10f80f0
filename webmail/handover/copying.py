"""Copying what came since a day from a mailbox that was handed over into the person's own: older mail they never get to see.

Folder by folder, in the order of UIDs. Before a batch is appended the row says which one, and where; after a kill what the batch
had brought already is left out, so that each message is there once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from webmail import imap
from webmail.account import Account
from webmail.config.settings import Settings
from webmail.errors import NoSuchMailboxError, OverQuotaError, RefusedError
from webmail.handover import access
from webmail.imap.bulk import bulk_fetch
from webmail.imap.bulk.append_many import AppendStoppedError, NewMessage, append_many
from webmail.imap.bulk.bulk_fetch import MessageFingerprint
from webmail.imap.connections.connection import Connection
from webmail.imap.connections.responses import numbers_of
from webmail.mail import Role
from webmail.mailbox.imports.import_filing import kept_flags
from webmail.models import HandedOverFolder, MailboxHandover
from webmail.people import handovers

_LEFT_OUT = (Role.JUNK, Role.TRASH, Role.DRAFTS)  # what was thrown away or not said yet is nobody's business
_BATCH = 8_000_000  # bytes
_MOST = 100  # messages at once
Step = Callable[[int], AbstractContextManager[None]]  # the transaction that notes so many messages more


class FullError(OverQuotaError):
    """The person's mailbox takes no more."""


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder of the owner's, and what its copy is called."""

    name: str
    copy: str


def remaining(handover: MailboxHandover, settings: Settings) -> int:
    """How many messages there are to copy, at this moment."""
    account = access.account_of(handover.owner, settings)
    with imap.connect(account) as connection:
        return sum(len(_uids(connection, handover, folder)[1]) for folder in _folders(connection, handover))


def copy(handover: MailboxHandover, settings: Settings, step: Step, most: int | None = None) -> int:
    """Copy what is there and not copied yet, `most` messages of it; returns how many. Raises FullError, and other MailErrors."""
    theirs, mine = access.account_of(handover.owner, settings), settings.account(handover.person.address)
    with imap.connect(theirs) as connection:
        found = _folders(connection, handover)
    done = 0
    for folder in found:
        with imap.connect(theirs, folder.name) as connection:
            row, uids = _uids(connection, handover, folder)
            uids = uids if most is None else uids[: most - done]
            known = bulk_fetch.identities(connection, folder.name, uids) if uids else {}
        for batch in bulk_fetch.batches((known[uid] for uid in uids if uid in known), _BATCH, _MOST):
            copied = _append(row, theirs, mine, folder, batch)
            with step(copied):
                handovers.note_copied(row, batch[-1].uid, copied)
            done += copied
    return done


def _folders(connection: Connection, handover: MailboxHandover) -> list[_Folder]:
    own = [
        one for one in imap.mailboxes.without_counts(connection) if one.selectable and not one.owner and one.role not in _LEFT_OUT
    ]
    top = top_of(handover)
    return [_Folder(one.name, top if one.role is Role.INBOX else f"{top}/{one.name}") for one in own]


def top_of(handover: MailboxHandover) -> str:
    """The folder of the person's that has the copies, and inside it those of folders."""
    return handover.owner.address


def _uids(connection: Connection, handover: MailboxHandover, folder: _Folder) -> tuple[HandedOverFolder, list[int]]:
    connection.select(folder.name)
    row = handovers.folder_of(handover, folder.name, connection.uidvalidity or 0)
    since = handover.since or datetime(1970, 1, 1)
    day = since.strftime("%d-%b-%Y").encode()
    found = connection.run((b"UID SEARCH", b"UID", b"%d:*" % (row.uid + 1), b"SINCE", day))
    return row, sorted(uid for uid in numbers_of(found.get("SEARCH", [])) if uid > row.uid)


def _append(row: HandedOverFolder, theirs: Account, mine: Account, folder: _Folder, batch: Sequence[MessageFingerprint]) -> int:
    """How many of these are in the person's folder now that were not counted yet. Raises FullError."""
    with imap.connect(mine) as connection:
        validity, following = _made(connection, folder.copy)
        there: Counter[tuple[int, str, datetime]] = Counter()
        if row.upto:  # a batch was begun, and nobody noted that it is there
            connection.select(folder.copy)
            arrived = bulk_fetch.uids_from(connection, row.before)
            there = Counter(map(_likeness, bulk_fetch.identities(connection, folder.copy, arrived, validity).values()))
        else:
            handovers.note_begun(row, batch[-1].uid, following)
        missing = []
        for one in batch:
            if there[_likeness(one)]:
                there[_likeness(one)] -= 1
            else:
                missing.append(one)
    contents = bulk_fetch.contents(theirs, folder.name, missing, row.uidvalidity)
    new = [NewMessage(b"".join(pieces), kept_flags(sorted(one.flags)), one.received) for one, pieces in contents]
    if new:
        with imap.connect(mine) as connection:
            try:
                append_many(connection, folder.copy, new)
            except AppendStoppedError as error:
                if isinstance(error.reason, OverQuotaError):
                    raise FullError(str(error)) from error
                raise error.reason from error
    return len(batch)


def _likeness(message: MessageFingerprint) -> tuple[int, str, datetime]:
    return message.size, message.message_id, message.received


def _made(connection: Connection, mailbox: str) -> tuple[int, int]:
    """UIDVALIDITY and the next UID of a folder of the person's, which is made if there is none."""
    try:
        return bulk_fetch.next_uid(connection, mailbox)
    except NoSuchMailboxError:
        for name in _with_parents(mailbox):
            try:
                imap.mailboxes.create(connection, name)
            except RefusedError:  # it is there
                continue
        return bulk_fetch.next_uid(connection, mailbox)


def _with_parents(mailbox: str) -> Iterator[str]:
    parts = mailbox.split("/")
    yield from ("/".join(parts[: at + 1]) for at in range(len(parts)))
