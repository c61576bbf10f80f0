"""Trash of collections: what telephones and programs delete stays a while, since one that empties a book does so everywhere.

What one device deletes within minutes is a batch, so that it can be brought back together; so is what went with its collection.
"""

from __future__ import annotations

import json
from collections.abc import Collection as Some
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import peewee as pw

from webmail.collections import losses, store
from webmail.collections.look import title_of
from webmail.database import locks
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.database.pieces import in_pieces
from webmail.mime.headers.encoded_words import words_in
from webmail.models import Collection, CollectionShare, LostShare, TrashedCollection, TrashedItem, User, now

KEPT = timedelta(days=30)
MOST = 30_000  # of one person
LARGEST = 300_000_000  # bytes
UNNAMED = "*"  # a device that signed in with the account's own password
_PAUSE = timedelta(minutes=5)  # a batch ends where nothing was deleted for so long
_LONGEST_BATCH = timedelta(hours=1)
_LOOKED = 50  # items after which it is looked whether somebody has too much: to sum what they have takes as long as it is large


def put(
    collection: Collection,
    items: Sequence[tuple[str, str, str, str]],
    by: str,
    device: str = "",
    *,
    whole: TrashedCollection | None = None,
) -> None:
    """Keep (name in the collection, UID, title, text) of what is about to be deleted. `whole`: with the collection.

    `device`: what the person who did it (`by`: an address) calls theirs; "" for a page. 1 INSERT per 50 and 2 SELECTs, in the
    transaction that deletes.
    """
    at = now()
    batch = whole.batch if whole is not None else _batch(collection.user_id, by, device, at)
    place = title_of(store.props_for(collection, collection.user))
    for start in range(0, len(items), 50):
        rows = [
            {
                "user": collection.user_id, "collection": None if whole else collection.id, "collection_name": collection.name,
                "kind": collection.kind, "href": href, "uid": uid, "title": title[:190], "words": _search_text(title)[:400], "by":
                by, "device": device[:60], "place": place, "at": at, "batch": batch, "whole": whole.id if whole else None,
                "text": text, "size": len(text.encode("utf-8", "replace")),
            }
            for href, uid, title, text in items[start : start + 50]
        ]  # fmt: skip
        TrashedItem.insert_many(rows).execute()
    latest = TrashedItem.select(pw.fn.MAX(TrashedItem.id)).where(TrashedItem.user == collection.user_id).scalar()
    if items and latest // _LOOKED != (latest - len(items)) // _LOOKED:
        _make_room(collection.user_id)


def put_whole(collection: Collection, by: str, device: str = "") -> TrashedCollection:
    """Keep a collection that is about to be deleted, with whom it is shared. Its items are kept by `put`. 2 queries."""
    at = now()
    shares: Any = CollectionShare.select().where(CollectionShare.collection == collection).order_by(CollectionShare.id)
    told = [[one.user_id, one.group_id, one.rights, one.props, one.hidden, one.seen] for one in shares]
    whole = TrashedCollection.create(
        user=collection.user_id, name=collection.name, kind=collection.kind, components=collection.components,
        props=collection.props, shares=json.dumps(told, ensure_ascii=False), by=by, device=device[:60], at=at, batch=_micro(at),
        hides_private=collection.hides_private,
    )  # fmt: skip
    losses.note_deleted(collection, whole)
    return whole


def _batch(user: int, by: str, device: str, at: datetime) -> int:
    """The batch that a deletion belongs to: that of the same device some minutes ago, or a new one."""
    mine = (TrashedItem.user == user) & (TrashedItem.by == by) & (TrashedItem.device == device[:60]) & TrashedItem.whole.is_null()
    recent: Any = TrashedItem.select(TrashedItem.batch, TrashedItem.at).where(
        mine, TrashedItem.batch >= _micro(at - _LONGEST_BATCH)
    )
    latest = recent.order_by(TrashedItem.batch.desc(), TrashedItem.id.desc()).tuples().first()
    return int(latest[0]) if latest is not None and latest[1] > at - _PAUSE else _micro(at)


