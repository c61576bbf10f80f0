"""Transfers: files behind a link, from the first upload to the day they are gone. The bytes: `content.py`.

Whoever may see what is decided by the views; here a transfer is an argument.
"""

from __future__ import annotations

import logging
import math
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import peewee as pw

from webmail.config.settings import Settings
from webmail.database import idempotency
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.errors import MailError
from webmail.models import (
    DriveState,
    FileRequest,
    FileRequestInvite,
    StoredContent,
    Transfer,
    TransferEvent,
    TransferFile,
    TransferRecipient,
    TransferState,
    User,
    now,
)
from webmail.storage import StorageAwayError
from webmail.transfers import content, limits, links, trail
from webmail.transfers.links import LinkKind
from webmail.transfers.options import TransferOptions, written
from webmail.transfers.trail import EventKind
from webmail.transfers.uploads import paths

log = logging.getLogger(__name__)

ABANDONED = timedelta(days=3)  # without another byte: what is still open is given up
REMEMBERED = timedelta(days=90)  # how long a closed transfer and its trail are shown
UNDO = timedelta(minutes=10)  # for how long the files of what its owner closed are kept, should that have been a mistake
_PURGE_AFTER = UNDO + timedelta(minutes=1)  # clocks of several machines differ
_BATCH = 50  # of a sweep, in one go


class TransferClosedError(MailError):
    """It was ended meanwhile, by its owner on another page, by an administrator or by its date."""

    status = 410


class FilesChangedError(MailError):
    """It has other files than those that were looked at before it was to be sent; nothing was."""

    status = 409


@dataclass(frozen=True, slots=True)
class Opened:
    """What a public link leads to; `recipient` where it is somebody's own."""

    transfer: Transfer
    recipient: TransferRecipient | None


def create(
    owner: User, settings: Settings, *, request: FileRequest | None = None, invite: FileRequestInvite | None = None,
    link_key: bytes | None = None, draft_id: str = "",
) -> Transfer:  # fmt: skip
    """An open transfer without files. Raises OverLimitError where the owner has too many."""
    limits.check_count(owner, settings, from_guests=request is not None)
    nonce = links.new_nonce()
    days = (request.days if request is not None else 0) or settings.transfers.days
    return Transfer.create(
        owner=owner,
        request=request,
        invite=invite,
        nonce=nonce,
        link_hash=links.link_hash(links.token(LinkKind.TRANSFER, nonce, settings.secret_key)),
        language=owner.language,
        key_check=links.link_hash(link_key.hex()) if link_key is not None else "",
        draft_id=draft_id,
        options=written(TransferOptions()),
        expires=now() + timedelta(days=days),
    )


def add_file(
    transfer: Transfer, path: str, size: int, media_type: str, settings: Settings, *, link_key: bytes | None = None,
    most_bytes: int = 0, most_files: int = 0,
) -> TransferFile:  # fmt: skip
    """A file of which no byte is there yet. The path is made harmless (`paths.clean`), and another one if it is taken.

    Raises OverLimitError, and TransferClosedError: bytes may come for hours, so the caller's row may be an old one.
    """
    cleaned = paths.clean(path)
    with db.atomic():
        idempotency.in_turn_together(transfer.owner_id)  # files that come at once count in turn
        if not lock(transfer):
            raise TransferClosedError(f"transfer {transfer.id} takes no more files")
        limits.check_file(transfer, cleaned, size, settings, most_bytes=most_bytes, most_files=most_files)
        known = TransferFile.select(TransferFile.path).where(TransferFile.transfer == transfer)
        position = known.count()
        if transfer.end_to_end:  # its name is sealed too, in the file
            cleaned, media_type = f"{position + 1}.sealed", ""
        taken = {row.path for row in known} if known.where(TransferFile.path == cleaned).exists() else set()
        fresh = content.begin(transfer.owner, size, settings, link_key)
        return TransferFile.create(
            transfer=transfer,
            content=fresh,
            upload=secrets.token_hex(16),
            path=paths.free(cleaned, taken),
            media_type=media_type[:180] or "application/octet-stream",
            size=size,
            position=position,
        )


