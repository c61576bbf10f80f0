"""Trash of collections: what telephones and programs delete stays a while, since one that empties a book does so everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import peewee as pw

from webmail.models import Collection, TrashedItem, User, now

KEPT = timedelta(days=30)
MOST = 30_000  # of one person
LARGEST = 300_000_000  # bytes


def put(collection: Collection, items: Sequence[tuple[str, str, str, str]], by: str, *, ending: bool = False) -> None:
    """Keep (name in the collection, UID, title, text) of what is about to be deleted. `ending`: with the collection.

    1 INSERT per 50, in the transaction that deletes.
    """
    at = now()
    for start in range(0, len(items), 50):
        rows = [
            {
                "user": collection.user_id, "collection": None if ending else collection.id, "collection_name": collection.name,
                "kind": collection.kind, "href": href, "uid": uid, "title": title[:190], "by": by, "at": at, "text": text,
                "size": len(text.encode("utf-8", "replace")),
            }
            for href, uid, title, text in items[start : start + 50]
        ]  # fmt: skip
        TrashedItem.insert_many(rows).execute()
    _make_room(collection.user_id)


def _make_room(user: int) -> None:
    """Let go of the oldest, where somebody has very much in it."""
    mine = TrashedItem.user == user
    total: Any = TrashedItem.select(pw.fn.COUNT(TrashedItem.id), pw.fn.SUM(TrashedItem.size)).where(mine).tuples()
    count, size = total[0]
    while count and (count > MOST or size > LARGEST):
        oldest: Any = TrashedItem.select(TrashedItem.id, TrashedItem.size).where(mine).order_by(TrashedItem.id).limit(500)
        numbers = []
        for number, each in oldest.tuples():
            if count <= MOST and size <= LARGEST:
                break
            numbers.append(number)
            count, size = count - 1, size - each
        TrashedItem.delete().where(TrashedItem.id.in_(numbers)).execute()


def of(user: User) -> Sequence[TrashedItem]:
    """What a person can bring back, the latest first, without the texts."""
    fields = [field for field in TrashedItem._meta.sorted_fields if field is not TrashedItem.text]
    return list(
        TrashedItem.select(*fields).where(TrashedItem.user == user).order_by(TrashedItem.at.desc(), TrashedItem.id.desc())
    )


def expire() -> int:
    """Delete what has been there for long; returns how much."""
    return TrashedItem.delete().where(TrashedItem.at < now() - KEPT).execute()
