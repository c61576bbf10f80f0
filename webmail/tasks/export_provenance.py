"""Export provenance: what an export of mail says of itself, so that an import here takes nothing in a message for a mark of
it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webmail.account import Account
from webmail.imap.connections.connection import Connection
from webmail.imap.connections.pool import connect
from webmail.imap.mailbox_list import mailboxes
from webmail.mime.formats.export_marker import MarkedFolder, marker_bytes
from webmail.models import Tag, User


@dataclass(frozen=True, slots=True)
class Marking:
    """The levels of the folders' names and their uses, and the tags' names by keyword."""

    folders: Mapping[str, MarkedFolder]
    tags: Mapping[str, str]

    def marker(self, files: Mapping[str, str]) -> bytes:
        """For an export in which each mailbox has a file, or a folder with "/" at its end."""
        known = {file: self.folders[mailbox] for mailbox, file in files.items() if mailbox in self.folders}
        return marker_bytes(known, self.tags)


def marking_of(account: Account, user: User) -> Marking:
    """As `marking_now`, over a connection of the pool."""
    with connect(account) as connection:
        return marking_now(connection, user)


def marking_now(connection: Connection, user: User) -> Marking:
    """Of the mailboxes as they are known: 1 round trip at most, 1 query."""
    overview = mailboxes.overview(connection)
    root, folders = overview.namespaces.root[0], {}
    for mailbox in overview.mailboxes:
        if not mailbox.owner:
            name = mailbox.name.removeprefix(root) if mailbox.name != root else mailbox.name
            levels = name.split(mailbox.delimiter) if mailbox.delimiter else [name]
            folders[mailbox.name] = MarkedFolder(tuple(levels), str(mailbox.role or ""))
    rows: Any = Tag.select(Tag.keyword, Tag.name).where(Tag.user == user).tuples()
    return Marking(folders, dict(rows))
