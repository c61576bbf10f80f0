"""Book access: the books of contacts that a person reads: their own, and those that others share with them; who may write into
them.

What decides about mail (who counts as a known sender, filters, names that are compared) knows only the person's own contacts:
somebody who shares a book must not be able to vouch for a sender.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from webmail.collections import look
from webmail.collections import store as collections
from webmail.collections.store import BOOK, Access
from webmail.models import Collection, CollectionShare, Contact, User


class BookReadOnlyError(ValueError):
    """The person may not write into this book: it is not shared with them (any more), or only to be read."""


def shelf(user: User, first_of: Callable[[User, str], Collection | None] = collections.default_collection) -> list[Access]:
    """The books that a person reads, their own first; the first one is made if there is none. 1 query, 2 for several."""
    found = [one for one in collections.accessible(user) if one.collection.kind == BOOK and one.reads]
    own = [one for one in found if one.rights == "own"]
    if len(own) != 1 and (first := first_of(user, BOOK)):  # where new ones go comes first
        made = Access(first, first.name, "own", collections.props_for(first, user))
        known = next((one for one in own if one.collection.id == first.id), made)
        found = [known, *(one for one in found if one is not known)]
    return found


def title(access: Access) -> str:
    """What the person calls a book."""
    return look.title_of(access.props)


def shared(user: User, *, writable: bool = False) -> list[int]:
    """Others' books that a person reads, or writes into (by `id`). 1 query."""
    found = (one for one in collections.accessible(user) if one.collection.kind == BOOK and one.rights != "own")
    return [one.collection.id for one in found if (one.writes if writable else one.reads)]


def written_by_others(user: User) -> list[int]:
    """The person's own books (by `id`) into which others may write. 1 query."""
    own = (Collection.user == user) & (Collection.kind == BOOK) & (CollectionShare.rights.in_(("write", "manage")))
    found: Any = Collection.select(Collection.id).join(CollectionShare, on=CollectionShare.collection == Collection.id)
    return [number for (number,) in found.where(own).distinct().tuples()]


def visible(user: User, table: Any = Contact, *, writable: bool = False, found: Sequence[Access] | None = None) -> Any:
    """The condition for contacts that a person reads (or may change): all of their own, and those of shared books.

    1 query, none if their shelf was `found` already.
    """
    mine = table.user == user
    if found is None:
        others = shared(user, writable=writable)
    else:
        others = [one.collection.id for one in found if one.rights != "own" and (one.writes or not writable)]
    return mine | table.collection.in_(others) if others else mine


def reads(user: User, row: Contact) -> bool:
    """Whether a person may see a contact. No query for their own."""
    return row.user_id == user.id or row.collection_id in shared(user)


def writes(user: User, row: Contact) -> bool:
    """Whether a person may change a contact. No query for their own."""
    return row.user_id == user.id or row.collection_id in shared(user, writable=True)


def check(user: User, numbers: Iterable[int]) -> None:
    """Raises BookReadOnlyError unless the person may write into all these books (by `id`). Within a transaction that has locked
    them.

    1 query, 2 more where some are others'.
    """
    wanted = set(numbers)
    own: Any = Collection.select(Collection.id).where(Collection.user == user, Collection.id.in_(wanted)).tuples()
    others = wanted - {number for (number,) in own}
    if others and others - set(shared(user, writable=True)):
        raise BookReadOnlyError(f"{user.address}: {sorted(others)}")


def lock_together(rows: Iterable[Contact]) -> None:
    """Lock the books of contacts that are changed in one transaction. 1 query on PostgreSQL.

    All at once: what follows the cards (birthdays) is locked after their books, never between two of them.
    """
    collections.lock({row.collection_id for row in rows if row.collection_id})


def chosen(user: User, number: int | None, *, writable: bool = False) -> Access | None:
    """The book of this `id`, if the person reads it (or may write into it). 1 query."""
    found = (one for one in shelf(user) if one.collection.id == number)
    return next((one for one in found if one.writes or not writable), None)


def writable(found: Sequence[Access]) -> list[Access]:
    """Those of a shelf that the person may write into."""
    return [one for one in found if one.writes]
