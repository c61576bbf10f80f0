"""Additions: files for a transfer that was sent already, gathered beside it, which join it all at once when each is checked.

An addition is a row of `Transfer` with `adds_to`: its uploads, limits and checks are those of all others. It has no link of its
own, and whoever has that of the transfer sees the transfer's own rows: so nothing is half there. Its owner has one for each
window in which they add.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

import peewee as pw

from webmail.config.settings import Settings
from webmail.database import idempotency
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.errors import MailError
from webmail.models import ContentState, Transfer, TransferFile, TransferRecipient, TransferState, now
from webmail.transfers import assembly, limits, links, protection, store, trail
from webmail.transfers.links import LinkKind
from webmail.transfers.protection import Protection
from webmail.transfers.trail import EventKind
from webmail.transfers.uploads import paths

log = logging.getLogger(__name__)

MOST = 10  # of one transfer at once: windows, and what was left unfinished
_NAMED = 450  # characters of names in the trail
_BATCH = 50  # of a sweep, in one go
_IS_ADDITION = Transfer.adds_to.is_null(False)


class Fault(StrEnum):
    """Why nothing can be added."""

    OVER = "over"  # closed, or past its date
    PROTECTION = "protection"  # it has less than is required now
    NAMES = "names"  # encrypted in a browser, without names by which a link could be recognised
    KEY = "key"  # only the link opens it, and this is not that link
    MANY = "many"  # other windows are adding already


class CannotAddError(MailError):
    """Nothing can be added, for a reason."""

    status = 409

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"nothing can be added: {fault}")
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Waiting:
    """An addition with its files."""

    addition: Transfer
    files: list[TransferFile] = field(default_factory=list)

    @property
    def is_sent(self) -> bool:
        """Whether its files join as soon as all are checked."""
        return self.addition.state == TransferState.JOINING

    @property
    def is_held(self) -> bool:
        """Whether a refused file holds the others back."""
        return any(file.content is not None and file.content.state == ContentState.REFUSED for file in self.files)


def fault(transfer: Transfer, settings: Settings) -> Fault | None:
    """Why its owner can't add files to it, whatever key they have; None where they can."""
    if not store.is_offered(transfer) or transfer.request_id is not None:
        return Fault.OVER
    if protection.protection_of(transfer) not in protection.choices(settings):
        return Fault.PROTECTION
    if transfer.end_to_end and not protection.sealed_names(transfer):
        return Fault.NAMES
    return None


def begin(transfer: Transfer, settings: Settings, link_key: bytes | None = None) -> Transfer:
    """An addition without files, protected as the transfer is. Raises CannotAddError, OverLimitError."""
    if (why := fault(transfer, settings)) is not None:
        raise CannotAddError(why)
    if protection.protection_of(transfer) is Protection.LINK and (
        link_key is None or not protection.is_key_of(transfer, link_key)
    ):
        raise CannotAddError(Fault.KEY)
    with db.atomic():
        idempotency.in_turn_together(transfer.owner_id)  # as in `store.add_file`, which also takes this lock first
        limits.count_begun(transfer.owner, settings)
        alive = list(Transfer.select().where((Transfer.adds_to == transfer) & (Transfer.state != TransferState.CLOSED)))
        if len(alive) >= MOST:
            empty = next((one for one in alive if not store.files(one)), None)
            if empty is None:
                raise CannotAddError(Fault.MANY)
            empty.delete_instance()
        nonce = links.new_nonce()
        return Transfer.create(
            owner=transfer.owner,
            adds_to=transfer,
            nonce=nonce,
            link_hash=links.link_hash(links.token(LinkKind.TRANSFER, nonce, settings.secret_key)),
            key_check=transfer.key_check,
            end_to_end=json.dumps({"form": 1}) if transfer.end_to_end else "",
            options=json.dumps({"tell": bool(_told_by_mail(transfer))}),
            expires=now() + timedelta(days=max(settings.transfers.most_days, 1)),
        )


def find(transfer: Transfer, number: int) -> Transfer | None:
    """One of its additions. One SELECT."""
    found: Transfer | None = Transfer.get_or_none((Transfer.id == number) & (Transfer.adds_to == transfer))
    return found


def waiting(transfer: Transfer) -> list[Waiting]:
    """Those of a transfer that have files, the oldest first. Two SELECTs, one where there are none."""
    rows = (
        Transfer.select().where((Transfer.adds_to == transfer) & (Transfer.state != TransferState.CLOSED)).order_by(Transfer.id)
    )
    found = {row.id: Waiting(row) for row in rows}
    for file in store.files(*(one.addition for one in found.values())) if found else []:
        found[file.transfer_id].files.append(file)
    return [one for one in found.values() if one.files]


def tells(addition: Transfer) -> bool:
    """Whether recipients are told by mail."""
    return bool(json.loads(addition.options or "{}").get("tell"))


def set_tells(addition: Transfer, wanted: bool) -> None:
    addition.options = json.dumps({"tell": wanted})
    Transfer.update(options=addition.options).where(Transfer.id == addition.id).execute()


