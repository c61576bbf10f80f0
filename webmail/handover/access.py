"""Access to a mailbox that was handed over: rights in all its folders (RFC 4314), given in the owner's name and taken back.

The webmail signs in for the owner by token, also where the account is disabled: nobody else can. It reads names of folders and
access lists alone; what stands in the mailbox it copies only for a record that says so (copying.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress

from webmail import imap
from webmail.account import Account
from webmail.auth.sessions import mail_sessions
from webmail.config.settings import Settings
from webmail.errors import NoSuchMailboxError
from webmail.imap.connections.connection import Connection
from webmail.models import HandoverKind, MailboxHandover, User

READ, ANSWER, SUCCEED = "lrs", "lrsw", "lrswipkxte"  # who answers marks what is answered; a successor keeps house


def is_possible(settings: Settings) -> bool:
    """Only where accounts are ours and the mail server takes our word for who somebody is."""
    return settings.sign_in == "accounts" and bool(settings.token_key_file)


def account_of(owner: User, settings: Settings) -> Account:
    """The owner's mailbox. Raises ConfigError where there are no tokens."""
    return settings.account(owner.address)


def shared_inbox(owner: User) -> str:
    """What the owner's INBOX is called by others (`namespace shared` in deploy/dovecot); their folders are inside it."""
    return f"shared/{owner.address}"


def letters_of(handover: MailboxHandover) -> str:
    if handover.kind == HandoverKind.SUCCESSION:
        return SUCCEED
    return ANSWER if handover.answers else READ


def give(handover: MailboxHandover, reached: Collection[str], settings: Settings) -> dict[str, str]:
    """Give the person their rights in all folders of the owner's but those `reached` before; returns which, with the rights that
    the owner had given them there by hand. Raises MailError. A round trip for all names, and 2 for each new folder."""
    who, letters = settings.username(handover.person.address), letters_of(handover)
    given = {}
    with imap.connect(account_of(handover.owner, settings)) as connection:
        for name in _own_folders(connection):
            if name in reached:
                continue
            with suppress(NoSuchMailboxError):  # deleted at this moment
                there = _rights_of(connection, name, who)
                imap.acl.grant(connection, [name], who, "".join(dict.fromkeys(there + letters)))
                # a folder inside another one is made with its access list: what it has so nobody gave by hand
                given[name] = "" if set(there) == set(letters) else there
    if given:
        imap.close_all_of(handover.person.address)  # folders newly shared are seen when a connection is opened
    return given


def take_back(handover: MailboxHandover, before: Mapping[str, str], settings: Settings) -> None:
    """Take the rights of the person from all folders of the owner's, and end what they have open. Raises MailError.

    `before`: what the owner had given them by hand, by folder, which stays.
    """
    who = settings.username(handover.person.address)
    with imap.connect(account_of(handover.owner, settings)) as connection:
        for name in _own_folders(connection):
            with suppress(NoSuchMailboxError):
                if letters := before.get(name, ""):
                    imap.acl.grant(connection, [name], who, letters)
                else:
                    imap.acl.revoke(connection, [name], who)
    end_connections(handover, settings)


def end_connections(handover: MailboxHandover, settings: Settings) -> None:
    """Of the person, in whichever process or program: an open folder would go on being read."""
    imap.close_all_of(handover.person.address)
    mail_sessions.end(handover.person.address, settings, pages=True)


def _own_folders(connection: Connection) -> list[str]:
    return [one.name for one in imap.mailboxes.without_counts(connection) if one.selectable and not one.owner]


def _rights_of(connection: Connection, mailbox: str, who: str) -> str:
    return next((one.rights.letters for one in imap.acl.entries(connection, mailbox) if one.identifier == who), "")
