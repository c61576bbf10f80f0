"""Limits of large files: how much a file, a transfer, a person and everybody may store, which names are refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

import peewee as pw

from webmail import rate_limits
from webmail.config.settings import Settings
from webmail.database.locks import serialize
from webmail.database.prepared import Prepared, Slot
from webmail.errors import MailError
from webmail.models import StoredContent, Transfer, TransferAllowance, TransferFile, TransferState, User
from webmail.rate_limits import HOUR, RateLimit
from webmail.storage import StorageArea, free_bytes, open_storage
from webmail.transfers.uploads import promises
from webmail.transfers.uploads.promises import MB

BEGUN = RateLimit("transfers begun", 120, HOUR)  # by one person
_FROM_GUESTS = 5  # times as many transfers as one's own
_STEP = 64 * MB  # bytes of an upload, after which it is looked whether there is room for more


class Limit(StrEnum):
    """Which limit it was."""

    FILE = "file"  # bytes of one
    TRANSFER = "transfer"  # bytes of all files of one
    PERSON = "person"  # bytes that a person has stored
    TOTAL = "total"  # bytes that everybody has stored, or that the disk has left
    FILES = "files"  # how many a transfer has
    TRANSFERS = "transfers"  # how many a person has
    PACE = "pace"  # how many a person begins in an hour
    TYPE = "type"  # the ending of the name


class OverLimitError(MailError):
    """A limit would be passed: `most` bytes, or of whatever the limit counts; 0 where that is nobody's business."""

    status = 413

    def __init__(self, limit: Limit, most: int = 0) -> None:
        super().__init__(f"the limit of {limit}: {most}")
        self.limit = limit
        self.most = most


class RoomTakenError(OverLimitError):
    """A limit is reached in the middle of a file that might begin: what came is kept, and it goes on once there is room."""

    status = 507


def check_file(transfer: Transfer, path: str, size: int, settings: Settings, *, most_bytes: int = 0, most_files: int = 0) -> None:
    """Whether a file of this name and size may come to this transfer. `most_...`: of a request, besides those of `[transfers]`.

    What is promised to uploads counts as stored. Raises OverLimitError. Five SELECTs at most; one more for what is added to
    another transfer, one query more on PostgreSQL.
    """
    given = settings.transfers
    if path.rpartition("/")[2].rpartition(".")[2].lower() in given.endings and "." in path.rpartition("/")[2]:
        raise OverLimitError(Limit.TYPE)
    if size > given.file_mb * MB:
        raise OverLimitError(Limit.FILE, given.file_mb * MB)
    together = TransferFile.transfer << _counted_with(transfer)
    count, stored = (
        TransferFile.select(pw.fn.COUNT(TransferFile.id), pw.fn.SUM(TransferFile.size)).where(together).scalar(as_tuple=True)
    )
    if count >= (files := min(given.files, most_files or given.files)):
        raise OverLimitError(Limit.FILES, files)
    if (stored or 0) + size > (most := min(given.transfer_mb * MB, most_bytes or given.transfer_mb * MB)):
        raise OverLimitError(Limit.TRANSFER, most)
    own = of_person(transfer.owner, settings)
    if own and used_by(transfer.owner, own) + size > own:
        raise OverLimitError(Limit.PERSON, own)
    check_disk(size, settings)


def as_there_is_room(content: StoredContent, chunks: Iterable[bytes], settings: Settings) -> Iterator[bytes]:
    """The bytes that come for a file, as long as there is room for them: it was promised less than it said it has. Nobody who has
    begun is stopped by what others are only promised.

    Raises RoomTakenError; what came before is kept by whoever takes these. Four SELECTs at most for each 64 MB.
    """
    at = looked = content.received  # the end of what came, and of what there is room for
    for chunk in chunks:
        if at + len(chunk) > looked:
            looked = max(min(at + _STEP, content.size), at + len(chunk))
            more = looked - content.received  # of which some may wait to become durable
            own = of_person(content.owner, settings)
            if own and promises.arrived(content.owner) + more > own:
                raise RoomTakenError(Limit.PERSON, own)
            if (free := _free(settings)) is not None and more > free:
                raise RoomTakenError(Limit.TOTAL)
        at += len(chunk)
        yield chunk


def _counted_with(transfer: Transfer) -> list[int]:
    """Numbers of the transfers whose files count together: what was sent, with all that is being added to it."""
    if transfer.adds_to_id is None:
        return [transfer.id]
    others = (Transfer.adds_to == transfer.adds_to_id) & (Transfer.state != TransferState.CLOSED)
    return [transfer.adds_to_id, *(row.id for row in Transfer.select(Transfer.id).where(others))]


