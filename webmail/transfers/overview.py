"""Overview for administrators: sums, and who has how much until when; never names of files, texts or links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import peewee as pw

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import (
    ContentState,
    StoredContent,
    Transfer,
    TransferAllowance,
    TransferFile,
    TransferReport,
    TransferState,
    User,
)
from webmail.storage import StorageArea, free_bytes, open_storage
from webmail.transfers import content, limits
from webmail.transfers.uploads import promises

SIZE = 50  # of a page


@dataclass(frozen=True, slots=True)
class Totals:
    """Of everybody. `left`: bytes free on the disk, None where that can't be told; `most`: of all, 0 for no limit."""

    people: int
    transfers: int
    stored: int
    under_way: int  # files that have begun
    awaited: int  # bytes that their senders said they still bring
    promised: int  # of these, bytes that room is kept for
    left: int | None
    reserve: int
    most: int


@dataclass(frozen=True, slots=True)
class Overseen:
    """A transfer as administrators see it."""

    transfer: Transfer
    files: int
    size: int
    downloads: int
    reports: int  # of abuse, that nobody has dealt with


def totals(settings: Settings) -> Totals:
    """Five SELECTs."""
    open_ones = (Transfer.state != TransferState.CLOSED) & Transfer.adds_to.is_null()
    people = Transfer.select(pw.fn.COUNT(Transfer.owner.distinct())).where(open_ones).scalar() or 0
    count = Transfer.select().where(open_ones).count()
    reserve, most = settings.transfers.reserve_mb * limits.MB, settings.transfers.total_mb * limits.MB
    left = free_bytes(open_storage(settings, StorageArea.TRANSFERS))
    under_way, awaited = promises.awaited()
    promised = promises.of_all(left - reserve if left is not None else 0)
    return Totals(people, count, promises.arrived(), under_way, awaited, promised, left, reserve, most)


def listed(page: int = 1, *, owner: User | None = None, closed: bool = False) -> tuple[list[Overseen], bool]:
    """The largest first, those with reports before all others; whether there are more. Three SELECTs."""
    sizes = TransferFile.select(
        TransferFile.transfer, pw.fn.COUNT(TransferFile.id).alias("files"), pw.fn.SUM(TransferFile.size).alias("bytes"),
        pw.fn.SUM(TransferFile.downloads).alias("downloads"),
    ).group_by(TransferFile.transfer).alias("sizes")  # fmt: skip
    open_reports = TransferReport.settled.is_null()
    reports = TransferReport.select(TransferReport.transfer, pw.fn.COUNT(TransferReport.id).alias("reports"))
    reports = reports.where(open_reports).group_by(TransferReport.transfer).alias("reports")
    columns = (Transfer.id, sizes.c.files, sizes.c.bytes, sizes.c.downloads, reports.c.reports)
    rows: Any = Transfer.select(*columns).join(sizes, pw.JOIN.LEFT_OUTER, on=(sizes.c.transfer_id == Transfer.id))
    rows = rows.switch(Transfer).join(reports, pw.JOIN.LEFT_OUTER, on=(reports.c.transfer_id == Transfer.id))
    wanted = (Transfer.state == TransferState.CLOSED) if closed else (Transfer.state != TransferState.CLOSED)
    wanted &= Transfer.adds_to.is_null()  # not a transfer yet
    if owner is not None:
        wanted &= Transfer.owner == owner
    order = (pw.fn.COALESCE(reports.c.reports, 0).desc(), pw.fn.COALESCE(sizes.c.bytes, 0).desc(), Transfer.id.desc())
    found = list(rows.where(wanted).order_by(*order).offset((page - 1) * SIZE).limit(SIZE + 1).tuples())
    numbers = [row[0] for row in found[:SIZE]]
    by_number = {one.id: one for one in Transfer.select(Transfer, User).join(User).where(Transfer.id << numbers)}
    shown = [
        Overseen(by_number[number], int(files or 0), int(size or 0), int(downloads or 0), int(reported or 0))
        for number, files, size, downloads, reported in found[:SIZE]
        if number in by_number
    ]
    return shown, len(found) > SIZE


def open_links(user: User) -> int:
    """How many links of somebody's others may still open. One SELECT."""
    return int(Transfer.select().where(Transfer.owner == user, Transfer.state == TransferState.READY).count())


def unreadable(settings: Settings) -> int:
    """How many files the present `secret_key` does not open, among the thousand oldest. One SELECT."""
    wanted = [ContentState.UPLOADING, ContentState.CHECKING, ContentState.READY]
    rows = StoredContent.select().where((StoredContent.state << wanted) & (StoredContent.key_in_link == 0))
    return sum(not content.opens(stored, settings) for stored in rows.order_by(StoredContent.id).limit(1000))


def set_limit(user: User, most: int | None) -> None:
    """How many bytes one person may store; 0: as many as there is room for; None: what the settings say."""
    with db.atomic():
        TransferAllowance.delete().where(TransferAllowance.user == user).execute()
        if most is not None:
            TransferAllowance.create(user=user, limit_bytes=most)
