"""Changes to a transfer that is out: its date, the people it was sent to, its files. Each is noted in its trail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from webmail.config.settings import Settings
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.errors import LimitReachedError, MailError
from webmail.models import FileRequest, FileRequestInvite, Transfer, TransferFile, TransferRecipient, TransferState, User, now
from webmail.transfers import store, trail
from webmail.transfers.trail import EventKind


class LastFileError(MailError):
    """Without it nothing would be left: the transfer is to be closed instead."""

    status = 409


def of_owner(number: int, owner: User) -> Transfer | None:
    """Their transfer of this number, whoever sent it; None for another's. One SELECT."""
    rows = Transfer.select(Transfer, FileRequest, FileRequestInvite).left_outer_join(FileRequest).switch(Transfer)
    mine = (Transfer.id == number) & (Transfer.owner == owner)
    found: Transfer | None = rows.left_outer_join(FileRequestInvite).where(mine).first()
    return found


def people(transfer: Transfer) -> list[TransferRecipient]:
    """Those it was sent to and who were not removed. One SELECT."""
    there = (TransferRecipient.transfer == transfer) & TransferRecipient.removed.is_null()
    return list(TransferRecipient.select().where(there).order_by(TransferRecipient.id))


def person(transfer: Transfer, number: int) -> TransferRecipient | None:
    """One of them, removed or not. One SELECT."""
    rows = TransferRecipient.select(TransferRecipient, Transfer).join(Transfer)
    found: TransferRecipient | None = rows.where(
        (TransferRecipient.id == number) & (TransferRecipient.transfer == transfer)
    ).first()  # fmt: skip
    return found


@begun_again
def extend(transfer: Transfer, until: datetime) -> bool:
    """Let it end at another time; whether it was still offered."""
    out = (Transfer.id == transfer.id) & (Transfer.state == TransferState.READY)
    with db.atomic():
        changed = store.is_offered(transfer) and Transfer.update(expires=until).where(out).execute()
        if changed:
            trail.note(transfer, EventKind.EXTENDED, detail=until.isoformat(timespec="minutes"), told=True)
    return bool(changed)


@begun_again
def add_people(transfer: Transfer, wanted: Sequence[tuple[str, str]], settings: Settings) -> list[TransferRecipient]:
    """People (name, address) who get the link too; who has it already is left out. Raises LimitReachedError.

    Their letters follow (`letters.settle`).
    """
    with db.atomic():
        _lock(transfer.id)
        known = {one.address for one in people(transfer)}
        fresh = {address.lower(): name for name, address in wanted if address.lower() not in known}
        if len(known) + len(fresh) > settings.transfers.recipients:
            raise LimitReachedError(f"{settings.transfers.recipients} recipients")
        added = [store.add_recipient(transfer, name, address, settings) for address, name in fresh.items()]
        for one in added:
            trail.note(transfer, EventKind.RECIPIENT_ADDED, recipient=one)
    return added


def remove_person(recipient: TransferRecipient) -> bool:
    """Their link no longer works; whether it did. May be undone."""
    return _removed(recipient, True)


def put_back(recipient: TransferRecipient) -> bool:
    """The link that they have works again."""
    return _removed(recipient, False)


def _lock(number: int) -> None:
    """Keep others from changing a transfer (by `id`) until this transaction ends."""
    Transfer.update(files_gone=Transfer.files_gone).where(Transfer.id == number).execute()


@begun_again
def _removed(recipient: TransferRecipient, gone: bool) -> bool:
    mine = (TransferRecipient.id == recipient.id) & TransferRecipient.removed.is_null(gone)
    with db.atomic():
        _lock(recipient.transfer_id)  # first, as those do with whom it goes
        changed = TransferRecipient.update(removed=now() if gone else None).where(mine).execute()
        if changed:
            kind = EventKind.RECIPIENT_REMOVED if gone else EventKind.RECIPIENT_ADDED
            trail.note(recipient.transfer, kind, recipient=recipient, told=gone)
    return bool(changed)


def remove_file(transfer: Transfer, file: TransferFile, settings: Settings) -> bool:
    """Nobody gets it any more; its bytes go too. Whether it was still there. Raises LastFileError."""
    with db.atomic():
        Transfer.update(files_gone=Transfer.files_gone).where(Transfer.id == transfer.id).execute()  # in turn with other windows
        left = {row.id for row in TransferFile.select(TransferFile.id).where(TransferFile.transfer == transfer)}
        if file.id not in left:
            return False
        if len(left) == 1:
            raise LastFileError(f"transfer {transfer.id} has no other file")
        trail.note(transfer, EventKind.FILE_REMOVED, detail=file.path, told=True)
        store.take_out(file)
    store.drop_bytes(file, settings)
    return True
