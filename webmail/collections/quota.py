"""Quota of collections: how many items and bytes one may have, and a person in all of theirs."""

from __future__ import annotations

from webmail.collections import store
from webmail.config.settings import Settings
from webmail.errors import LimitReachedError
from webmail.models import Collection


def check_room(collection: int, count: int, size: int, settings: Settings, *, leaving: tuple[int, int] = (0, 0)) -> None:
    """Check that a collection (by `id`) may have `count` items and `size` bytes more: what becomes smaller always may.

    `leaving`: how many items and bytes are going to be removed right after. Raises LimitReachedError.
    """
    now: Collection = Collection.get_by_id(collection)
    items_leaving, bytes_leaving = leaving
    if count > 0 and now.count + count - items_leaving > settings.collection_items:
        raise LimitReachedError("too many items")
    if size <= 0:
        return
    size -= bytes_leaving
    if now.size + size > settings.collection_limit_mb * 1_000_000:
        raise LimitReachedError("too many bytes in the collection")
    if store.size_of(now.user)[0] + size > settings.collections_limit_mb * 1_000_000:
        raise LimitReachedError("too many bytes in all collections")
