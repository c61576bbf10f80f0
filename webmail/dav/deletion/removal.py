"""Removal: deletes a book or calendar with all that is in it, into the trash, in short transactions: others wait for the lock."""

from __future__ import annotations

from webmail.calendar.free_busy import host_events
from webmail.collections import manage
from webmail.collections import trash as trash_store
from webmail.collections.shares import own
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.dav import item_writes
from webmail.models import RemoteLink, TrashedCollection, User


class LastOfKindError(ValueError):
    """There would be no other where new things could go."""


def delete(user: User, number: int) -> TrashedCollection:
    """Delete a collection (by `id`) of one's own. Raises NotTheirsError, LastOfKindError, KeptHereError.

    What breaks off leaves a smaller collection, the rest in the trash; deleting it again goes on.
    """
    with db.atomic():
        in_turn(user)
        collection = own(user, number)
        if manage.is_last(collection):
            raise LastOfKindError(collection.name)
        host_events.check_none_kept(collection)
        RemoteLink.delete().where(RemoteLink.collection == number).execute()  # or the other server would lose it piece by piece
        whole = trash_store.put_whole(collection, user.address)
    item_writes.trash_by_pieces(collection, user.address, whole)
    item_writes.tell(collection)
    return whole
