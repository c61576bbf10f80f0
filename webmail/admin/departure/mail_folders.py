"""Mail folders that somebody shares: asked of the mail server, in the owner's name, before the account goes.

Names of folders and access lists alone are read, no mail.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from webmail import imap
from webmail.auth import account_management
from webmail.config.settings import ConfigError, Settings
from webmail.errors import MailError, NoSuchMailboxError
from webmail.handover import access
from webmail.mailbox import sharing
from webmail.models import User

log = logging.getLogger(__name__)

_MOST = 500  # folders of one mailbox
_MOST_PEOPLE = 500


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """A folder of the owner's, and who reads it: people and groups, by the server's identifiers."""

    name: str
    readers: tuple[str, ...]


def shared_by(owner: User, settings: Settings) -> list[SharedFolder]:
    """In the order of the server. 1 round trip for the names, and 1 for each folder. Raises MailError."""
    if not access.is_possible(settings):
        return []
    try:
        account = access.account_of(owner, settings)
    except ConfigError as error:
        raise MailError(str(error)) from error
    own, found = settings.username(owner.address), []
    with imap.connect(account) as connection:
        there = [one.name for one in imap.mailboxes.without_counts(connection) if one.selectable and not one.owner]
        for name in there[:_MOST]:
            try:
                entries = imap.acl.entries(connection, name)
            except NoSuchMailboxError:  # deleted at this moment
                continue
            readers = tuple(one.identifier for one in entries if one.level and one.identifier not in (own, "owner"))
            if readers:
                found.append(SharedFolder(name, readers))
    return found


def readers_of(owner: User, settings: Settings) -> list[tuple[User, list[str]]]:
    """Who loses which folders, groups taken apart; not everybody of a domain. Never raises: a mail server that is away keeps no
    account from being deleted, and tells nobody."""
    try:
        shared = shared_by(owner, settings)
    except MailError as error:
        log.warning("nobody is told of the mail folders of %s: %s", owner.address, error)
        return []
    losses: dict[str, list[str]] = {}
    for folder in shared:
        for identifier in folder.readers:
            for address in sharing.people_of(identifier, owner, settings):
                losses.setdefault(address, []).append(folder.name)
    found = [(account_management.find(address, owner.domain), names) for address, names in sorted(losses.items())[:_MOST_PEOPLE]]
    return [(user, names) for user, names in found if user is not None and user.active and user.id != owner.id]
