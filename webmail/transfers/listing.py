"""List of one's transfers: sent, received, being put together; searched, sorted, with what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any

import peewee as pw

from webmail.database.prepared import Prepared, Slot
from webmail.models import (
    ContentState,
    FileRequest,
    FileRequestInvite,
    StoredContent,
    Transfer,
    TransferFile,
    TransferRecipient,
    TransferState,
    User,
)

SIZE = 50  # of a page
_NAMES = 3


class Shelf(StrEnum):
    """Which of one's transfers."""

    SENT = "sent"
    RECEIVED = "received"
    UNFINISHED = "unfinished"


class Order(StrEnum):
    """How they are sorted."""

    DATE = "date"
    END = "end"
    SIZE = "size"
    NAME = "name"


@dataclass(slots=True)
class ListedTransfer:
    """A transfer with its files and people, counted."""

    transfer: Transfer
    files: int = 0
    size: int = 0
    downloads: int = 0  # of all files together
    names: list[str] = field(default_factory=list)  # of the first files
    states: set[str] = field(default_factory=set)  # of the contents
    people: int = 0
    fetched: int = 0  # people who downloaded something
    address: str = ""  # of the first of them


def listed(
    owner: User, shelf: Shelf, text: str = "", order: Order = Order.DATE, page: int = 1, total: int | None = None
) -> tuple[list[ListedTransfer], int]:  # fmt: skip
    """The transfers of a page, and how many there are in all. `total`: how many are on the shelf, where that is known. Five
    SELECTs at most."""
    if not text and order is Order.DATE:
        usual = _usual[shelf](user=owner.id, size=SIZE, start=(page - 1) * SIZE)
        return _counted(usual), Transfer.select().where(_on_shelf(owner, shelf)).count() if total is None else total
    wanted = _on_shelf(owner, shelf) & _with(text, owner)
    total = Transfer.select().where(wanted).count()
    rows = _with_requests().where(wanted)
    if order is Order.SIZE:
        sizes = _sizes(owner)
        rows = rows.switch(Transfer).join(sizes, pw.JOIN.LEFT_OUTER, on=(sizes.c.transfer_id == Transfer.id))
        rows = rows.order_by(pw.fn.COALESCE(sizes.c.bytes, 0).desc(), Transfer.id.desc())
    else:
        rows = rows.order_by(*_order(order, shelf))
    rows = rows.paginate(page, SIZE)
    return _counted(list(rows)), total


def arrived(request: FileRequest, page: int = 1) -> tuple[list[ListedTransfer], int]:
    """What guests sent by a request, the newest first, and how many there are in all. Five SELECTs at most."""
    came = (Transfer.request == request) & Transfer.published.is_null(False)
    rows = _with_requests().where(came).order_by(*_order(Order.DATE, Shelf.RECEIVED)).paginate(page, SIZE)
    return _counted(list(rows)), Transfer.select().where(came).count()


def _with_requests() -> Any:
    rows: Any = Transfer.select(Transfer, FileRequest, FileRequestInvite).left_outer_join(FileRequest).switch(Transfer)
    return rows.left_outer_join(FileRequestInvite)


def _newest_of(shelf: Shelf, placeholder: Slot) -> Any:
    rows = _with_requests().where(_on_shelf(placeholder("user"), shelf)).order_by(*_order(Order.DATE, shelf))
    return rows.limit(placeholder("size")).offset(placeholder("start"))


_usual = {shelf: Prepared(partial(_newest_of, shelf)) for shelf in Shelf}


def of_person(placeholder: Slot, shelf: Shelf) -> Any:
    return _on_shelf(placeholder("user"), shelf)


def _on_shelf(owner: Any, shelf: Shelf) -> Any:
    mine = Transfer.owner == owner
    if shelf is Shelf.SENT:
        return mine & Transfer.request.is_null() & Transfer.published.is_null(False)
    if shelf is Shelf.RECEIVED:
        return mine & Transfer.request.is_null(False) & Transfer.published.is_null(False)
    draft = Transfer.draft_id != ""  # put together on the page of the message
    added = Transfer.adds_to.is_null(False)  # on the page of what it is added to
    return mine & Transfer.request.is_null() & (Transfer.state == TransferState.OPEN) & ~draft & ~added