def files(*transfers: Transfer) -> list[TransferFile]:
    """The files of these transfers with their contents, in order. One SELECT."""
    rows = TransferFile.select(TransferFile, StoredContent).left_outer_join(StoredContent)
    return list(rows.where(TransferFile.transfer << transfers).order_by(TransferFile.position, TransferFile.id))


def file_of(transfer: Transfer, *, upload: str = "", path: str = "") -> TransferFile | None:
    """The file of a transfer by its identifier or by its path, as it was made harmless. One SELECT."""
    rows = TransferFile.select(TransferFile, StoredContent).left_outer_join(StoredContent)
    which = TransferFile.upload == upload if upload else TransferFile.path == paths.clean(path)
    found: TransferFile | None = rows.where((TransferFile.transfer == transfer) & which).first()
    return found


def remove_file(file: TransferFile, settings: Settings) -> None:
    """Take a file out of its transfer; the trail keeps its name, of what was downloaded too. Its bytes go now, or with the next
    sweep where the storage is away.
    """
    with db.atomic():
        take_out(file)
    drop_bytes(file, settings)


def take_out(file: TransferFile) -> bool:
    """The first half of `remove_file`, in a transaction; whether nobody had done it before. `drop_bytes` follows it."""
    # a download without a file is one of all of them
    fetched = (TransferEvent.file == file) & (TransferEvent.kind == EventKind.DOWNLOADED)
    TransferEvent.update(detail=file.path[:500]).where(fetched).execute()
    return bool(file.delete_instance())


def drop_bytes(file: TransferFile, settings: Settings) -> None:
    """Delete the bytes of a file that was taken out, unless another has the same."""
    if file.content is not None:
        _drop(file.content, settings)


def publish(
    transfer: Transfer, options: TransferOptions, expires: datetime, recipients: list[tuple[str, str]], settings: Settings,
    *, looked_at: Iterable[TransferFile] | None = None, state: TransferState = TransferState.READY,
) -> None:  # fmt: skip
    """Give it to others: its link works, as soon as its files do. `recipients`: (name, address) of each; `looked_at`: the files
    that it is known to have, since a form in another window may bring more at this moment. `state`: HANDED, where another server
    gives it out.

    Raises TransferClosedError where it is not open (any more), FilesChangedError.
    """
    values = {
        "options": written(options),
        "expires": min(expires, now() + timedelta(days=settings.transfers.most_days)),
        "state": state,
        "published": now(),
    }
    with db.atomic():
        if not Transfer.update(values).where((Transfer.id == transfer.id) & (Transfer.state == TransferState.OPEN)).execute():
            raise TransferClosedError(f"transfer {transfer.id} is not open")
        known = {file.id for file in files(transfer)}  # from here on none comes: `hold`
        if looked_at is not None and known != {file.id for file in looked_at}:
            raise FilesChangedError(f"transfer {transfer.id} has other files by now")
        for column, value in values.items():
            setattr(transfer, column, value)
        for name, address in recipients:
            add_recipient(transfer, name, address, settings)
        kind = EventKind.PUBLISHED if transfer.request_id is None else EventKind.ARRIVED
        trail.note(transfer, kind, detail=str(len(known)), told=state == TransferState.HANDED)  # the other server tells


def take_back(transfer: Transfer) -> bool:
    """Let what another server did not take be put together again; False where it was closed meanwhile."""
    handed = (Transfer.id == transfer.id) & (Transfer.state == TransferState.HANDED)
    with db.atomic():
        if not Transfer.update(state=TransferState.OPEN, published=None).where(handed).execute():
            return False
        kept = TransferFile.select(TransferFile.content).where(TransferFile.transfer == transfer)
        StoredContent.update(touched=now()).where(StoredContent.id << kept).execute()  # from now on it has some days
        TransferEvent.delete().where((TransferEvent.transfer == transfer) & (TransferEvent.kind == EventKind.PUBLISHED)).execute()
    transfer.state, transfer.published = TransferState.OPEN, None
    return True