@begun_again
def submit(addition: Transfer) -> bool:
    """Let its files join the transfer as soon as all are checked (`settle`); False where one is not whole, or was refused.

    Raises CannotAddError.
    """
    with db.atomic():
        idempotency.in_turn_together(addition.owner_id)
        if addition.adds_to_id is None or not store.hold_offered(addition.adds_to_id):
            raise CannotAddError(Fault.OVER)
        files = store.files(addition)
        if not files or not all(assembly.is_whole(file) for file in files):
            return False
        mine = (Transfer.id == addition.id) & (Transfer.state == TransferState.OPEN)
        Transfer.update(state=TransferState.JOINING).where(mine).execute()  # or by another click
    return True


@begun_again
def settle(addition: Transfer) -> bool:
    """Let its files join if that is asked for and all are checked; whether they did now. The letters follow (`letters.settle`).

    Of many who ask at once one does it, and all of it or nothing: recipients never see some of the files.
    """
    if not _are_checked(store.files(addition)):  # most often, and then nobody is held up
        return False
    with db.atomic():
        idempotency.in_turn_together(addition.owner_id)
        if addition.adds_to_id is None or not store.hold_offered(addition.adds_to_id):
            return False
        mine = (Transfer.id == addition.id) & (Transfer.state == TransferState.JOINING)
        if not Transfer.update(state=TransferState.JOINING).where(mine).execute():
            return False
        files = store.files(addition)
        if not _are_checked(files):
            return False
        _join(Transfer.get_by_id(addition.id), files)
    return True


def _are_checked(files: Sequence[TransferFile]) -> bool:
    return bool(files) and all(file.content is not None and file.content.state == ContentState.READY for file in files)


def _join(addition: Transfer, files: Sequence[TransferFile]) -> None:
    """In a transaction that holds both."""
    transfer, at = addition.adds_to, now()
    known = store.files(transfer)
    taken, first = {one.path for one in known}, max((one.position for one in known), default=-1) + 1
    position = TransferFile.position + first
    TransferFile.update(transfer=transfer, added=at, position=position).where(TransferFile.transfer == addition).execute()
    names = []
    for place, file in enumerate(files):
        path = paths.free(f"{first + place + 1}.sealed" if transfer.end_to_end else file.path, taken)
        if path != file.path:
            TransferFile.update(path=path).where(TransferFile.id == file.id).execute()
        taken.add(path)
        names.append(path)
    if transfer.end_to_end and (sealed := protection.sealed_names(addition)):
        protection.add_sealed_names(transfer, sealed)
    told = _told_by_mail(transfer) if tells(addition) else []
    since = pw.fn.COALESCE(TransferRecipient.news, at)
    for one in told:
        TransferRecipient.update(news=since).where(TransferRecipient.id == one.id).execute()
    Transfer.update(all_told=0).where(Transfer.id == transfer.id).execute()  # nobody has everything any more
    only = files[0] if len(files) == 1 else None
    trail.note(transfer, EventKind.FILES_ADDED, file=only, detail=_detail(names), told=not told)
    Transfer.delete().where(Transfer.id == addition.id).execute()


def _detail(names: Sequence[str]) -> str:
    """How many, and the first of their names, as the trail has it."""
    shown, room = [names[0][:_NAMED]], _NAMED - len(names[0])
    for name in names[1:]:
        room -= len(name) + 1
        if room < 0:
            break
        shown.append(name)
    return "\n".join([str(len(names)), *shown])


def _told_by_mail(transfer: Transfer) -> list[TransferRecipient]:
    """Recipients who had the link already: the others get it with all files."""
    had = TransferRecipient.removed.is_null() & TransferRecipient.notified.is_null(False)
    return list(TransferRecipient.select().where((TransferRecipient.transfer == transfer) & had))


# --- the worker ------------------------------------------------------------------------------------------------------


def settle_all() -> int:
    """Let join whatever was waiting for its check; returns how many did. One SELECT where nothing waits."""
    return sum(settle(one) for one in list(_joining().order_by(Transfer.id).limit(_BATCH * 10)))


def pending() -> list[pw.Query]:
    """What `sweep` looks at, but for what nobody has gone on with for days."""
    return [_joining(), _left_alone()]


def _joining() -> Any:
    return Transfer.select().where(_IS_ADDITION & (Transfer.state == TransferState.JOINING))


def _left_alone() -> Any:
    """The files of what they are added to are gone."""
    parent = Transfer.alias()
    gone = Transfer.adds_to.in_(parent.select(parent.id).where(parent.files_gone == 1))
    return Transfer.select().where(_IS_ADDITION & (Transfer.state != TransferState.CLOSED) & gone)


def sweep() -> None:
    """Do what was left, and end what is over, with its transfer or without a byte for days. `store.sweep` deletes the files."""
    settle_all()
    for addition in list(_left_alone().limit(_BATCH)):
        store.close(addition, "date")
    idle = _IS_ADDITION & (Transfer.state == TransferState.OPEN) & (Transfer.created < now() - store.ABANDONED)
    for addition in list(Transfer.select().where(idle).limit(_BATCH)):
        if not store.has_recent_upload(addition):
            store.close(addition, "date", still=idle)  # its owner may go on at this moment
    over = Transfer.select(Transfer.id).where(_IS_ADDITION & (Transfer.files_gone == 1)).limit(_BATCH)
    Transfer.delete().where(Transfer.id << [row.id for row in over]).execute()