def most_of_file(
    transfer: Transfer, settings: Settings, *, most_bytes: int = 0, most_files: int = 0
) -> tuple[int, OverLimitError]:  # fmt: skip
    """How many bytes the next file may have at most, where nobody said its size, and what it is told if it has more."""
    given = settings.transfers
    whole = min(given.transfer_mb * MB, most_bytes or given.transfer_mb * MB)
    together = TransferFile.transfer << _counted_with(transfer)
    stored = TransferFile.select(pw.fn.SUM(TransferFile.size)).where(together).scalar() or 0
    found = [
        (given.file_mb * MB, OverLimitError(Limit.FILE, given.file_mb * MB)),
        (whole - stored, OverLimitError(Limit.TRANSFER, whole)),
    ]
    if own := of_person(transfer.owner, settings):
        found.append((own - used_by(transfer.owner, own), OverLimitError(Limit.PERSON, own)))
    if (left := _left(settings)) is not None:
        found.append((left, OverLimitError(Limit.TOTAL)))
    most, told = min(found, key=lambda one: one[0])
    return max(most, 0), told


def check_count(owner: User, settings: Settings, *, from_guests: bool = False) -> None:
    """Whether a person may begin another transfer; what guests send them counts by itself, since it comes by the class. One's own
    that has no file, as a form leaves that was refused, does not count. It then counts. Raises OverLimitError.
    """
    most = settings.transfers.open_transfers * (_FROM_GUESTS if from_guests else 1)
    over = (TransferState.CLOSED, TransferState.HANDED)  # those of another server are counted there
    standing = Transfer.state.not_in(over) & Transfer.adds_to.is_null()
    open_ones = (Transfer.owner == owner) & standing & Transfer.request.is_null(not from_guests)
    if not from_guests:
        has_files = pw.fn.EXISTS(TransferFile.select(TransferFile.id).where(TransferFile.transfer == Transfer.id))
        open_ones &= (Transfer.state != TransferState.OPEN) | has_files
    if Transfer.select().where(open_ones).count() >= most:
        raise OverLimitError(Limit.TRANSFERS, most)
    if not from_guests:
        count_begun(owner, settings)


def count_begun(owner: User, settings: Settings) -> None:
    """One more that a person begins within this hour, or another addition. Raises OverLimitError."""
    if not rate_limits.may(settings, BEGUN.by(owner.id)):
        raise OverLimitError(Limit.PACE, BEGUN.most)


def check_disk(size: int, settings: Settings) -> None:
    """Whether so many bytes more may be stored, with what uploads that have begun still need. Raises OverLimitError.

    In the transaction that promises them: those of everybody that begin at once count in turn, each holding its owner and its
    transfer already.
    """
    serialize("transfers-room")
    if (left := _left(settings)) is not None and size > left:
        raise OverLimitError(Limit.TOTAL)


def _left(settings: Settings) -> int | None:
    """Bytes that may still be stored, whoever brings them, beside what is promised; None where nobody knows."""
    free = _free(settings)
    return free - promises.of_all(free) if free is not None else None


def _free(settings: Settings) -> int | None:
    given, found = settings.transfers, []
    if given.total_mb:
        found.append(given.total_mb * MB - promises.arrived())
    free = free_bytes(open_storage(settings, StorageArea.TRANSFERS))
    if free is not None:
        found.append(free - given.reserve_mb * MB)
    return min(found) if found else None


def of_allowance(placeholder: Slot) -> Any:
    return TransferAllowance.user == placeholder("user")


_allowance = Prepared(lambda slot: TransferAllowance.select(TransferAllowance.limit_bytes).where(of_allowance(slot)))


def of_person(user: User, settings: Settings) -> int:
    """Bytes that a person may store; 0: as many as there is room for."""
    return allowed([limit for (limit,) in _allowance.plain(user=user.id)], settings)


def allowed(given: list[int], settings: Settings) -> int:
    """The same, of what an administrator gave them, if anything."""
    return int(given[0]) if given else settings.transfers.person_mb * MB


def used_by(user: User, most: int) -> int:
    """Bytes that a person has stored, or is promised, of the `most` they may have (0: any). Two SELECTs."""
    stored = promises.arrived(user)
    return stored + promises.of_person(user, most - stored)
