"""Inheritance: the large files of somebody who leaves whose links still work, and the pages where guests send files to them."""

from __future__ import annotations

from typing import Any

import peewee as pw

from webmail.config.settings import Settings
from webmail.models import FileRequest, StoredContent, Transfer, TransferFile, TransferRecipient, TransferState, User, now
from webmail.transfers import content

MOST = 200  # that are listed


def used_by_others(owner: User) -> list[tuple[Transfer, int]]:
    """The transfers whose links work today, with to how many people they went. 1 query."""
    count = pw.fn.COUNT(TransferRecipient.id)
    rows: Any = Transfer.select(Transfer, count.alias("people")).join(TransferRecipient, pw.JOIN.LEFT_OUTER)
    rows = rows.where(_standing(owner)).group_by(Transfer.id).order_by(Transfer.id.desc()).limit(MOST)
    return [(row, int(row.people)) for row in rows]


def open_requests(owner: User) -> list[FileRequest]:
    """1 query."""
    rows = FileRequest.select().where(FileRequest.owner == owner, FileRequest.closed.is_null())
    return list(rows.order_by(FileRequest.id.desc()).limit(MOST))


def addresses_of(transfer: Transfer) -> list[str]:
    """To whom it went by mail. 1 query."""
    rows: Any = TransferRecipient.select(TransferRecipient.address).where(TransferRecipient.transfer == transfer).tuples()
    return [address for (address,) in rows]


def _standing(owner: User) -> Any:
    """What they sent; what guests sent to them is theirs alone."""
    sent = Transfer.request.is_null() & (Transfer.state == TransferState.READY)
    return (Transfer.owner == owner) & sent & (Transfer.expires > now())


def hand_over(owner: User, heir: User, settings: Settings) -> tuple[int, int]:
    """Make the heir the owner of the transfers whose links work, and of the open requests: how many of each. Links stay.

    The keys of files are sealed for their owner, and so sealed anew. Where the link alone holds a key nobody can: such a transfer
    stays whose it was, and ends with the account. In a transaction.
    """
    rows: Any = TransferFile.select(TransferFile.transfer, StoredContent).join(StoredContent)
    files = list(rows.where(TransferFile.transfer.in_(Transfer.select(Transfer.id).where(_standing(owner)))))
    locked = {one.transfer_id for one in files if one.content.key_in_link}
    chosen = _standing(owner) & Transfer.id.not_in(list(locked))
    contents = {one.content.id: one.content for one in files if one.transfer_id not in locked}
    for stored in contents.values():
        content.change_owner(stored, heir, settings)
    moved = Transfer.update(owner=heir).where(chosen).execute()
    requests = FileRequest.update(owner=heir).where(FileRequest.owner == owner, FileRequest.closed.is_null()).execute()
    return int(moved), int(requests)
