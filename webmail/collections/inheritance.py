"""Inheritance: the books and calendars of somebody who leaves that others use: which, by how many, and how they get a new owner.

Telephones of those who have it as shared go on by the same address, which names its number; so does that of the new owner, whose
own it then is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import peewee as pw

from webmail.collections import shares, store
from webmail.models import Collection, CollectionShare, TrashedItem, User
from webmail.people import groups

MOST = 200  # that are listed
_MOST_TOLD = 500  # people of one collection


def used_by_others(owner: User) -> list[tuple[Collection, int]]:
    """What somebody shares, with how many people and groups. What is derived is never shared. 1 query."""
    count = pw.fn.COUNT(CollectionShare.id)
    rows: Any = Collection.select(Collection, count.alias("sharees")).join(CollectionShare)
    rows = rows.where(Collection.user == owner, Collection.derived == "", CollectionShare.rights != "")
    return [(row, int(row.sharees)) for row in rows.group_by(Collection.id).order_by(Collection.id).limit(MOST)]


def users_of(collection: Collection) -> list[User]:
    """Who has it, by themselves or in a group; those alone whose account is open. 2 queries, and 1 for each group."""
    found: dict[int, User] = {}
    for share in shares.given(collection):
        who = shares.of_row(share)
        for reader in [who] if isinstance(who, User) else groups.members(who):
            if reader.active and reader.id != collection.user_id:
                found[reader.id] = reader
    return list(found.values())[:_MOST_TOLD]


def hand_over(owner: User, heir: User, numbers: Sequence[int]) -> list[int]:
    """Make the heir the owner of these (by `id`); returns which they are now. In a transaction that has locked them.

    Its name in addresses below the heir's becomes the one by which they may have had it as shared.
    """
    mine = (Collection.user == owner) & (Collection.derived == "") & Collection.id.in_(list(numbers))
    rows: Any = Collection.select(Collection.id).where(mine).order_by(Collection.id).tuples()
    found: list[int] = [number for (number,) in rows]
    for number in found:
        name = f"{store.SHARED}{number}"
        Collection.update(user=heir, name=name, chosen=0, private_news=0).where(Collection.id == number).execute()
        CollectionShare.delete().where(CollectionShare.collection == number, CollectionShare.user == heir).execute()
        TrashedItem.update(user=heir).where(TrashedItem.collection == number, TrashedItem.user == owner).execute()
        store.touched(number)
    return found
