"""Scope: whose accounts somebody administers; all queries of administration are narrowed by it.

The accounts of an establishment are those in its domains. Somebody who administers more than oneself, all or another
establishment, is not among them: who sets their password would have their rights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from webmail.models import EstablishmentAdministrator, EstablishmentDomain, User


@dataclass(frozen=True, slots=True)
class Scope:
    """Of an administrator. `everything`: of all, then the other two say nothing."""

    everything: bool
    establishments: tuple[int, ...] = ()
    domains: frozenset[str] = frozenset()

    def condition(self, table: Any = User) -> Any:
        """What is true of the accounts in it: `User.select().where(scope.condition())`. `table`: User, or an alias of it."""
        if self.everything:
            return table.role != "group"  # of accounts that own what groups have (auth/account_management.py)
        elsewhere = EstablishmentAdministrator.select(EstablishmentAdministrator.user).where(
            EstablishmentAdministrator.establishment.not_in(self.establishments)
        )
        return table.domain.in_(sorted(self.domains)) & table.role.not_in(["admin", "group"]) & table.id.not_in(elsewhere)

    def accounts(self) -> Any:
        """The same for `User`."""
        return self.condition(User)

    def has_domain(self, domain: str) -> bool:
        return self.everything or domain.lower() in self.domains

    def includes(self, whom: User | str) -> bool:
        """Whether somebody is in it. Of an address the domain alone is known. One SELECT for those who administer themselves."""
        if isinstance(whom, str):
            return self.has_domain(whom.rpartition("@")[2])
        if self.everything or whom.role == "group":
            return whom.role != "group"
        if not self.has_domain(whom.domain) or whom.role == "admin":
            return False
        rows = EstablishmentAdministrator.select().where(EstablishmentAdministrator.user == whom)
        return whom.role == "person" or all(row.establishment_id in self.establishments for row in rows)

    def has_establishment(self, number: int | None) -> bool:
        """Of an establishment; None: the installation itself."""
        return self.everything or (number is not None and number in self.establishments)


EVERYTHING = Scope(everything=True)


def for_user(user: User) -> Scope | None:
    """What somebody administers; None: nothing. No query for the administrators of all, one for everybody else."""
    if user.role == "admin":
        return EVERYTHING
    rows: Any = EstablishmentAdministrator.select(EstablishmentAdministrator.establishment, EstablishmentDomain.domain)
    same = EstablishmentDomain.establishment == EstablishmentAdministrator.establishment
    found = list(rows.left_outer_join(EstablishmentDomain, on=same).where(EstablishmentAdministrator.user == user).tuples())
    if not found:
        return None
    return Scope(False, tuple(sorted({one for one, _domain in found})), frozenset(domain for _one, domain in found if domain))
