"""Origins: who messages are from, by which list and about what: the headers that a filter for more like them asks for."""

from __future__ import annotations

from collections.abc import Sequence

from webmail.imap.connections.commands import uid_set
from webmail.imap.connections.connection import Connection
from webmail.imap.connections.responses import fetched, header_bytes_of
from webmail.mail import Envelope
from webmail.mime.headers import headers

_ITEMS = b"(UID BODY.PEEK[HEADER.FIELDS (FROM LIST-ID SUBJECT)]<0.8192>)"


def read(connection: Connection, mailbox: str, uids: Sequence[int], uidvalidity: int | None) -> list[Envelope]:
    """The sender, list and subject of each message that is there; nothing is marked as read. 1 round trip after the SELECT.

    Raises NoSuchMailboxError, MailboxChangedError, UnsafeValueError.
    """
    connection.select(mailbox, uidvalidity)
    answers = fetched(connection.run((b"UID FETCH", uid_set(uids), _ITEMS)))
    return [headers.envelope(header_bytes_of(answers[uid])) for uid in uids if uid in answers]
