"""Unfinished deliveries of guests: begun at a page that asks for files, and not sent off. Whoever asked sees how far each is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import peewee as pw

from webmail.models import FileRequest, FileRequestInvite, StoredContent, Transfer, TransferFile, TransferState
from webmail.transfers import store

_BEFORE = timedelta(seconds=30)  # clocks of several machines differ


@dataclass(frozen=True, slots=True)
class Unfinished:
    """One of them. `size`: of its files, as they were declared; `last`: when bytes came, or it was begun."""

    transfer: Transfer
    files: int
    received: int
    size: int
    last: datetime


def of_request(request: FileRequest) -> list[Unfinished]:
    """The oldest first. Two SELECTs, one where there are none."""
    rows = Transfer.select(Transfer, FileRequestInvite).left_outer_join(FileRequestInvite).where(_open_ones(request))
    transfers = list(rows.order_by(Transfer.id))
    if not transfers:
        return []
    sums: Any = TransferFile.select(
        TransferFile.transfer, pw.fn.COUNT(TransferFile.id), pw.fn.SUM(StoredContent.received), pw.fn.SUM(TransferFile.size),
        pw.fn.MAX(StoredContent.touched),
    ).join(StoredContent, pw.JOIN.LEFT_OUTER).where(TransferFile.transfer.in_([one.id for one in transfers]))  # fmt: skip
    known: dict[int, tuple[Any, ...]] = {row[0]: row[1:] for row in sums.group_by(TransferFile.transfer).tuples()}
    return [_told(one, *known.get(one.id, (0, 0, 0, None))) for one in transfers]


def _told(transfer: Transfer, files: int, received: int | None, size: int | None, last: datetime | str | None) -> Unfinished:
    at = datetime.fromisoformat(last) if isinstance(last, str) else last  # SQLite knows no type of MAX()
    return Unfinished(transfer, files, int(received or 0), int(size or 0), at or transfer.created)


def remove(request: FileRequest, number: int) -> bool:
    """End one of them, as its owner may; its files stay for as long as that can be taken back. Whether there was one."""
    found = Transfer.get_or_none(_open_ones(request) & (Transfer.id == number))
    return found is not None and store.close(found, "owner", still=Transfer.state == TransferState.OPEN)


def put_back(request: FileRequest, number: int) -> bool:
    """Undo `remove`; whether it was there."""
    found = Transfer.get_or_none((Transfer.request == request) & Transfer.published.is_null() & (Transfer.id == number))
    return found is not None and store.reopen(found)


def remove_all(request: FileRequest) -> int:
    """End all of them, since nobody can go on; returns how many."""
    return sum(store.close(one, "owner", still=Transfer.state == TransferState.OPEN) for one in _all(_open_ones(request)))


def put_back_all(request: FileRequest) -> None:
    """Undo what ended with the request, which is about to be opened again, as long as that can be."""
    if request.closed is None:
        return
    ended = (Transfer.request == request) & Transfer.published.is_null() & (Transfer.closed >= request.closed - _BEFORE)
    for one in _all(ended):
        store.reopen(one)


def _open_ones(request: FileRequest) -> pw.Expression:
    return (Transfer.request == request) & (Transfer.state == TransferState.OPEN)


def _all(wanted: pw.Expression) -> list[Transfer]:
    return list(Transfer.select().where(wanted))
