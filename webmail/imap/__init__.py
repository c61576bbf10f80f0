"""IMAP: one guarded way to a connection, and verbs on mailboxes and messages.

    with imap.connect(account) as connection:
        listing = imap.messages.list(connection, "INBOX")

Nothing here knows of the web or of the database. Library and network errors leave as `MailError` kinds.
"""

from webmail.imap import actions, mailboxes, messages
from webmail.imap.pool import close_all, configure, connect
from webmail.imap.sign_in import check

__all__ = ["actions", "check", "close_all", "configure", "connect", "mailboxes", "messages"]
