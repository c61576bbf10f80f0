"""Answer search: whether a message has been answered already, for who asks for it only now, and where no worker looks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from webmail.compose.awaited import incoming_answers
from webmail.config.settings import Settings
from webmail.imap.bulk import bulk_fetch
from webmail.imap.connections.commands import imap_day
from webmail.imap.connections.connection import Connection
from webmail.imap.connections.responses import numbers_of
from webmail.models import AwaitedReply, User

MAILBOX = "INBOX"
_MOST = 1_000  # messages since then that are read


def look(connection: Connection, user: User, rows: Sequence[AwaitedReply], settings: Settings) -> int:
    """Note answers to these in the inbox; how many messages are answered. 2 round trips after the SELECT. Raises what
    `connection.run` does.

    What came since is read, not searched: indexes for full-text search leave In-Reply-To and References out.
    """
    connection.select(MAILBOX)
    sent = [row.sent for row in rows if row.sent]
    if not sent:
        return 0
    since = imap_day((min(sent) - timedelta(days=1)).date())
    found = sorted(numbers_of(connection.run((b"UID SEARCH", b"SINCE", since)).get("SEARCH", [])))[-_MOST:]
    if not found:
        return 0
    validity = connection.uidvalidity
    heads = bulk_fetch.answer_headers(connection, MAILBOX, found, validity)
    fetch = partial(bulk_fetch.beginnings, connection, MAILBOX, uidvalidity=validity)
    return incoming_answers.take(user, heads, MAILBOX, validity, fetch, settings)