def _with(wording: str, owner: User) -> Any:
    """What has these words in its subject, message, sender, names of files or addresses."""
    found: Any = Transfer.owner == owner
    for word in wording.split()[:10]:
        mine = Transfer.select(Transfer.id).where(Transfer.owner == owner)
        files = TransferFile.select(TransferFile.transfer).where(
            (TransferFile.transfer << mine) & TransferFile.path.contains(word)
        )
        people = TransferRecipient.select(TransferRecipient.transfer).where(
            (TransferRecipient.transfer << mine)
            & (TransferRecipient.address.contains(word) | TransferRecipient.name.contains(word))
        )
        texts = (Transfer.subject, Transfer.message, Transfer.guest_name, Transfer.guest_address)
        own: Any = Transfer.id.in_(files) | Transfer.id.in_(people)
        for text in texts:
            own |= text.contains(word)
        found &= own
    return found


def _order(order: Order, shelf: Shelf) -> tuple[Any, ...]:
    newest = (Transfer.created if shelf is Shelf.UNFINISHED else Transfer.published).desc()
    if order is Order.NAME:
        return pw.fn.LOWER(Transfer.subject if shelf is not Shelf.RECEIVED else Transfer.guest_name), Transfer.id.desc()
    if order is Order.END:
        over = pw.Case(None, [(Transfer.state == TransferState.CLOSED, 1)], 0)
        return over, Transfer.expires, Transfer.id.desc()
    return newest, Transfer.id.desc()


def _sizes(owner: User) -> Any:
    """The bytes of each of somebody's transfers, as a table."""
    rows = TransferFile.select(TransferFile.transfer, pw.fn.SUM(TransferFile.size).alias("bytes")).join(Transfer)
    return rows.where(Transfer.owner == owner).group_by(TransferFile.transfer).alias("sizes")


def _counted(rows: Sequence[Transfer]) -> list[ListedTransfer]:
    found = {row.id: ListedTransfer(row) for row in rows}
    numbers = list(found)
    if not numbers:
        return []
    totals: Any = (
        TransferFile.select(
            TransferFile.transfer, pw.fn.COUNT(TransferFile.id), pw.fn.SUM(TransferFile.size), pw.fn.SUM(TransferFile.downloads)
        )
        .where(TransferFile.transfer << numbers)
        .group_by(TransferFile.transfer)
    )
    for number, count, size, downloads in totals.tuples():
        one = found[number]
        one.files, one.size, one.downloads = count, int(size or 0), int(downloads or 0)
    first: Any = (
        TransferFile.select(TransferFile.transfer, TransferFile.path)
        .where((TransferFile.transfer << numbers) & (TransferFile.position < _NAMES))
        .order_by(TransferFile.transfer, TransferFile.position)
    )
    for number, path in first.tuples():
        found[number].names.append(path.rpartition("/")[2])
    states: Any = (
        TransferFile.select(TransferFile.transfer, StoredContent.state)
        .join(StoredContent)
        .where((TransferFile.transfer << numbers) & (StoredContent.state != ContentState.READY))
        .distinct()
    )
    for number, state in states.tuples():
        found[number].states.add(state)
    fetched = pw.fn.SUM(pw.Case(None, [(TransferRecipient.downloads > 0, 1)], 0))
    people: Any = (
        TransferRecipient.select(
            TransferRecipient.transfer, pw.fn.COUNT(TransferRecipient.id), fetched, pw.fn.MIN(TransferRecipient.address)
        )
        .where((TransferRecipient.transfer << numbers) & TransferRecipient.removed.is_null())
        .group_by(TransferRecipient.transfer)
    )
    for number, count, some, address in people.tuples():
        found[number].people, found[number].fetched, found[number].address = count, int(some or 0), address
    return list(found.values())
