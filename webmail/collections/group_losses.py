"""Group losses: what was shared with a group, and its people lose with it, is noted for them, who are told once; and for owners.

Each is noted in the transaction that does it. Whether somebody still has it otherwise is seen when they are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from webmail.models import Collection, CollectionNote, CollectionShare, GroupCollection, GroupMember, PeopleGroup

ENDED = 3  # as `CollectionShare.seen`: that they have it no longer by a group, of which they are to be told
GROUP_GONE = "no-group"  # as `CollectionNote.act`
_CHUNK = 100


def left(groups: Iterable[int], people: Iterable[int] | None = None) -> None:
    """These people (by `id`; None: all) leave these groups, or are about to."""
    numbers = list(groups)
    for share in _shares(numbers):
        ended(share, people)
    _end_named(numbers, people)


def deleted(group: PeopleGroup) -> None:
    """A group is about to be deleted: its people lose what it has, and the owners are told."""
    for share in _shares([group.id]):
        ended(share)
        CollectionNote.create(collection=share.collection_id, by="", act=GROUP_GONE, about=group.name)
    _end_named([group.id], None)


def _end_named(groups: Sequence[int], people: Iterable[int] | None) -> None:
    """Who writes in a collection of a group's own by name does so as its member."""
    own = GroupCollection.select(GroupCollection.collection).where(GroupCollection.group.in_(groups))
    theirs = CollectionShare.collection.in_(own) & CollectionShare.user.is_null(False)
    for some in [None] if people is None else _chunks(list(people)):
        who = [] if some is None else [CollectionShare.user.in_(some)]
        CollectionShare.update(rights="").where(theirs, *who).execute()


def ended(share: CollectionShare, people: Iterable[int] | None = None) -> None:
    """The share of a group ends, for these people (by `id`; None: all)."""
    _note(share, people, "seen", ENDED)


def lowered(share: CollectionShare) -> None:
    """The share of a group is about to have lower rights than it has."""
    _note(share, None, "lowered", share.rights)


def _shares(groups: Iterable[int]) -> list[CollectionShare]:
    chosen = CollectionShare.group.in_(list(groups)) & (CollectionShare.rights != "")
    return list(CollectionShare.select(CollectionShare, Collection).join(Collection).where(chosen))


def _note(share: CollectionShare, people: Iterable[int] | None, field: str, value: Any) -> None:
    """In the row of each, which is made where they have it by the group alone; not where they want to see nothing of it."""
    column = getattr(CollectionShare, field)
    for some in _chunks(_members(share, people)):
        rows = [{"collection": share.collection_id, "user": one, field: value} for one in some]
        told = CollectionShare.hidden == 0
        untouched = CollectionShare.rights == "" if field == "seen" else column == ""  # the highest right that they had
        CollectionShare.insert_many(rows).on_conflict(
            conflict_target=[CollectionShare.collection, CollectionShare.user], update={column: value}, where=told & untouched
        ).execute()


def _members(share: CollectionShare, people: Iterable[int] | None) -> list[int]:
    wanted = None if people is None else set(people)
    rows: Any = GroupMember.select(GroupMember.user).where(
        GroupMember.group == share.group_id, GroupMember.user != share.collection.user_id
    )
    return [one for (one,) in rows.tuples() if wanted is None or one in wanted]


def _chunks(numbers: Sequence[int]) -> Iterable[Sequence[int]]:
    return (numbers[at : at + _CHUNK] for at in range(0, len(numbers), _CHUNK))
