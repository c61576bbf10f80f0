"""IMAP: one guarded way to a connection, and verbs on mailboxes and messages.

    with imap.connect(account) as connection:
        listing = imap.lists.list(connection, "INBOX")

Nothing here knows of the web or of the database. Library and network errors leave as `MailError` kinds.
"""

from webmail.imap import (
    acl,
    actions,
    conversations,
    everywhere,
    files,
    folders,
    inside,
    lists,
    mailboxes,
    messages,
    news,
    texts,
    threads,
)
from webmail.imap.pool import close_all, close_all_of, configure, connect
from webmail.imap.sign_in import check

__all__ = [
    "acl",
    "actions",
    "check",
    "close_all",
    "close_all_of",
    "configure",
    "connect",
    "conversations",
    "everywhere",
    "files",
    "folders",
    "inside",
    "lists",
    "mailboxes",
    "messages",
    "news",
    "texts",
    "threads",
]
