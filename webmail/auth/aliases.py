"""Aliases: further addresses whose mail goes to an account, by Postfix (deploy/postfix.sh); Dovecot signs in by former ones.

`@lycee.example` is the alias of all addresses of a domain that nobody has: a catch-all.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import peewee as pw

from webmail.auth import account_management, reserved_addresses
from webmail.database.connection import db
from webmail.mime.headers.address_input import address_key
from webmail.models import AllowedAddress, MailAlias, User
from webmail.people import reach

PAGE = 50
MOST_OF_ONE = 100  # aliases of one account
_ALIAS = re.compile(r"(?:[a-z0-9_][a-z0-9._'-]{0,63})?@[a-z0-9.-]{1,189}")
_CHUNK = 400


class AliasTakenError(ValueError):
    """Somebody else has this address or is allowed it, it is an alias, or that of a room. The message is the address."""


class UnusableAliasError(ValueError):
    """Not an address of a domain in which there are accounts, or one too many."""


class InsideOnlyError(ValueError):
    """A catch-all for somebody who takes mail from inside alone. The message is the address."""


class CatchAllTargetError(ValueError):
    """Somebody who is to take mail from inside alone gets all mail for unknown addresses of a domain, by `alias`."""

    def __init__(self, alias: MailAlias) -> None:
        super().__init__(alias.address)
        self.alias = alias


def add(user: User, address: str, *, former: bool = False) -> MailAlias:
    """Send mail for an address to an account. `former`: it was theirs, and programs may still sign in by it.

    The caller records it, and in whose name they may write is another matter (`account_management.allow`). One transaction.
    Raises AliasTakenError, UnusableAliasError, InsideOnlyError.
    """
    address = address_key(address.strip())
    if not _ALIAS.fullmatch(address) or not _is_ours(address.rpartition("@")[2]):
        raise UnusableAliasError(address)
    if address.startswith("@") and reach.takes_of(user.policy) == reach.INSIDE:
        raise InsideOnlyError(address)
    try:
        with db.atomic():
            if MailAlias.select().where(MailAlias.user == user).count() >= MOST_OF_ONE:
                raise UnusableAliasError(address)
            if _is_taken(user, address) or reserved_addresses.is_reserved(address):
                raise AliasTakenError(address)
            return MailAlias.create(address=address, user=user, former=int(former))
    except pw.IntegrityError as error:
        raise AliasTakenError(address) from error


def remove(user: User, address: str) -> bool:
    """Whether they had it."""
    return bool(MailAlias.delete().where(MailAlias.user == user, MailAlias.address == address_key(address.strip())).execute())


def of_account(user: User) -> list[MailAlias]:
    """1 query."""
    return list(MailAlias.select().where(MailAlias.user == user).order_by(MailAlias.address))


class AliasPage(NamedTuple):
    """Some aliases of a domain, with whose they are; how many there are, and which page of how many it is."""

    rows: list[MailAlias]
    total: int
    number: int
    last: int


def in_domain(domain: str, condition: Any, text: str = "", number: int = 1) -> AliasPage:
    """A page of the aliases in a domain that lead to accounts of which the condition is true, without its catch-all.

    `text`: words in the alias, or in the address or name of the account. 2 queries.
    """
    ending = pw.fn.SUBSTR(MailAlias.address, pw.fn.LENGTH(MailAlias.address) - len(domain))
    rows = (
        MailAlias.select(MailAlias, User).join(User).where(ending == f"@{domain}", MailAlias.address != f"@{domain}", condition)
    )
    for word in text.split()[:5]:
        rows = rows.where(MailAlias.address.contains(word) | User.address.contains(word) | User.name.contains(word))
    total = rows.count()
    last = max((total - 1) // PAGE, 0) + 1
    number = min(max(number, 1), last)
    return AliasPage(list(rows.order_by(MailAlias.address).paginate(number, PAGE)), total, number, last)


def among(addresses: Iterable[str], condition: Any) -> list[MailAlias]:
    """Those of these aliases that lead to accounts of which the condition is true. 1 query for 400."""
    wanted, found = sorted({address_key(one) for one in addresses}), list[MailAlias]()
    for at in range(0, len(wanted), _CHUNK):
        rows = MailAlias.select(MailAlias, User).join(User).where(MailAlias.address.in_(wanted[at : at + _CHUNK]), condition)
        found.extend(rows.order_by(MailAlias.address))
    return found


def catch_alls(domains: Iterable[str]) -> dict[str, MailAlias]:
    """The catch-all of each of these domains that has one. 1 query."""
    rows = MailAlias.select(MailAlias, User).join(User).where(MailAlias.address.in_([f"@{one}" for one in domains]))
    return {row.address[1:]: row for row in rows}


def is_inside_only(alias: MailAlias) -> bool:
    """Whether who gets this mail takes none from outside, by a rule that came later."""
    return reach.takes_of(alias.user.policy) == reach.INSIDE


def keep_catch_alls(numbers: Collection[int]) -> None:
    """Within a transaction that changed what these accounts (by `id`) may: raises CatchAllTargetError where one of them takes
    mail from inside alone now, and gets all of a domain. 1 query."""
    rows = MailAlias.select(MailAlias, User).join(User).where(MailAlias.address.startswith("@"))
    if found := next((row for row in rows if row.user.id in numbers and is_inside_only(row)), None):
        raise CatchAllTargetError(found)


def account_of(address: str) -> User | None:
    """Whose alias this address is, if they have an active account. 1 query."""
    found: User | None = User.select().join(MailAlias).where(MailAlias.address == address_key(address), User.active == 1).first()
    return found


def account_formerly(address: str) -> User | None:
    """Who had this address before theirs was changed, if the account is active. 1 query."""
    mine = (MailAlias.address == address_key(address)) & (MailAlias.former == 1)
    found: User | None = User.select().join(MailAlias).where(mine, User.active == 1).first()
    return found


def formerly_in(domain: str) -> dict[str, str]:
    """The address that an account has now, by each that it had in this domain. 1 query."""
    rows: Any = MailAlias.select(MailAlias.address, User.address).join(User)
    return dict(rows.where(MailAlias.address.endswith(f"@{domain}"), MailAlias.former == 1).tuples())


def accounts_of(addresses: Iterable[str]) -> dict[str, str]:
    """The addresses of the active accounts that these aliases lead to, by alias. 1 query for 400."""
    wanted, found = sorted({address_key(one) for one in addresses}), dict[str, str]()
    for at in range(0, len(wanted), _CHUNK):
        rows: Any = MailAlias.select(MailAlias.address, User.address).join(User)
        found.update(dict(rows.where(MailAlias.address.in_(wanted[at : at + _CHUNK]), User.active == 1).tuples()))
    return found


def is_alias(address: str) -> bool:
    """1 query."""
    return bool(MailAlias.select().where(MailAlias.address == address_key(address)).exists())


def all_addresses() -> set[str]:
    """1 query."""
    rows: Any = MailAlias.select(MailAlias.address).tuples()
    return {address for (address,) in rows}


def _is_taken(user: User, address: str) -> bool:
    if User.select().where(User.address == address).exists() or is_alias(address) or account_management.rests_until(address):
        return True
    return bool(AllowedAddress.select().where(AllowedAddress.address == address, AllowedAddress.user != user).exists())


def _is_ours(domain: str) -> bool:
    return bool(User.select().where(User.domain == domain).exists())
