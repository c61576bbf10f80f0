"""Large changes: adds large files to a draft, takes them out, and turns attachments into links and back."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta

from webmail import preferences
from webmail.compose.attachments import attachment_rows, attachments, uploads
from webmail.compose.drafts import drafts
from webmail.compose.large_files import drive_calls, drive_facts, filesender_calls, large_files
from webmail.config.settings import Settings
from webmail.database import idempotency
from webmail.database.connection import db
from webmail.models import ContentState, DraftRow, StoredContent, Transfer, TransferFile, TransferState, now
from webmail.people import policies
from webmail.storage import FileGoneError
from webmail.transfers import content, store
from webmail.transfers.uploads import checking

_WRITTEN_AT = timedelta(days=400)  # longer than any draft is kept, or a message waits for its time


def begun(row: DraftRow, settings: Settings) -> Transfer:
    """The draft's transfer, a new one if it has none; one for requests that come at once.

    Raises AlreadyLeftError, and OverLimitError where the person has too many.
    """
    with db.atomic():
        idempotency.in_turn(row.user)
        if drafts.has_left(row.id):
            raise drafts.AlreadyLeftError(f"draft {row.id} has left")
        transfer = large_files.standing(row.id)
        if transfer is None:
            transfer = store.create(row.user, settings, draft_id=row.id)
            if preferences.for_user(row.user).link_drive and (usual := drive_calls.usual(row.user, settings)) is not None:
                drive_facts.keep(transfer, usual)
        elif (choice := drive_facts.load(transfer)) is not None and not choice.problem:
            drive_facts.keep(transfer, choice)  # what comes now goes there too
        _recall(transfer)
        # its date begins to count when the message leaves; until then the draft decides how long it is kept
        store.keep_until(transfer, now() + _WRITTEN_AT, TransferState.OPEN)
        return transfer


def _recall(transfer: Transfer) -> None:
    """What is on its way to FileSender comes back to be changed; what is there takes no more files, as `store.add_file` says."""
    if transfer.state == TransferState.HANDED and filesender_calls.recall(transfer):
        transfer.state = TransferState.OPEN


def announce(row: DraftRow, name: str, size: int, media_type: str, settings: Settings) -> TransferFile:
    """A file of which no byte is there yet. Raises as `begun` does, and OverLimitError for the file."""
    transfer = begun(row, settings)
    file = store.add_file(transfer, name, size, media_type, settings)
    drafts.touch(row)
    return file


def add(
    row: DraftRow, chunks: Iterable[bytes], name: str, size: int, media_type: str, settings: Settings, *, held: bool = False
) -> TransferFile:
    """A file whose bytes are at hand. `held`: it is no part of the message before `keep`.

    Raises as `announce` does, and what `chunks`, StorageFullError and StorageAwayError: nothing is left behind then.
    """
    file = announce(row, name, size, media_type, settings)
    stored = file.content
    if stored is None:
        raise FileGoneError(f"nothing of {file.upload} is there")
    try:
        content.append(stored, 0, chunks, settings)
        if held:
            store.set_held(file, True)
        checking.finish(file, settings)
    except BaseException:
        store.remove_file(file, settings)
        raise
    return TransferFile.get_by_id(file.id)


def take_place(file: TransferFile, settings: Settings) -> None:
    """A file that came whole stands for one of the same size whose upload was broken off, under its name."""
    same = (TransferFile.transfer == file.transfer_id) & (TransferFile.size == file.size) & (TransferFile.id != file.id)
    rows = TransferFile.select(TransferFile, StoredContent).join(StoredContent)
    ending = file.path.rpartition(".")[2]
    for twin in list(rows.where(same & (StoredContent.state == ContentState.UPLOADING))):
        if twin.path.rpartition(".")[2] == ending:
            store.remove_file(twin, settings)
            store.rename(file, twin.path)
            return


def find(row: DraftRow, file_id: int) -> TransferFile | None:
    """A file of the draft's transfer. One SELECT."""
    mine = (TransferFile.id == file_id) & (Transfer.draft_id == row.id) & (Transfer.owner == row.user)
    return TransferFile.select(TransferFile, Transfer).join(Transfer).where(mine).first()


def keep(row: DraftRow, file_id: int) -> bool:
    """Let a file that was held go as a link; False if there is no such file."""
    file = find(row, file_id)
    if file is None:
        return False
    store.set_held(file, False)
    drafts.touch(row)
    return True


def remove(row: DraftRow, file_id: int, settings: Settings) -> bool:
    """Take a large file out of the message; False if there is no such file."""
    file = find(row, file_id)
    if file is None:
        return False
    _recall(file.transfer)
    store.remove_file(file, settings)
    drafts.touch(row)
    return True


def free_bytes(row: DraftRow, settings: Settings) -> int:
    """Bytes that the message may still grow by. One SELECT."""
    return policies.message_limit(row.user, settings) - drafts.total_size(row)


def fits(file: TransferFile, left: int) -> bool:
    """Whether a large file could be an attachment: it is whole and harmless, and so many bytes are `left` in the message."""
    ready = file.content is not None and file.content.state == ContentState.READY
    return ready and uploads.encoded_size(file.size) <= left


def as_link(row: DraftRow, attachment_id: int, settings: Settings) -> TransferFile | None:
    """Turn an attachment into a large file; None if there is none such. Raises as `add` does."""
    attachment = next((one for one in attachment_rows.of_draft(row) if one.id == attachment_id), None)
    if attachment is None or attachment.content_id:
        return None
    chunks = attachment_rows.chunks(attachment, settings)
    file = add(row, chunks, attachment.filename, attachment.size, attachment.type, settings)
    attachments.remove(row, attachment.id, settings)
    return file


def as_attachment(row: DraftRow, file_id: int, settings: Settings) -> bool:
    """Turn a large file into an attachment; False if there is none such, or it does not fit.

    Raises uploads.REFUSALS, AlreadyLeftError, and what reading the file does.
    """
    file = find(row, file_id)
    if file is None or file.content is None or not fits(file, free_bytes(row, settings)):
        return False
    name = file.path.rpartition("/")[2]
    attachments.add(row, content.read(file.content, settings), name, file.media_type, settings)
    with suppress(FileGoneError):
        store.remove_file(file, settings)
    return True
