"""Promises: room that is kept for bytes which uploads under way are still to bring, so that few of them find none half-way.

Whoever uploads says a size, and may never send a byte. So a file is promised what has arrived and a GB more, for as long as bytes
come; what one request, or one person with all of their requests, is promised is bounded, and all that anybody is promised is half
of the room that is left at most. Whether there is room for what really comes is asked as it comes (`limits.as_there_is_room`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import peewee as pw

from webmail.database.prepared import Prepared, Slot
from webmail.models import ContentState, StoredContent, Transfer, TransferFile, TransferState, User, now

MB = 1024 * 1024
AHEAD = 1024 * MB  # of one file, before it came
OF_REQUEST = 4 * AHEAD
OF_PERSON = 8 * AHEAD  # with what their requests are promised
LAPSE = timedelta(minutes=15)  # without a byte

_ALIVE = StoredContent.state != ContentState.DELETED
_COMING = StoredContent.state == ContentState.UPLOADING


BYTES = pw.fn.SUM(pw.Case(None, [(_COMING, StoredContent.received)], StoredContent.size))


def of_stored(placeholder: Slot) -> Any:
    """The condition that a content counts as what a person has stored."""
    return _ALIVE & (StoredContent.owner == placeholder("user"))


_of_everybody = Prepared(lambda _slot: StoredContent.select(BYTES).where(_ALIVE))
_of_person = Prepared(lambda slot: StoredContent.select(BYTES).where(of_stored(slot)))


def arrived(owner: User | None = None) -> int:
    """Bytes that a person has stored, or everybody; equal files count once. One SELECT."""
    [[found]] = _of_everybody.plain() if owner is None else _of_person.plain(user=owner.id)
    return int(found or 0)


def of_person(owner: User, left: int) -> int:
    """What uploads to one person are promised, who has so many bytes left (0 or less: that does not matter). One SELECT."""
    return _together(_promised(owner), left)


def of_all(left: int) -> int:
    """What all uploads are promised, where so many bytes are left. One SELECT."""
    return _together(_promised(None), left)


def awaited() -> tuple[int, int]:
    """How many files are under way, and the bytes that their senders said they would still bring, promised or not. One SELECT."""
    rest = pw.fn.SUM(StoredContent.size - StoredContent.received)
    count, size = _under_way(pw.fn.COUNT(StoredContent.id), rest).scalar(as_tuple=True)
    return int(count or 0), int(size or 0)


def _promised(owner: User | None) -> Mapping[tuple[int, int | None], int]:
    """By owner and request."""
    since = now() - LAPSE
    rows = _promises.plain(since=since) if owner is None else _promises_to.plain(since=since, user=owner.id)
    return {(owner_id, request): int(size) for owner_id, request, size in rows}


def _promises_made(placeholder: Slot) -> Any:
    rest = StoredContent.size - StoredContent.received
    each = pw.Case(None, [(rest < AHEAD, rest)], AHEAD)
    rows = _under_way(Transfer.owner, Transfer.request, pw.fn.SUM(each)).where(StoredContent.touched > placeholder("since"))
    return rows.group_by(Transfer.owner, Transfer.request)


_promises = Prepared(_promises_made)
_promises_to = Prepared(lambda slot: _promises_made(slot).where(StoredContent.owner == slot("user")))


def _under_way(*columns: Any) -> Any:
    rows = StoredContent.select(*columns).join(TransferFile).join(Transfer)
    return rows.where(_COMING & (Transfer.state != TransferState.CLOSED))


def _together(promised: Mapping[tuple[int, int | None], int], left: int) -> int:
    people: Counter[int] = Counter()
    for (owner, request), size in promised.items():
        people[owner] += size if request is None else min(size, OF_REQUEST)
    found = sum(min(size, OF_PERSON) for size in people.values())
    return min(found, left // 2) if left > 0 else found
