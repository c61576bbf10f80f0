"""Handover: transfers that go to FileSender instead of being given out here: from the click on *Send* to their end there.

A transfer that was handed over is HANDED: its link here does not work. Its files stay until FileSender has them all; if it does
not take them, the transfer is put together again, with what was typed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import peewee as pw

from webmail import vault
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.filesender.client import RemoteRefusal, RemoteTransfer
from webmail.late_calls import late_call
from webmail.models import (
    ContentState,
    DeliveryState,
    FilesenderDelivery,
    Task,
    TaskState,
    Transfer,
    TransferFile,
    TransferState,
    now,
)
from webmail.tasks import store as tasks
from webmail.transfers import assembly, store
from webmail.transfers.options import TransferOptions
from webmail.transfers.other_server import NotThereError

KIND = "filesender"  # of the task that brings files there
_PURPOSE = "filesender delivery"
_BATCH = 50
_UNDER_WAY = (DeliveryState.WAITING, DeliveryState.ENDING)
_tell = late_call("webmail.filesender.notifications.refused:queue")  # its words know this module
_LAPSE = timedelta(minutes=2)  # after which a delivery without a task is looked at again


class Stop(StrEnum):
    """Why files did not get to FileSender, besides what it says itself (`client.RemoteRefusal`)."""

    CANCELLED = "cancelled"
    AWAY = "away"  # it did not answer for hours
    NO_ACCESS = "no-access"  # nothing to sign with, any more
    HARMFUL = "harmful"  # a file was refused by our own check
    BROKE = "broke"


def check(transfer: Transfer, options: TransferOptions, files: Iterable[TransferFile]) -> None:
    """Raises NotThereError for what was chosen and FileSender does not know."""
    if transfer.end_to_end or transfer.key_check or any(file.content and file.content.key_in_link for file in files):
        raise NotThereError("key")
    if transfer.password:
        raise NotThereError("password")
    if options.once:
        raise NotThereError("once")


def take(
    transfer: Transfer, options: TransferOptions, expires: datetime, people: list[tuple[str, str]], settings: Settings,
    *, looked_at: Iterable[TransferFile] | None = None,
) -> None:  # fmt: skip
    """Hand a transfer over. Its files leave once they are checked. Raises as `store.publish` does, and NotThereError."""
    files = list(looked_at) if looked_at is not None else store.files(transfer)
    check(transfer, options, files)
    typed = json.dumps(assembly.typed(transfer))
    with db.atomic():
        store.publish(transfer, options, expires, people, settings, looked_at=looked_at, state=TransferState.HANDED)
        FilesenderDelivery.delete().where(FilesenderDelivery.transfer == transfer).execute()  # of an earlier try
        FilesenderDelivery.create(transfer=transfer, people=json.dumps([address for _name, address in people]), typed=typed)


def of_transfer(transfer: Transfer) -> FilesenderDelivery | None:
    """1 query."""
    found: FilesenderDelivery | None = FilesenderDelivery.get_or_none(FilesenderDelivery.transfer == transfer)
    return found


def of_remote(owner_id: int, remote: int) -> FilesenderDelivery | None:
    """That of a transfer of FileSender's, where it was sent from here. 1 query."""
    rows = FilesenderDelivery.select(FilesenderDelivery, Transfer).join(Transfer)
    found: FilesenderDelivery | None = rows.where(FilesenderDelivery.remote == remote, Transfer.owner == owner_id).first()
    return found


def why_not(transfer: Transfer) -> str:
    """Why FileSender did not take it the last time, as a word; "" where it was never asked. 1 query."""
    found = of_transfer(transfer)
    return found.problem if found is not None and found.state == DeliveryState.STOPPED else ""


def is_there(transfer: Transfer) -> bool:
    """Whether FileSender gives it out. 1 query."""
    found = of_transfer(transfer)
    return found is not None and found.state == DeliveryState.SENT


def recall(transfer: Transfer) -> bool:
    """Have it back to be changed, if it is not there yet."""
    found = of_transfer(transfer)
    if found is not None and found.state == DeliveryState.WAITING:
        cancel(found)
        forget(transfer)
    return assembly.is_open(transfer)


