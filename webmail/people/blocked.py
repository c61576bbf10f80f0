"""Blocked people: who is not suggested as a recipient, by a copy of the list of blocked senders, which is on the mail server.

The copy is made anew whenever filters are read or written, so it is as true as the last look at them. No row: nobody is blocked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from webmail.database.prepared import Prepared
from webmail.models import BlockedSenders, User


@dataclass(frozen=True, slots=True)
class BlockedPeople:
    """`entries`: addresses, or "@" and a domain for everybody there but for those who are `spared`; in lower case and ASCII."""

    entries: frozenset[str] = frozenset()
    spared: frozenset[str] = frozenset()

    def has(self, address: str) -> bool:
        """Whether this address (as in our tables) is blocked."""
        if address in self.entries:
            return True
        return f"@{address.rpartition('@')[2]}" in self.entries and address not in self.spared


NOBODY = BlockedPeople()

_row = Prepared(
    lambda slot: (
        BlockedSenders.select(BlockedSenders.blocked, BlockedSenders.spared).where(BlockedSenders.user == slot("user")).tuples()
    )
)


def for_user(user: User) -> BlockedPeople:
    """1 query."""
    found = _row(user=user.id)
    return BlockedPeople(*(frozenset(str(text).split()) for text in found[0])) if found else NOBODY


def sync_copy(user: User, blocked: Iterable[str], safe: Iterable[str]) -> None:
    """Make the copy as these lists are. 1 query where it is so already, else 2."""
    entries = frozenset(blocked)
    wanted = BlockedPeople(entries, frozenset(one for one in safe if f"@{one.rpartition('@')[2]}" in entries))
    if for_user(user) == wanted:
        return
    values = {"blocked": " ".join(sorted(wanted.entries)), "spared": " ".join(sorted(wanted.spared))}
    if entries:  # two pages may do it at once
        BlockedSenders.insert(user=user, **values).on_conflict(conflict_target=[BlockedSenders.user], update=values).execute()
    else:
        BlockedSenders.delete().where(BlockedSenders.user == user).execute()