def note_mailed(transfer: Transfer) -> None:
    """Another server wrote to its recipients, who count for how many somebody may write to."""
    fresh = (TransferRecipient.transfer == transfer) & TransferRecipient.notified.is_null()
    TransferRecipient.update(notified=now()).where(fresh).execute()


def release(transfer: Transfer, settings: Settings) -> None:
    """Drop the bytes of what another server has: its files keep their names and sizes."""
    for file in files(transfer):
        stored = file.content
        if stored is not None:
            TransferFile.update(content=None).where(TransferFile.id == file.id).execute()
            _drop(stored, settings)


def add_recipient(transfer: Transfer, name: str, address: str, settings: Settings) -> TransferRecipient:
    """Somebody with a link of their own; one who was removed gets a new one. Their mail is another matter (`letters`)."""
    nonce = links.new_nonce()
    fields = {
        "name": name[:190],
        "nonce": nonce,
        "link_hash": links.link_hash(links.token(LinkKind.RECIPIENT, nonce, settings.secret_key)),
    }
    found = TransferRecipient.get_or_none(
        (TransferRecipient.transfer == transfer) & (TransferRecipient.address == address.lower())
    )
    if found is None:
        return TransferRecipient.create(transfer=transfer, address=address.lower(), **fields)
    if found.removed is not None:
        found.removed = found.notified = None
        found.nonce, found.link_hash = fields["nonce"], fields["link_hash"]
        # no more than that: a download of theirs may be counted at this moment
        found.save(only=["removed", "notified", "nonce", "link_hash"])
    return found


def link_token(transfer: Transfer, settings: Settings) -> str:
    """The token of its public address."""
    return links.token(LinkKind.TRANSFER, transfer.nonce, settings.secret_key)


def recipient_token(recipient: TransferRecipient, settings: Settings) -> str:
    return links.token(LinkKind.RECIPIENT, recipient.nonce, settings.secret_key)


def by_token(given: str) -> Opened | None:
    """What a token opens: a transfer that was published and is neither closed nor past its date. At most three SELECTs."""
    if not given:
        return None
    hashed = links.link_hash(given)
    transfer = Transfer.get_or_none(Transfer.link_hash == hashed)
    recipient = None
    if transfer is None:
        recipient = (
            TransferRecipient.select(TransferRecipient, Transfer)
            .join(Transfer)
            .where((TransferRecipient.link_hash == hashed) & TransferRecipient.removed.is_null())
            .first()
        )
        transfer = recipient.transfer if recipient is not None else None
    return Opened(transfer, recipient) if transfer is not None and is_offered(transfer) else None


def keep_until(transfer: Transfer, until: datetime, *states: TransferState) -> bool:
    """Give it another last day while it is in one of these states; False if it is not."""
    still = (Transfer.id == transfer.id) & Transfer.state.in_(states)
    return bool(Transfer.update(expires=until).where(still).execute())


def name(transfer: Transfer, subject: str) -> None:
    """Give it the subject of the message that it goes with."""
    Transfer.update(subject=subject[:200]).where(Transfer.id == transfer.id).execute()


def set_drive(transfer: Transfer, state: str, facts: str) -> None:
    """Where its files stand on a drive of their owner (`DriveState`, "" for here), and what is known of that. One UPDATE."""
    Transfer.update(drive_state=state, drive=facts).where(Transfer.id == transfer.id).execute()
    transfer.drive_state, transfer.drive = state, facts


def going_to_drives(*columns: Any) -> Any:
    """Transfers with files that are to go to a drive of their owner, as a query; all columns where none is named."""
    return Transfer.select(*columns).where(Transfer.drive_state == DriveState.WAITING)


def set_held(file: TransferFile, held: bool) -> None:
    """Whether a file waits for its owner to say that it may go as a link."""
    TransferFile.update(held=int(held)).where(TransferFile.id == file.id).execute()


