"""Untold: whether there is anything about what is shared that a person was not told of yet; one query for a page."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import peewee as pw

from webmail.collections import losses, manager_notes, store
from webmail.database.prepared import Prepared, Slot
from webmail.models import Collection, CollectionNote, CollectionShare, LostShare, User, now


class Untold(StrEnum):
    """What there is."""

    SHARED = "shared"  # with them, or with a group of theirs
    CHANGED = "changed"  # by others, of what is theirs
    LOST = "lost"


def _rows(placeholder: Slot) -> Any:
    told = CollectionShare.alias()
    theirs = store.of_shares(placeholder)
    known = told.select(told.collection).where(told.user == placeholder("user"), told.seen != 0)
    shared: Any = _named(Untold.SHARED, CollectionShare)
    changed: Any = _named(Untold.CHANGED, CollectionNote)
    return (
        shared.where(theirs, CollectionShare.rights != "", CollectionShare.collection.not_in(known))
        | changed.join(Collection).where(manager_notes.untold(placeholder))
        | _named(Untold.LOST, CollectionShare).where(losses.of_shares(placeholder))
        | _named(Untold.LOST, LostShare).where(losses.of_deleted(placeholder))
    )


def _named(what: Untold, table: type[pw.Model]) -> Any:
    return table.select(pw.SQL(f"'{what}'"))


_untold = Prepared(_rows)


def untold(user: User) -> set[Untold]:
    """What a person may have to be told; nothing else is. 1 query."""
    return {Untold(name) for (name,) in _untold.plain(user=user.id, after=now() - manager_notes.KEPT)}
