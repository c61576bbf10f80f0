"""Account batches: many accounts read at once, and the changes of one that files of people make. Whoever calls records them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import peewee as pw

from webmail.auth import account_management
from webmail.database.pieces import chunks
from webmail.models import AllowedAddress, LinkedAccount, MailAlias, RestedAddress, User, now

CHANGED = ("name", "name_given", "quota_bytes", "language", "recovery_address")  # columns that `change` writes


def by_address(addresses: Iterable[str]) -> dict[str, User]:
    """The accounts with these addresses (normalised) as their own. 1 query for 400."""
    found: dict[str, User] = {}
    for piece in chunks(addresses):
        found.update({user.address: user for user in User.select().where(User.address.in_(piece))})
    return found


def by_number(numbers: Iterable[int]) -> dict[int, User]:
    """The accounts with these numbers. 1 query for 400."""
    found: dict[int, User] = {}
    for piece in chunks(numbers):
        found.update({user.id: user for user in User.select().where(User.id.in_(piece))})
    return found


def names_in(domain: str) -> dict[str, str]:
    """The name of each account of a domain by its address. 1 query."""
    rows: Any = User.select(User.address, User.name, User.name_given).where(User.domain == domain).order_by(User.id).tuples()
    return {address: name if given is None else given for address, name, given in rows}


def is_domain(domain: str) -> bool:
    """Whether some account is of it. 1 query."""
    return bool(User.select(User.id).where(User.domain == domain).exists())


def allowed_among(addresses: Iterable[str]) -> set[str]:
    """Which of these are aliases, or addresses that the administrator allows somebody. 2 queries for 400."""
    found: set[str] = set()
    for piece in chunks(addresses):
        rows: Any = AllowedAddress.select(AllowedAddress.address).where(AllowedAddress.address.in_(piece)).tuples()
        aliases: Any = MailAlias.select(MailAlias.address).where(MailAlias.address.in_(piece)).tuples()
        found |= {address for (address,) in (*rows, *aliases)}
    return found


def allowed_in(domain: str) -> set[str]:
    """All such addresses of a domain. 2 queries."""
    found: set[str] = set()
    for column in (AllowedAddress.address, MailAlias.address):
        rows: Any = column.model.select(column).where(column.endswith(f"@{domain}")).tuples()
        found |= {address for (address,) in rows}
    return found


def rested_among(addresses: Iterable[str]) -> dict[str, datetime]:
    """Which of these are given to nobody yet, and until when. 1 query for 400."""
    found: dict[str, datetime] = {}
    for piece in chunks(addresses):
        rows: Any = RestedAddress.select(RestedAddress.address, RestedAddress.until).where(RestedAddress.address.in_(piece))
        found.update(dict(rows.where(RestedAddress.until > now()).tuples()))
    return found


def rested_in(domain: str) -> dict[str, datetime]:
    """The same of a domain. 1 query."""
    rows: Any = RestedAddress.select(RestedAddress.address, RestedAddress.until)
    return dict(rows.where(RestedAddress.address.endswith(f"@{domain}"), RestedAddress.until > now()).tuples())


def linked_among(numbers: Collection[int]) -> dict[int, str]:
    """By what provider people sign in, of these accounts that some provider knows. 1 query for 400."""
    found: dict[int, str] = {}
    for piece in chunks(numbers):
        rows: Any = LinkedAccount.select(LinkedAccount.user, LinkedAccount.provider).where(LinkedAccount.user.in_(piece))
        found.update(dict(rows.tuples()))
    return found


def people_in(domains: Sequence[str], condition: Any) -> list[User]:
    """The active accounts of people, not of administrators, in these domains for whom the condition holds. 1 query."""
    mine = User.domain.in_(list(domains)) & (User.active == 1) & (User.role == "person")
    return list(User.select().where(mine, condition).order_by(User.address))


def listed(condition: Any, most: int = 400) -> Iterator[User]:
    """All accounts for whom the condition holds, by address, read in pieces. 1 query for 400."""
    after = ""
    while piece := list(User.select().where(condition, User.address > after).order_by(User.address).limit(most)):
        yield from piece
        after = piece[-1].address


def quota_origin(user: User) -> dict[str, Any]:
    """What tells where somebody's quota comes from: to be put back with it."""
    return {"quota_own": user.quota_own, "quota_fixed": user.quota_fixed}


def make(address: str, values: dict[str, Any], *, role: str, password: str, until: datetime | None) -> User:
    """A new account. `password`: the hash of one on paper, good `until` then and to be changed; "" for none."""
    user = account_management.create(
        address, values.get("name", ""), role=role, password=password, must_change=bool(password),
        quota_bytes=values.get("quota_bytes", 1024**3),
    )  # fmt: skip
    user.temporary_until = until if password else None
    user.language, user.recovery_address = values.get("language", ""), values.get("recovery_address", "")
    user.save(only=[User.temporary_until, User.language, User.recovery_address])
    if "quota_bytes" in values:
        account_management.set_quota(user, values["quota_bytes"])
    return user


def change(user: User, values: dict[str, Any]) -> None:
    """Set these columns, of CHANGED alone."""
    unknown = set(values) - set(CHANGED)
    if unknown:
        raise ValueError(f"not changed here: {unknown}")
    given = {"quota_own": None, "quota_fixed": 1} if "quota_bytes" in values else {}
    account_management.change(user, None, **values, **given)


def set_paper_password(user: User, password: str, until: datetime) -> bool:
    """Another hash of a password on paper, for somebody who has not chosen one of their own yet; whether that was so."""
    new: dict[str, Any] = {"password": password, "must_change": 1, "temporary_until": until}
    return bool(User.update(new).where(User.id == user.id, User.must_change == 1, User.active == 1).execute())


def is_untouched(user: User) -> bool:
    """Whether nobody has come in by this account: the password on paper was not replaced, no provider knows the person."""
    if user.last_sign_in is not None:
        return False
    if user.password:
        return bool(user.must_change)
    return not LinkedAccount.select(LinkedAccount.id).where(LinkedAccount.user == user).exists()


def forget(user: User) -> None:
    """Delete the row of an account that is untouched."""
    User.delete().where(User.id == user.id).execute()


def count(condition: Any) -> int:
    return int(User.select(pw.fn.COUNT(User.id)).where(condition).scalar() or 0)