def rename(file: TransferFile, path: str) -> None:
    """`path`: of a file of the same transfer that is gone."""
    TransferFile.update(path=path).where(TransferFile.id == file.id).execute()


def is_offered(transfer: Transfer) -> bool:
    """Whether its link works today."""
    return transfer.state == TransferState.READY and transfer.expires > now()


@begun_again
def close(transfer: Transfer, by: str, reason: str = "", *, still: pw.Expression | None = None) -> bool:
    """End it: nobody gets anything from now on, and a sweep deletes its files. Whether it was not closed before.

    `by`: owner (who may think better of it for a while: `reopen`), date or admin (with a reason for its owner). `still`: what
    must be true of the row at that moment.
    """
    open_one = (Transfer.id == transfer.id) & (Transfer.state != TransferState.CLOSED)
    if still is not None:
        open_one &= still
    values = {"state": TransferState.CLOSED, "closed": now(), "closed_by": by, "closed_reason": reason[:300]}
    with db.atomic():
        changed = Transfer.update(values).where(open_one).execute()
        if changed:
            told = transfer.state == TransferState.HANDED  # by the server that gave it out
            trail.note(transfer, EventKind.CLOSED, detail=by, told=told)
    if changed:
        for name, value in values.items():
            setattr(transfer, name, value)
    return bool(changed)


@begun_again
def reopen(transfer: Transfer) -> bool:
    """Take back that its owner closed it, as long as its files are there; whether that was so."""
    lately = (Transfer.state == TransferState.CLOSED) & (Transfer.closed_by == "owner") & (Transfer.closed > now() - UNDO)
    mine = (Transfer.id == transfer.id) & (Transfer.files_gone == 0) & (Transfer.expires > now()) & lately
    before = TransferState.READY if transfer.published is not None else TransferState.OPEN
    with db.atomic():
        changed = Transfer.update(state=before, closed=None, closed_by="").where(mine).execute()
        if changed:
            of_closing = (TransferEvent.transfer == transfer) & (TransferEvent.kind == EventKind.CLOSED)
            TransferEvent.update(told=1).where(of_closing).execute()
            trail.note(transfer, EventKind.REOPENED, told=True)
    return bool(changed)


def purge(transfer: Transfer, settings: Settings, seconds: float = math.inf) -> bool:
    """Delete the files of a closed transfer; whether all are gone. The next sweep goes on after `seconds`, of which ten thousand
    files take hundreds, and where a storage is away.
    """
    end = time.monotonic() + seconds
    for file in files(transfer):
        stored = file.content
        if stored is None:
            continue
        if time.monotonic() >= end:
            return False
        TransferFile.update(content=None).where(TransferFile.id == file.id).execute()
        if not _drop(stored, settings):
            return False
    if Transfer.update(files_gone=1).where((Transfer.id == transfer.id) & (Transfer.files_gone == 0)).execute():
        trail.note(transfer, EventKind.DELETED, told=True)
    return True


def sweep(settings: Settings, seconds: float = math.inf) -> int:
    """End what is past its date, delete what is over, forget what is long over. Returns how many transfers were deleted: what is
    left after `seconds` waits for the next sweep.

    Any number of workers may do it at once: each step is done by one of them, or twice without harm.
    """
    past = _past()
    # lists: while rows are still being read, SQLite writes nothing once another process did
    for transfer in list(Transfer.select().where(past).limit(_BATCH)):
        close(transfer, "date", still=past)  # its owner may extend it at this moment
    # those of a message that is being written stay as long as its draft does; what is added to another: `additions.sweep`
    mine = (Transfer.draft_id == "") & Transfer.adds_to.is_null()
    idle = (Transfer.state == TransferState.OPEN) & (Transfer.created < now() - ABANDONED) & mine
    for transfer in list(Transfer.select().where(idle).limit(_BATCH)):
        if not has_recent_upload(transfer):
            close(transfer, "date", still=idle)  # or send it
    end, gone = time.monotonic() + seconds, 0
    for transfer in list(Transfer.select().where(_for_good()).order_by(Transfer.closed).limit(_BATCH)):
        if (left := end - time.monotonic()) <= 0:
            break
        gone += purge(transfer, settings, left)
    _drop_orphans(settings)
    old = (Transfer.files_gone == 1) & (Transfer.closed < now() - REMEMBERED)
    Transfer.delete().where(Transfer.id << Transfer.select(Transfer.id).where(old).limit(_BATCH)).execute()
    return gone


