"""Copy of the list of safe senders for the mail server's own script, which runs before people's own.

That script is one for everybody, so it can't hold anybody's list. It reads an annotation of the person's INBOX (RFC 5490) and
looks for " address " or " @domain " in it: entries stand between blanks (deploy/dovecot/before.sieve.in).
"""

from __future__ import annotations

import logging

from webmail import imap
from webmail.account import Account
from webmail.errors import MailError
from webmail.filters.senders.senders import SenderLists
from webmail.imap.mailbox_list import metadata

log = logging.getLogger(__name__)

NAME = "/private/vendor/traboule/safe"


def text_of(senders: SenderLists) -> str:
    return f" {' '.join(senders.safe)} " if senders.safe else ""


def is_fresh(account: Account, senders: SenderLists) -> bool | None:
    """Whether the copy is as it should be; None where the server keeps none, or does not tell. 1 round trip."""
    try:
        with imap.connect(account) as connection:
            return metadata.read(connection, NAME) == text_of(senders) if metadata.is_kept(connection) else None
    except MailError as error:
        log.warning("the copy of safe senders of %s can't be read: %s", account.address, error)
        return None


def renew(account: Account, senders: SenderLists) -> bool:
    """Bring the copy up to date, if it is not; whether the server has it now. 2 round trips at most."""
    try:
        with imap.connect(account) as connection:
            if not metadata.is_kept(connection):
                return False
            if metadata.read(connection, NAME) != text_of(senders):
                metadata.write(connection, NAME, text_of(senders))
    except MailError as error:
        log.warning("the mail server does not know the safe senders of %s: %s", account.address, error)
        return False
    return True
