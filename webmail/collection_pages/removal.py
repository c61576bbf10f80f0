"""Removal: deletes a book or calendar with all that is in it, into the trash, in short transactions: others wait for the lock."""

from __future__ import annotations

import time

from webmail.collections import manage, store
from webmail.collections import trash as trash_store
from webmail.collections.shares import NotTheirs, own
from webmail.contacts import store as contacts
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.database.pieces import give_way, next_size
from webmail.dav import changes
from webmail.models import RemoteLink, TrashedCollection, User

_FIRST = 50  # items in the first transaction


class LastOfKind(ValueError):
    """There would be no other where new things could go."""


def delete(user: User, number: int) -> TrashedCollection:
    """Delete a collection (by `id`) of one's own. Raises NotTheirs, LastOfKind.

    What breaks off leaves a smaller collection, the rest in the trash; deleting it again goes on.
    """
    with db.atomic():
        in_turn(user)
        collection = own(user, number)
        if manage.is_last(collection):
            raise LastOfKind(collection.name)
        RemoteLink.delete().where(RemoteLink.collection == number).execute()  # or the other server would lose it piece by piece
        whole = trash_store.put_whole(collection, user.address)
    size = _FIRST
    while True:
        began = time.monotonic()
        with db.atomic():
            store.lock([number])
            rows = changes.some_of(collection, size)
            if rows:
                changes.trash(collection, rows, user.address, whole=whole)
            else:
                _end(user, number, whole)
                break
        took = time.monotonic() - began
        size = next_size(size, took)
        give_way(took)
    if collection.kind == store.BOOK:
        contacts.tell(user)
    return whole


def _end(user: User, number: int, whole: TrashedCollection) -> None:
    """The collection goes, with what came meanwhile; with whom it was shared is as it was a moment ago."""
    try:
        changes.trash_all(own(user, number), user.address, whole=whole)
    except NotTheirs:  # deleted by another window or a device at the same time
        return