def hashes(transfer: Transfer, settings: Settings) -> dict[str, str]:
    """SHA-256 of its files by their `id`, as they were sent from here. 1 query."""
    found = of_transfer(transfer)
    told = opened(found, transfer.owner_id, settings).get("hashes", "") if found is not None else ""
    return dict(json.loads(told)) if told else {}


def names_here(owner_id: int, remote: int) -> dict[str, str]:
    """Files of a transfer at FileSender that have another name there: theirs here, by that. 1 query."""
    found = of_remote(owner_id, remote)
    return {str(there): str(here) for here, there in json.loads(found.names).items()} if found is not None else {}


def link_of(transfer: Transfer, settings: Settings) -> str:
    """The address of its page at FileSender; "" where it has none (yet). 1 query."""
    found = of_transfer(transfer)
    return str(opened(found, transfer.owner_id, settings).get("link", "")) if found is not None else ""


def percent(delivery: FilesenderDelivery) -> int:
    """How much of it is there. 1 query."""
    task = _task(delivery)
    return min(100 * task.progress // task.total, 100) if task is not None and task.total else 0


def addresses(delivery: FilesenderDelivery) -> list[str]:
    return [str(one) for one in json.loads(delivery.people)]


# --- what is kept sealed ---------------------------------------------------------------------------------------------


def keep(delivery: FilesenderDelivery, secret: dict[str, str], settings: Settings, **values: Any) -> None:
    """Write what nobody may read in a copy of the database, and other columns. One UPDATE."""
    sealed = vault.seal_secret(json.dumps(secret).encode(), settings.secret_key, _PURPOSE, delivery.transfer.owner_id)
    put(delivery, secret=sealed, **values)


def opened(delivery: FilesenderDelivery, owner_id: int, settings: Settings) -> dict[str, str]:
    """The same; empty where nothing is, or it can't be opened any more."""
    if not delivery.secret:
        return {}
    try:
        return dict(json.loads(vault.open_secret(bytes(delivery.secret), settings.secret_key, _PURPOSE, owner_id)))
    except vault.CannotOpenError:
        return {}


def put(delivery: FilesenderDelivery, **values: Any) -> None:
    """One UPDATE."""
    values["changed"] = now()
    FilesenderDelivery.update(values).where(FilesenderDelivery.id == delivery.id).execute()
    for column, value in values.items():
        setattr(delivery, column, value)


# --- what becomes of it ----------------------------------------------------------------------------------------------


def arrived(delivery: FilesenderDelivery, remote: RemoteTransfer, settings: Settings) -> None:
    """FileSender has it all: the files here go, and its date there is the one that counts."""
    transfer: Transfer = delivery.transfer
    sums = {str(file.id): file.content.sha256 for file in store.files(transfer) if file.content is not None}
    with db.atomic():
        keep(
            delivery,
            {"link": remote.link, "hashes": json.dumps(sums)},
            settings,
            state=DeliveryState.SENT,
            problem="",
            remote=remote.id,
        )
        store.keep_until(transfer, remote.expires, TransferState.HANDED)
        store.note_mailed(transfer)
    store.release(transfer, settings)


def ending(delivery: FilesenderDelivery) -> bool:
    """The last call is made now; False where it was stopped meanwhile. One UPDATE."""
    rows = FilesenderDelivery.update(state=DeliveryState.ENDING, changed=now())
    return bool(rows.where((FilesenderDelivery.id == delivery.id) & FilesenderDelivery.state.in_(_UNDER_WAY)).execute())


def stopped(delivery: FilesenderDelivery, problem: str, *states: DeliveryState) -> None:
    """It did not get there: let it be put together again. Of two who say so, the first. `states`: in which it may be."""
    known = FilesenderDelivery.state.in_(states or _UNDER_WAY)
    waiting = (FilesenderDelivery.id == delivery.id) & known
    new = {"state": DeliveryState.STOPPED, "problem": problem[:30], "task": "", "changed": now()}
    with db.atomic():
        if FilesenderDelivery.update(new).where(waiting).execute() and store.take_back(transfer := delivery.transfer):
            if problem != Stop.CANCELLED:
                _tell(delivery, problem)
            typed = json.loads(delivery.typed)
            assembly.keep_typed(transfer, typed, subject=transfer.subject, message=transfer.message)


def cancel(delivery: FilesenderDelivery) -> None:
    """Its owner thinks better of it while it is on its way. The task notices at its next step."""
    if (task := _task(delivery)) is not None:
        tasks.cancel(delivery.transfer.owner, task.id)
    stopped(delivery, Stop.CANCELLED, DeliveryState.WAITING)


def is_wanted(delivery: FilesenderDelivery) -> bool:
    """Whether it is still to go there. 1 query."""
    rows = FilesenderDelivery.select(FilesenderDelivery.id).join(Transfer)
    wanted = FilesenderDelivery.state.in_(_UNDER_WAY) & (Transfer.state == TransferState.HANDED)
    return rows.where((FilesenderDelivery.id == delivery.id) & wanted).exists()


def forget(transfer: Transfer) -> None:
    """The next try begins anew."""
    stopped_one = FilesenderDelivery.state == DeliveryState.STOPPED
    FilesenderDelivery.delete().where((FilesenderDelivery.transfer == transfer) & stopped_one).execute()


# --- for the worker --------------------------------------------------------------------------------------------------


def pending(_settings: Settings) -> list[pw.Query]:
    """What `begin_all` looks at, and `to_close`."""
    return [FilesenderDelivery.select(FilesenderDelivery.id).where(_idle()), _closing(FilesenderDelivery.id)]


def begin_all(settings: Settings) -> int:
    """Start a task for each delivery whose files are checked, and settle those whose task ended without them. How many began."""
    begun = 0
    for delivery in list(_with_transfers().where(_idle()).limit(_BATCH)):
        task = _task(delivery)
        if task is not None and task.state in tasks.OPEN:
            put(delivery)  # looked at again after a while
        elif task is not None and delivery.state == DeliveryState.ENDING:
            put(delivery, task="")  # whether others can download is not known before it is asked again
        elif task is not None:
            stopped(delivery, _reason(task))
        else:
            begun += begin(delivery, settings)
    return begun


def begin(delivery: FilesenderDelivery, _settings: Settings) -> bool:
    """Start the task, where its files are checked. Where one was refused, it stops."""
    if delivery.state == DeliveryState.ENDING:
        return _started(delivery)
    states = {file.content.state if file.content else ContentState.DELETED for file in store.files(delivery.transfer)}
    if states & {ContentState.REFUSED, ContentState.DELETED}:
        stopped(delivery, Stop.HARMFUL if ContentState.REFUSED in states else Stop.BROKE)
        return False
    return not states - {ContentState.READY} and _started(delivery)


def _started(delivery: FilesenderDelivery) -> bool:
    try:
        with db.atomic():
            task = tasks.start(delivery.transfer.owner, KIND, {"delivery": delivery.id})
            put(delivery, task=task.id)
    except LimitReachedError:
        put(delivery)  # when others of theirs are over
        return False
    return True


def to_close() -> list[FilesenderDelivery]:
    """What was ended here, by its owner or an administrator, and stands there still. 1 query."""
    return list(_closing(FilesenderDelivery, Transfer).limit(_BATCH))


def _task(delivery: FilesenderDelivery) -> Task | None:
    """1 query, where there was one."""
    with suppress(tasks.NoSuchTaskError):
        return tasks.find(delivery.transfer.owner, delivery.task) if delivery.task else None
    return None


def _closing(*columns: Any) -> Any:
    rows = FilesenderDelivery.select(*columns).join(Transfer)
    stands = (FilesenderDelivery.state == DeliveryState.SENT) & (Transfer.closed_by != "date")
    return rows.where((Transfer.state == TransferState.CLOSED) & (stands | FilesenderDelivery.state.in_(_UNDER_WAY)))


def _idle() -> Any:
    late = FilesenderDelivery.changed < now() - _LAPSE
    return FilesenderDelivery.state.in_(_UNDER_WAY) & ((FilesenderDelivery.task == "") | late)


def _with_transfers() -> Any:
    return FilesenderDelivery.select(FilesenderDelivery, Transfer).join(Transfer).order_by(FilesenderDelivery.id)


def _reason(task: Task) -> str:
    if task.state == TaskState.CANCELLED:
        return Stop.CANCELLED
    known = {*RemoteRefusal, *Stop}
    return task.error if task.error in known else Stop.AWAY if task.error.endswith("away") else Stop.BROKE
