"""Large files of a draft, which its message carries as a link: a transfer of their own, which nobody sees before that leaves.

What changes them stands in `large_changes.py`, how the message names them in `link_block.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from webmail.compose.large_files import drive_facts, filesender_calls
from webmail.config.settings import Settings
from webmail.database.prepared import Prepared
from webmail.errors import MailError
from webmail.models import ContentState, DraftRow, Transfer, TransferFile, TransferState, User, now
from webmail.people import policies
from webmail.transfers import assembly, copies, options, store
from webmail.transfers.limits import OverLimitError

log = logging.getLogger(__name__)

_STANDS = (TransferState.OPEN, TransferState.READY, TransferState.HANDED)
_GONE_AFTER = timedelta(hours=1)  # a form's first request makes the draft and the transfer at the same time
_BATCH = 50


class FileState(StrEnum):
    """How far the files of a message have come; the first that holds."""

    CLOSED = "closed"  # the transfer was ended: by its owner on another page, by an administrator, by its date
    REFUSED = "refused"  # malware was found in one
    ABANDONED = "abandoned"  # no byte of one came for days
    NOT_TAKEN = "not-taken"  # by FileSender, which was to give them out; the name is why, as a word
    NOT_SAVED = "not-saved"  # by the drive of their writer; the name is why, as a word
    COMING = "coming"  # uploaded, or looked through; or on their way to FileSender
    READY = "ready"


class FilesStoppedError(MailError):
    """A message can't leave because of its large files; `state` says why, `name` is the file's, "" where it is all of them."""

    status = 409

    def __init__(self, state: FileState, name: str = "") -> None:
        super().__init__(name or state)
        self.state = state
        self.name = name


def are_offered(user: User | None, settings: Settings) -> bool:
    """Whether a message of theirs can carry a link: only where we hold the keys of files, since the message waits, and its copy
    stays; and where large files are not hidden from them."""
    return (
        "transfers" not in policies.hidden(user)
        and settings.transfers.on
        and bool(settings.public_url)
        and settings.transfers.key == "server"
    )


_of_draft = Prepared(
    lambda slot: Transfer.select().where(Transfer.draft_id == slot("draft")).order_by(Transfer.id.desc()).limit(1)
)
_first_file = Prepared(
    lambda slot: TransferFile.select(TransferFile.id).join(Transfer).where(Transfer.draft_id == slot("draft")).limit(1)
)


def of_draft(draft_id: str) -> Transfer | None:
    """The transfer of a draft's large files, whatever became of it; None if it never had one. One SELECT."""
    found: Transfer | None = _of_draft.first(draft=draft_id) if draft_id else None
    return found


def standing(draft_id: str) -> Transfer | None:
    """The same, unless it was closed."""
    found = of_draft(draft_id)
    return found if found is not None and found.state in _STANDS else None


def files(transfer: Transfer | None) -> list[TransferFile]:
    """The files that the message carries, with their contents. One SELECT."""
    return [file for file in store.files(transfer) if not file.held] if transfer is not None else []


def has_any(draft_id: str) -> bool:
    """Whether a draft has large files. One SELECT."""
    return bool(_first_file.plain(draft=draft_id))


def names(rows: Iterable[TransferFile]) -> list[str]:
    return [str(row.path) for row in rows]


def state_of(transfer: Transfer, rows: list[TransferFile]) -> tuple[FileState, str]:
    """How far the files have come, and the name of the one that says so."""
    if transfer.state not in _STANDS:
        return FileState.CLOSED, ""
    if transfer.state == TransferState.HANDED:
        return (FileState.READY, "") if filesender_calls.is_there(transfer) else (FileState.COMING, str(rows[0].path))
    coming, choice = "", drive_facts.load(transfer)
    for row in rows:
        if choice is not None and row.id in choice.links:
            continue
        stored = row.content
        if stored is None or stored.state == ContentState.DELETED:
            return FileState.CLOSED, str(row.path)
        if stored.state == ContentState.REFUSED:
            return FileState.REFUSED, str(row.path)
        if stored.state == ContentState.UPLOADING and stored.touched < now() - store.ABANDONED:
            return FileState.ABANDONED, str(row.path)
        if stored.state != ContentState.READY or choice is not None:
            coming = coming or str(row.path)
    if coming and choice is not None and choice.problem:
        return FileState.NOT_SAVED, choice.problem
    return (FileState.COMING, coming) if coming else (FileState.READY, "")


def until(row: DraftRow, settings: Settings, leaves: datetime | None = None) -> datetime:
    """Until when the link works if the message leaves then (naive UTC), or now."""
    days = min(row.link_days or settings.transfers.days, settings.transfers.most_days)
    return (leaves or now()) + timedelta(days=days)


def publish(transfer: Transfer, expires: datetime, subject: str, settings: Settings) -> None:
    """Let the link work: its message is about to leave. Again, for a message that did not arrive: until another date.

    Raises FilesStoppedError if it was closed meanwhile.
    """
    current = Transfer.get_by_id(transfer.id)
    if current.drive_state:  # nobody gets anything from here
        return
    if current.state == TransferState.OPEN:
        store.name(current, subject)
        try:
            store.publish(current, options.load(current), expires, [], settings)
        except store.TransferClosedError as error:
            raise FilesStoppedError(FileState.CLOSED) from error
    elif current.state == TransferState.HANDED:
        store.name(current, subject)  # until when is FileSender's to say
    elif not store.keep_until(current, expires, TransferState.READY):
        raise FilesStoppedError(FileState.CLOSED)


# --- copies, and the end ---------------------------------------------------------------------------------------------


def copy(draft_id: str, twin_id: str, settings: Settings) -> None:
    """Let another draft of the same person have these files too, behind a link of its own."""
    if (transfer := standing(draft_id)) is not None:
        copy_to(transfer, twin_id, settings)


def copy_to(transfer: Transfer, twin_id: str, settings: Settings) -> bool:
    """The same, for the files of any transfer; False if there are none left, or the person has too many transfers."""
    try:
        return copies.copy(transfer, settings, draft_id=twin_id) is not None
    except OverLimitError as error:
        log.warning("draft %s has no copy of the large files of transfer %d: %s", twin_id, transfer.id, error)
        return False


def drop(draft_id: str, settings: Settings, *, also_published: bool = False) -> None:
    """End the transfers of a draft that is discarded. Never raises while the storage is away: a sweep goes on there.

    `also_published`: of a message that was refused after its link began to work.
    """
    ended = _STANDS if also_published else (TransferState.OPEN,)
    for transfer in list(Transfer.select().where((Transfer.draft_id == draft_id) & (Transfer.state << ended))):
        _end(transfer, settings)


def _end(transfer: Transfer, settings: Settings) -> None:
    """What nobody ever saw leaves no trace in the list of transfers."""
    if transfer.published is None:
        assembly.drop(transfer, settings)
    else:
        store.close(transfer, "owner")


def sweep(settings: Settings) -> int:
    """End the transfers of drafts that are gone; returns how many."""
    left = (Transfer.draft_id != "") & (Transfer.state == TransferState.OPEN) & (Transfer.created < now() - _GONE_AFTER)
    orphans = left & Transfer.draft_id.not_in(DraftRow.select(DraftRow.id))
    found = list(Transfer.select().where(orphans).limit(_BATCH))
    for transfer in found:
        _end(transfer, settings)
    return len(found)
