"""Manager notes: what people who manage somebody else's book or calendar did with it, kept for its owner, who is told once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any

from webmail.collections import group_losses
from webmail.database.prepared import Prepared, Slot
from webmail.models import Collection, CollectionNote, User, now

KEPT = timedelta(days=90)
MOST_SHOWN = 20
_LONGEST = 254


class ManagerAct(StrEnum):
    """What an owner is told of."""

    GIVEN = "given"
    CHANGED = "changed"  # what somebody it is shared with can do
    REVOKED = "revoked"
    LOOK = "look"  # its name, colour or description
    LINK_MADE = "made"  # an address by which anybody can read it
    LINK_ENDED = "ended"
    GROUP_GONE = group_losses.GROUP_GONE  # a group that it was shared with was deleted, by nobody who manages it


def add(collection: Collection, user: User, act: ManagerAct, about: str = "", rights: str = "") -> None:
    """Note what a manager did, in the transaction that does it; nothing is noted of the owner. 2 or 3 queries.

    What is done again before the owner has seen it is one note, of the latest time.
    """
    if collection.user_id == user.id:
        return
    same = {"collection": collection, "by": user.address[:_LONGEST], "act": act.value, "about": about[:_LONGEST], "seen": 0}
    CollectionNote.delete().where(CollectionNote.collection == collection, CollectionNote.at < now() - KEPT).execute()
    CollectionNote.delete().where(*(getattr(CollectionNote, name) == value for name, value in same.items())).execute()
    CollectionNote.create(rights=rights, **same)


def untold(placeholder: Slot) -> Any:
    """The condition for notes, joined with their collections, that an owner (`user`) has not seen, of after a time (`after`)."""
    return (Collection.user == placeholder("user")) & (CollectionNote.seen == 0) & (CollectionNote.at > placeholder("after"))


def _not_seen(placeholder: Slot) -> Any:
    found: Any = CollectionNote.select(CollectionNote, Collection).join(Collection)
    return found.where(untold(placeholder)).order_by(CollectionNote.id.desc()).limit(MOST_SHOWN)


_unseen = Prepared(_not_seen)


def unseen(owner: User) -> list[CollectionNote]:
    """What an owner was not told of yet, of all that is theirs, the latest first, with the collections. 1 query."""
    return _unseen(user=owner.id, after=now() - KEPT)


def for_collection(collection: Collection) -> list[CollectionNote]:
    """The latest of one collection. 1 query."""
    mine = (CollectionNote.collection == collection) & (CollectionNote.at > now() - KEPT)
    found = list(CollectionNote.select().where(mine).order_by(CollectionNote.id.desc()).limit(MOST_SHOWN))
    for one in found:
        one.collection = collection
    return found


def mark_seen(owner: User, upto: int) -> None:
    """The owner has seen all up to this `id`. 1 query."""
    theirs = CollectionNote.collection.in_(Collection.select(Collection.id).where(Collection.user == owner))
    CollectionNote.update(seen=1).where(CollectionNote.id <= upto, CollectionNote.seen == 0, theirs).execute()


def addresses_in(notes: Sequence[CollectionNote]) -> list[str]:
    """Whose names are wanted where these are told."""
    return [one for one in dict.fromkeys(text for note in notes for text in (note.by, note.about)) if "@" in one]
