"""Context of a person's script: what the words of rules mean for them: their contacts, trash and addresses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from webmail import imap
from webmail.account import Account
from webmail.compose import identities
from webmail.config.settings import Settings
from webmail.contacts import store as contacts
from webmail.filters.rules.compiler import MOST_CONTACTS, SievePlace
from webmail.mail import Role
from webmail.models import ContactAddress, User


def place_of(user: User, account: Account, settings: Settings) -> SievePlace:
    """Without the server's extensions, which `store.changing` knows. One query; three IMAP round trips at most for the folders.

    Raises ServerAwayError and SignInRefusedError.
    """
    with imap.connect(account) as connection:
        trash = imap.mailboxes.for_role(connection, Role.TRASH)
        snoozed = imap.mailboxes.for_role(connection, Role.SNOOZED)
        junk = imap.mailboxes.for_role(connection, Role.JUNK)
    return SievePlace(
        frozenset(),
        domains=settings.own_domains(user.domain),
        addresses=tuple(identities.allowed(user)),
        trash=trash,
        snoozed=snoozed,
        junk=junk,
        authserv_id=settings.authserv_id,
        system_address=settings.system_sender.email if settings.system_sender else "",
        contacts=lambda group: addresses_of(user, group),
    )


def place_to_try(user: User, settings: Settings) -> SievePlace:
    """What conditions alone need: nothing is asked of the server. A query where there are contacts in them."""
    return SievePlace(
        frozenset(), domains=settings.own_domains(user.domain), authserv_id=settings.authserv_id,
        contacts=lambda group: addresses_of(user, group),
    )  # fmt: skip


def addresses_of(user: User, group: str = "") -> Sequence[str]:
    """The addresses in a group of somebody's contacts (its `uid`), or in all contacts; MOST_CONTACTS and one at most.

    None for a group that is gone. 1 query, for a group 3 or more.
    """
    mine: Any = ContactAddress.select(ContactAddress.address).where(ContactAddress.user == user)
    bare: list[str] = []
    if group:
        try:
            row = contacts.load(user, group)
            if row.user_id != user.id:  # moved into somebody else's book: they don't decide about one's mail
                return ()
            people, bare = contacts.members(user, contacts.details(row))
        except contacts.NoSuchContactError:
            return ()
        mine = mine.where(ContactAddress.contact.in_([row.id for row in people[: MOST_CONTACTS + 1]]))
    found = [address for (address,) in mine.distinct().order_by(ContactAddress.address).limit(MOST_CONTACTS + 1).tuples()]
    return tuple(dict.fromkeys([*found, *bare]))[: MOST_CONTACTS + 1]