def _micro(at: datetime) -> int:
    return int(at.replace(tzinfo=UTC).timestamp() * 1_000_000)


def _search_text(title: str) -> str:
    return "".join(f" {word}" for word in dict.fromkeys(words_in(title)))


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
        _delete(TrashedItem.id.in_(numbers))


def leave(collection: Collection) -> None:
    """A collection is about to go for good: what was deleted from it before stays, and comes back elsewhere. In a transaction.

    The database would do so by itself, but lock the rows in an order of its own.
    """
    _belong(locks.rows(TrashedItem, TrashedItem.collection == collection.id), None)


def come_back(gone: TrashedCollection, made: Collection) -> None:
    """What went with a collection belongs to `made` now, which was made in its place. In a transaction.

    Those with whom it is shared again are not told that it was deleted.
    """
    LostShare.delete().where(LostShare.whole == gone).execute()
    _belong(locks.rows(TrashedItem, TrashedItem.whole == gone.id), made.id)


def _belong(numbers: Sequence[int], collection: int | None) -> None:
    for at in range(0, len(numbers), 500):
        TrashedItem.update(collection=collection).where(TrashedItem.id.in_(numbers[at : at + 500])).execute()


def _delete(*chosen: Any) -> int:
    """Delete these, in a transaction, in the order in which everybody locks them."""
    return int(TrashedItem.delete().where(TrashedItem.id.in_(locks.rows(TrashedItem, *chosen))).execute())


# --- what there is ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Batch:
    """What was deleted together. `titles`: the first few; `place`: what the collection is or was called, "" for several."""

    number: int
    count: int
    since: datetime
    until: datetime
    by: str
    device: str
    kinds: tuple[str, ...]
    place: str
    titles: tuple[str, ...]
    whole: int | None


def batches(user: User, *, skip: int = 0, most: int = 20) -> list[Batch]:
    """What a person can bring back, by batches, the latest first. 1 query, and 1 for each batch."""
    count, whole = pw.fn.COUNT(TrashedItem.id), pw.fn.MAX(TrashedItem.whole)
    told = [TrashedItem.batch, count, *(way(TrashedItem.at) for way in (pw.fn.MIN, pw.fn.MAX)), whole]
    told += [
        way(field)
        for field in (TrashedItem.by, TrashedItem.device, TrashedItem.place, TrashedItem.kind)
        for way in (pw.fn.MIN, pw.fn.MAX)
    ]
    rows: Any = TrashedItem.select(*told).where(TrashedItem.user == user).group_by(TrashedItem.batch)
    found = []
    for number, size, since, until, whole_id, by, _by, device, _device, place, other, kind, kind2 in (
        rows.order_by(TrashedItem.batch.desc()).offset(skip).limit(most).tuples()
    ):
        titles: Any = TrashedItem.select(TrashedItem.title).where(TrashedItem.user == user, TrashedItem.batch == number)
        first = tuple(title for (title,) in titles.order_by(TrashedItem.id).limit(SHOWN).tuples())
        kinds = tuple(dict.fromkeys((kind, kind2)))
        found.append(
            Batch(
                number, size, _moment(since), _moment(until), by, device, kinds, place if place == other else "", first, whole_id
            )
        )
    return found


SHOWN = 3  # titles of a batch


