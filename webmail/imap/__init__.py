"""IMAP: pooled connections, and operations on mailboxes and messages.

    with imap.connect(account) as connection:
        page = imap.listing.list(connection, "INBOX")

Independent of the web and the database. Library and network errors are converted to subclasses of `MailError`.
"""

from webmail.imap.bulk import actions
from webmail.imap.connections.credential_check import check
from webmail.imap.connections.optional import optional
from webmail.imap.connections.pool import close_all, close_all_of, configure, connect
from webmail.imap.lists import listing, threads
from webmail.imap.mailbox_list import acl, folders, mailboxes, new_mail, recount, tag_counts
from webmail.imap.reading import attached_messages, body_texts, conversations, earlier_messages, messages
from webmail.imap.searching import attachment_search, conversation_search, multi_search, search

__all__ = [
    "acl",
    "actions",
    "attached_messages",
    "attachment_search",
    "body_texts",
    "new_mail",
    "check",
    "close_all",
    "close_all_of",
    "configure",
    "connect",
    "conversation_search",
    "conversations",
    "earlier_messages",
    "folders",
    "listing",
    "mailboxes",
    "messages",
    "multi_search",
    "optional",
    "recount",
    "search",
    "tag_counts",
    "threads",
]
