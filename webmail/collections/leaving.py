"""Leaving: a calendar goes for good: from view at once, from the tables in short transactions, since others wait for the lock.

Until it is gone it has no name, no size and no owner's page. A worker goes on with what broke off.
"""

from __future__ import annotations

from typing import Any

from webmail.collections import store, trash
from webmail.collections.store import LEAVING
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.database.pieces import in_pieces
from webmail.models import CalendarObject, Collection, GoneItem

_FIRST_PIECE = 10  # events: each may take place some thousand times


def hide(number: int) -> None:
    """Take a calendar (by `id`) out of view. In a transaction that has locked it; its name is free from then on. 1 query."""
    values = {"derived": LEAVING, "name": f"leaving-{store.new_name()}", "size": 0, "count": 0}
    Collection.update(values).where(Collection.id == number).execute()


def finish(number: int) -> None:
    """Delete a hidden calendar (by `id`) with all that is in it; nothing if that was done meanwhile."""
    empty(number)
    _end(number)


def empty(number: int) -> None:
    """Delete for good what is in a calendar (by `id`) that nobody uses any more. Nobody is told."""
    for table in (CalendarObject, GoneItem):
        rows: Any = table.select(table.id).where(table.collection == number).order_by(table.id).tuples()
        for piece in in_pieces([one for (one,) in rows], _FIRST_PIECE):
            _delete(table, number, piece)


@begun_again
def _delete(table: Any, number: int, rows: Any) -> None:
    with db.atomic():
        store.lock([number])
        table.delete().where(table.collection == number, table.id.in_(rows)).execute()


@begun_again
def _end(number: int) -> None:
    with db.atomic():
        store.lock([number])
        row = Collection.get_or_none(Collection.id == number, Collection.derived == LEAVING)
        if row is not None:
            trash.leave(row)
            store.delete(number)


def pending() -> Any:
    """The query for those."""
    return Collection.select(Collection.id).where(Collection.derived == LEAVING)


def sweep() -> int:
    """Go on with those that something broke off; returns how many. Does no harm where another worker, or a page, is at it."""
    numbers = [number for (number,) in pending().order_by(Collection.id).tuples()]
    for number in numbers:
        finish(number)
    return len(numbers)
