"""Link gate: a message with large files leaves once they are all there; not before, and its link works from that moment on.

A message whose files are still coming stays WAITING, with a note in `error`. The worker looks every few seconds at those alone
(`arrived`), in the one SELECT of all such work where there are none (`pending`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import peewee as pw

from webmail.compose import identities
from webmail.compose.drafts import draft_message
from webmail.compose.large_files import filesender_calls, large_files
from webmail.compose.large_files.large_files import FilesStoppedError, FileState
from webmail.compose.outbox import send_errors, spool
from webmail.config.settings import Settings
from webmail.models import DraftRow, Outbox, OutboxState, Transfer, TransferState, now
from webmail.storage import StorageAwayError, StorageFullError
from webmail.system_mail.send_attempts import SendQueue
from webmail.transfers import options, store

EVERY = timedelta(seconds=10)  # how often the worker looks whether files have come
_BACKSTOP = timedelta(minutes=10)  # and asks anew of each, should nobody have looked
_AT_ONCE = 500
_NOTED = (Outbox.state == OutboxState.WAITING) & (Outbox.error == send_errors.FILES_COMING)
_queue = SendQueue(Outbox, "outbox")


def waits(row: Outbox) -> bool:
    """Whether a message waits for its files, as the worker noted."""
    return row.state == OutboxState.WAITING and row.error == send_errors.FILES_COMING


def may_leave(outbox_id: int, settings: Settings) -> bool:
    """Whether a message that is due has all its files; else it is noted, and due later. 2 SELECTs with large files, 1 without.
    Where FileSender gives them out, they go there first.

    What ends the waiting for good is said by `prepared`.
    """
    due = (Outbox.id == outbox_id) & (Outbox.state == OutboxState.WAITING) & (Outbox.due <= now()) & Outbox.sent_at.is_null()
    row = Outbox.select(Outbox.draft, Outbox.subject, Outbox.protection).where(due).first()
    if row is None or (_state(row.draft) is not FileState.COMING and not _handed_over(row, settings)):
        return True
    Outbox.update(due=now() + _BACKSTOP, error=send_errors.FILES_COMING).where(due).execute()
    return False


def _state(draft_id: str) -> FileState:
    transfer = large_files.of_draft(draft_id)
    rows = large_files.files(transfer)
    return large_files.state_of(transfer, rows)[0] if transfer is not None and rows else FileState.READY


def _handed_over(row: Outbox, settings: Settings) -> bool:
    """Whether its files begin their way to FileSender now, which did not have them yet."""
    transfer = large_files.of_draft(row.draft)
    if row.protection:  # its link is written already, and nobody here can write another
        return False
    if settings.filesender is None or transfer is None or transfer.state != TransferState.OPEN or transfer.drive_state:
        return False
    if not filesender_calls.serves(transfer.owner, settings):
        return False
    draft = DraftRow.get_or_none(DraftRow.id == row.draft)
    if draft is None or not large_files.files(transfer) or filesender_calls.why_not(transfer):
        return False
    for held in store.files(transfer):
        if held.held:
            store.remove_file(held, settings)
    store.name(transfer, row.subject)
    filesender_calls.take(transfer, options.load(transfer), large_files.until(draft, settings), [], settings)
    return True


def pending(_settings: Settings) -> list[pw.Query]:
    """What `arrived` looks at."""
    return [Outbox.select(Outbox.id).where(_NOTED)]


def arrived() -> list[int]:
    """Messages that waited for files which are there now, or will never come: due at once; their ids. 1 SELECT where none
    waits."""
    found = []
    for row in list(Outbox.select(Outbox.id, Outbox.draft).where(_NOTED).order_by(Outbox.id).limit(_AT_ONCE)):
        if _state(row.draft) is FileState.COMING:
            continue
        # the day on which trying ends is counted from now
        fresh = Outbox.update(due=now(), error="", created=now(), scheduled=None)
        if fresh.where((Outbox.id == row.id) & _NOTED).execute():
            found.append(row.id)
    return found


# --- as it leaves ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Leaving:
    """A message that is about to leave with its link."""

    transfer: Transfer
    expires: datetime
    subject: str

    def publish(self, settings: Settings) -> None:
        """Just before the final dot. Raises FilesStoppedError."""
        large_files.publish(self.transfer, self.expires, self.subject, settings)


def prepared(row: Outbox, settings: Settings) -> Leaving | None:
    """Write the message anew, which now knows the SHA-256 of its files and until when they are there; None without large files.
    One that is signed or encrypted stays as it was written.

    `row` is held by this worker, and follows. Raises FilesStoppedError, and what building a message does.
    """
    if row.sent_at is not None:  # a part of its recipients has it
        return None
    transfer = large_files.of_draft(row.draft)
    rows = large_files.files(transfer)
    draft = DraftRow.get_or_none(DraftRow.id == row.draft)
    if transfer is None or not rows or draft is None:
        return None
    state, name = large_files.state_of(transfer, rows)
    if (
        state is FileState.READY
        and not transfer.drive_state
        and settings.filesender is not None
        and (why := filesender_calls.why_not(transfer))
    ):
        filesender_calls.forget(transfer)  # it is asked anew when the message is sent again
        raise FilesStoppedError(FileState.NOT_TAKEN, why)
    if state is not FileState.READY:
        raise FilesStoppedError(state, name)
    for held in store.files(transfer):
        if held.held:
            store.remove_file(held, settings)
    expires = large_files.until(draft, settings)
    if not row.protection:
        _rebuild(row, draft, expires, settings)
    return Leaving(transfer, expires, row.subject)


def _rebuild(row: Outbox, draft: DraftRow, expires: datetime, settings: Settings) -> None:
    identity = identities.of_draft(draft, settings)
    if identity.email != row.sender:  # that identity is gone, not the right to its address, which the server checks
        identity = replace(identity, name="", email=row.sender)
    message = identities.in_own_name(draft.user, draft_message.as_draft(draft, identity, settings, until=expires))
    before = bytes(row.content)
    try:
        content = spool.built(message, settings, prove=identities.is_theirs(draft.user, identity, settings))
    except StorageFullError as error:
        raise StorageAwayError(str(error)) from error  # tried again: its sender can't mend it
    kept = _queue.change(row, [OutboxState.SENDING], content=content)
    spool.remove(before if kept else content, settings)
    if kept:
        row.content = content


def before_final_dot(leaving: Leaving | None, hand_over: Callable[[], None], settings: Settings) -> None:
    """The link works from here on, and the message is never sent again by itself."""
    if leaving is not None:
        leaving.publish(settings)
    hand_over()