def _moment(value: Any) -> datetime:
    """MIN and MAX of a time are texts on SQLite."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def count_batches(user: User) -> int:
    """1 query."""
    found: Any = TrashedItem.select(pw.fn.COUNT(TrashedItem.batch.distinct())).where(TrashedItem.user == user)
    return int(found.tuples()[0][0])


def found(
    user: User, *, text: str = "", batch: int | None = None, skip: int = 0, most: int = 50
) -> tuple[list[TrashedItem], int]:
    """Items without their texts, the latest first, of whose title each word begins a word; and how many there are. 2 queries."""
    fit = [TrashedItem.user == user]
    if batch is not None:
        fit.append(TrashedItem.batch == batch)
    fit += [TrashedItem.words.contains(f" {word}") for word in words_in(text[:100])[:10]]
    rows = TrashedItem.select(*_listed()).where(*fit).order_by(TrashedItem.at.desc(), TrashedItem.id.desc())
    return list(rows.offset(skip).limit(most)), rows.count()


def _listed() -> list[pw.Field]:
    return [field for field in TrashedItem._meta.sorted_fields if field is not TrashedItem.text]


def for_user(user: User) -> Sequence[TrashedItem]:
    """All that a person can bring back, the latest first, without the texts."""
    return list(
        TrashedItem.select(*_listed()).where(TrashedItem.user == user).order_by(TrashedItem.at.desc(), TrashedItem.id.desc())
    )


def numbers_of(user: User, batch: int) -> list[int]:
    """The `id`s of a batch. 1 query."""
    rows: Any = TrashedItem.select(TrashedItem.id).where(TrashedItem.user == user, TrashedItem.batch == batch)
    return [number for (number,) in rows.order_by(TrashedItem.id).tuples()]


def lock_places(user: User) -> None:
    """Lock all collections that items may come back into, where several do in one transaction. 2 queries.

    All at once, as in contacts/book_access.py; derived ones are locked by what follows the cards.
    """
    mine: Any = Collection.select(Collection.id).where(Collection.user == user, Collection.derived == "").tuples()
    store.lock([number for (number,) in mine])


def whole(user: User, number: int) -> TrashedCollection | None:
    """A collection of this person that was deleted, by its `id`. 1 query."""
    return TrashedCollection.get_or_none((TrashedCollection.id == number) & (TrashedCollection.user == user))


def collection_of_batch(user: User, batch: int) -> TrashedCollection | None:
    """The collection that was deleted with what is in a batch. 1 query."""
    mine = (TrashedCollection.user == user) & (TrashedCollection.batch == batch)
    return TrashedCollection.select().where(mine).order_by(TrashedCollection.id.desc()).first()


def take(number: int, by: str | None = None) -> bool:
    """Take one (by `id`) out, which comes back; False if somebody else has. `by`: only if this person deleted it. 1 query."""
    only = [] if by is None else [TrashedItem.by == by]
    return bool(TrashedItem.delete().where(TrashedItem.id == number, *only).execute())


def take_latest(collection: int, by: str, *fit: Any) -> None:
    """Take out the latest that this person deleted there, of those that fit, which they have just put back. 2 queries."""
    mine = (TrashedItem.collection == collection) & (TrashedItem.by == by)
    latest = TrashedItem.select(TrashedItem.id).where(mine, *fit).order_by(TrashedItem.id.desc()).first()
    if latest is not None:
        take(latest.id)


# --- the end ---------------------------------------------------------------------------------------------------------


def forget(user: User, numbers: Some[int]) -> int:
    """Delete these for good; returns how many. 1 transaction per 500."""
    chosen = list(numbers)
    return sum(_forget(user, chosen[at : at + 500]) for at in range(0, len(chosen), 500))


@begun_again
def _forget(user: User, numbers: Sequence[int]) -> int:
    with db.atomic():
        return _delete(TrashedItem.user == user, TrashedItem.id.in_(numbers))


def expire() -> int:
    """Delete what has been there for long; returns how many items. In short transactions."""
    TrashedCollection.delete().where(TrashedCollection.at < now() - KEPT).execute()
    old: Any = TrashedItem.select(TrashedItem.id).where(TrashedItem.at < now() - KEPT).order_by(TrashedItem.id).tuples()
    return sum(_expire(piece) for piece in in_pieces([number for (number,) in old]))


@begun_again
def _expire(numbers: Sequence[int]) -> int:
    with db.atomic():
        return _delete(TrashedItem.id.in_(numbers))
