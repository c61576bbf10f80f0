"""Next UIDs: which UID the next message of each of one's mailboxes will have, by which one sees where something came."""

from __future__ import annotations

from collections.abc import Collection

from webmail.imap.connections.commands import mailbox_name
from webmail.imap.connections.connection import Connection, Spare
from webmail.imap.mailbox_list import folders, list_answers, mailboxes
from webmail.mail import Role


def find(connection: Connection, without: Collection[Role], most: int) -> dict[str, tuple[int, int]]:
    """UIDVALIDITY and UIDNEXT by name of one's own mailboxes, the inbox first, but for those of these roles: 2 round trips,
    3 if one is selected (see `folders.refresh`)."""
    folders.refresh(connection)
    own = [one for one in mailboxes.without_counts(connection) if one.selectable and not one.owner and one.role not in without]
    names = [one.name for one in sorted(own, key=lambda one: one.role is not Role.INBOX)][:most]
    answers = connection.run(*(Spare((b"STATUS", mailbox_name(name), b"(UIDVALIDITY UIDNEXT)")) for name in names))
    return list_answers.next_uids(answers.get("STATUS", []))
