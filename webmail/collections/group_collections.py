"""Group collections: books and calendars of a group itself, read by its people and written by whom the group says.

Their owner is an account that nobody signs in to, called as the group is. Members have them as shared: who leaves the group has
them no longer, from the same moment.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum

from webmail.collections import leaving, losses, shares, store
from webmail.collections.look import LONGEST_NAME, NAME, one_line
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.models import Collection, CollectionShare, GroupCollection, PeopleGroup, User

MOST = 20  # of one group
MOST_NAMED = 100


class Writers(StrEnum):
    """Who writes in it; all of the group's people read it."""

    MEMBERS = "members"
    OWNERS = "owners"
    NAMED = "named"  # some of its members


@begun_again
def make(group: PeopleGroup, owner: User, kind: str, name: str, form: str) -> Collection:
    """Add one that all members write in. `owner`: the group's account; `form`: a random name of the form: it makes one at most.

    Raises LimitReachedError, ValueError for no kind.
    """
    if kind not in (store.BOOK, store.CALENDAR):
        raise ValueError(f"no kind: {kind[:20]!r}")
    with db.atomic():
        there = GroupCollection.select().where(GroupCollection.group == group).count()
        twin: Collection | None = Collection.get_or_none((Collection.user == owner) & (Collection.name == form))
        if twin is not None:
            return twin
        if there >= MOST:
            raise LimitReachedError(f"{group.name} has {MOST} collections")
        props = json.dumps({NAME: one_line(name)[:LONGEST_NAME] or group.name}, ensure_ascii=False)
        made = store.create(owner, form, kind, "VEVENT,VTODO" if kind == store.CALENDAR else "", props)
        GroupCollection.create(collection=made, group=group)
        CollectionShare.create(collection=made, group=group, rights="write")
        return made


@begun_again
def let_write(row: GroupCollection, writers: Writers, people: Sequence[User]) -> None:
    """Say who writes in it. `people`: of whom it is said (owners, or members by name); nobody where all members write."""
    with db.atomic():
        store.lock([row.collection_id])
        GroupCollection.update(writers=writers).where(GroupCollection.id == row.id).execute()
        rights = "write" if writers is Writers.MEMBERS else "read"
        mine = CollectionShare.collection == row.collection_id
        of_group = CollectionShare.get(mine & (CollectionShare.group == row.group_id))
        if of_group.rights != rights:
            losses.note_change(of_group, rights)
            CollectionShare.update(rights=rights).where(CollectionShare.id == of_group.id).execute()
        chosen = [one.id for one in people]
        by_name = mine & CollectionShare.user.is_null(False)
        CollectionShare.update(rights="").where(by_name, CollectionShare.user.not_in(chosen)).execute()
        for number in chosen:
            share, _new = CollectionShare.get_or_create(collection=row.collection_id, user=number)
            CollectionShare.update(rights="write").where(CollectionShare.id == share.id).execute()


def writers_of(row: GroupCollection) -> list[User]:
    """Those who write by name. 2 queries."""
    found = [shares.of_row(one) for one in shares.given(row.collection) if one.user_id is not None]
    return [one for one in found if isinstance(one, User)]


def listed(group: PeopleGroup) -> list[GroupCollection]:
    """With the collections. 1 query."""
    rows = GroupCollection.select(GroupCollection, Collection).join(Collection)
    return list(rows.where(GroupCollection.group == group, Collection.derived == "").order_by(GroupCollection.id))


def find(group: PeopleGroup, number: int) -> GroupCollection | None:
    return next((one for one in listed(group) if one.id == number), None)


def with_owners_writing() -> list[GroupCollection]:
    """Those in which the owners of their group write, with it: who they are may have changed. 1 query."""
    rows = GroupCollection.select(GroupCollection, PeopleGroup).join(PeopleGroup)
    return list(rows.where(GroupCollection.writers == Writers.OWNERS).order_by(GroupCollection.id))


@begun_again
def remove(row: GroupCollection) -> None:
    """With all that is in it: out of view at once, deleted in pieces (collections/leaving.py)."""
    with db.atomic():
        store.lock([row.collection_id])
        leaving.hide(row.collection_id)
        CollectionShare.delete().where(CollectionShare.collection == row.collection_id).execute()
    leaving.finish(row.collection_id)


@begun_again
def adopt(group: PeopleGroup, owner: User | None) -> int:
    """Give a group that came back what it had before it was deleted; returns how many. 1 query where there is nothing to do.

    `owner`: the group's account, if it has one."""
    if owner is None:
        return 0
    known = GroupCollection.select(GroupCollection.collection)
    lost = Collection.select().where(Collection.user == owner, Collection.derived == "", Collection.id.not_in(known))
    with db.atomic():
        rows = list(lost)
        for row in rows:
            GroupCollection.create(collection=row, group=group)
            CollectionShare.get_or_create(collection=row, group=group, defaults={"rights": "write"})
        return len(rows)
