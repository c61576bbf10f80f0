"""IMAP: pooled connections, and operations on mailboxes and messages.

    with imap.connect(account) as connection:
        page = imap.listing.list(connection, "INBOX")

Independent of the web and the database. Library and network errors are converted to subclasses of `MailError`.
"""

from webmail.imap import (
    acl,
    actions,
    attached_messages,
    attachment_search,
    body_texts,
    changes,
    conversations,
    earlier_messages,
    folders,
    listing,
    mailboxes,
    messages,
    multi_search,
    recount,
    tag_counts,
    threads,
)
from webmail.imap.credential_check import check
from webmail.imap.optional import optional
from webmail.imap.pool import close_all, close_all_of, configure, connect

__all__ = [
    "acl",
    "actions",
    "attached_messages",
    "attachment_search",
    "body_texts",
    "changes",
    "check",
    "close_all",
    "close_all_of",
    "configure",
    "connect",
    "conversations",
    "earlier_messages",
    "folders",
    "listing",
    "mailboxes",
    "messages",
    "multi_search",
    "optional",
    "recount",
    "tag_counts",
    "threads",
]