def has_recent_upload(transfer: Transfer) -> bool:
    """Whether bytes came lately."""
    rows = TransferFile.select(TransferFile.id).join(StoredContent)
    return rows.where((TransferFile.transfer == transfer) & (StoredContent.touched > now() - ABANDONED)).exists()


def pending() -> list[pw.Query]:
    """What `sweep` ends or deletes, but for what nobody has gone on with for days."""
    return [Transfer.select(Transfer.id).where(_past()), Transfer.select(Transfer.id).where(_for_good())]


def _past() -> Any:
    return Transfer.state.in_((TransferState.READY, TransferState.HANDED)) & (Transfer.expires <= now())


def _for_good() -> Any:
    """Closed, and nobody can open it again: its files go."""
    for_good = (Transfer.closed_by != "owner") | (Transfer.closed < now() - _PURGE_AFTER)
    return (Transfer.state == TransferState.CLOSED) & (Transfer.files_gone == 0) & for_good


def _drop_orphans(settings: Settings) -> None:
    """Contents that no file has: of a transfer whose rows went first, or of a worker that was killed."""
    # not NOT IN: where there are hundreds of thousands, PostgreSQL would read all of them for each
    named = TransferFile.select(TransferFile.id).where(TransferFile.content == StoredContent.id)
    over = (StoredContent.touched < now() - timedelta(hours=1)) & ~pw.fn.EXISTS(named)
    for stored in list(StoredContent.select().where(over).limit(_BATCH)):
        _drop(stored, settings)


def _drop(stored: StoredContent, settings: Settings) -> bool:
    try:
        content.drop_if_unused(stored, settings)
    except StorageAwayError as error:
        log.warning("content %s stays for now: %s", stored.name, error)
        return False
    return True


def lock(transfer: Transfer) -> bool:
    """Keep others from changing it until this transaction ends; whether it was not closed before, or sent since its row was read.

    Of an addition: whether it is still put together, and what it adds to is still offered, which is held first.
    """
    standing = (Transfer.id == transfer.id) & (Transfer.state != TransferState.CLOSED)
    if transfer.adds_to_id is not None and not hold_offered(transfer.adds_to_id):
        return False
    if transfer.adds_to_id is not None or transfer.state == TransferState.OPEN:  # as what it was taken for
        standing &= Transfer.state == TransferState.OPEN
    return bool(Transfer.update(files_gone=Transfer.files_gone).where(standing).execute())


def hold_offered(number: int) -> bool:
    """The same for a transfer that was sent; whether its link works."""
    offered = (Transfer.id == number) & (Transfer.state == TransferState.READY) & (Transfer.expires > now())
    return bool(Transfer.update(files_gone=Transfer.files_gone).where(offered).execute())


def is_over(transfer: Transfer) -> bool:
    """Whether it takes no bytes any more: it was closed or is past its date, or what it adds to is."""
    if transfer.state == TransferState.CLOSED or transfer.expires <= now():
        return True
    return transfer.adds_to_id is not None and not is_offered(transfer.adds_to)


def last_events(transfer: Transfer, most: int = 200) -> list[TransferEvent]:
    """The newest first. One SELECT."""
    rows = TransferEvent.select(TransferEvent, TransferRecipient, TransferFile)
    rows = rows.left_outer_join(TransferRecipient).switch(TransferEvent).left_outer_join(TransferFile)
    return list(rows.where(TransferEvent.transfer == transfer).order_by(TransferEvent.id.desc()).limit(most))
