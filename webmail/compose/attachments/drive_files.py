"""Drive files: attaches copies of files that a person keeps on another server; what is too large for a message goes as a link
of ours.

Small files come while the person waits, others by a task. That goes on after a kill: a copy that is there is not attached
twice, and a large file is fetched from where it was.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

from webmail.compose.attachments import attachments, uploads
from webmail.compose.drafts import drafts
from webmail.compose.large_files import large_changes, large_files
from webmail.config.settings import Settings
from webmail.drives.drive import DocumentStyle, Drive, DriveEntry, DriveError, DriveFault, export_of, exported_name
from webmail.drives.drive_tasks import KIB, PREFIX, DriveProgress, drive_of, from_json, task_faults, to_json
from webmail.errors import NoSuchMessageError
from webmail.models import AttachmentRow, ContentState, DraftRow, StoredContent, Task, User
from webmail.tasks import store as tasks
from webmail.tasks import undo_steps
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun, TaskStoppedError
from webmail.transfers import content, store
from webmail.transfers.limits import OverLimitError
from webmail.transfers.uploads import checking

NAME = "drive-attach"
MOST = 20  # files at once
AT_ONCE = 5_000_000  # bytes that are fetched while the person waits
_TOLD = 8 * 1024 * 1024  # bytes after which a task notes how far it is


def entries(drive: Drive, ids: Sequence[str], end: float = math.inf) -> list[DriveEntry]:
    """As they are now; folders and what is gone are left out. A request each, none after `end` (of time.monotonic). Raises
    DriveError, AWAY where there is not time enough."""
    found = list[DriveEntry]()
    for entry_id in ids[:MOST]:
        if time.monotonic() >= end:
            raise DriveError(DriveFault.AWAY, "too slow for a page")
        try:
            entry = drive.entry(entry_id)
        except DriveError as error:
            if error.fault is not DriveFault.GONE:
                raise
            continue
        if not entry.is_folder:
            found.append(entry)
    return found


def are_small(row: DraftRow, chosen: Sequence[DriveEntry], settings: Settings) -> bool:
    """Whether they are attached while the person waits."""
    sizes = [entry.size for entry in chosen]
    known = [size for size in sizes if size is not None]
    fit = sum(map(uploads.encoded_size, known)) <= large_changes.free_bytes(row, settings)
    return len(known) == len(sizes) and sum(known) <= AT_ONCE and fit


def attach_now(
    row: DraftRow, drive: Drive, chosen: Sequence[DriveEntry], settings: Settings, style: str = DocumentStyle.PDF
) -> list[str]:
    """Their names; `style`: of documents (`DocumentStyle`). Raises DriveError, uploads.REFUSALS, AlreadyLeftError."""
    files = [([_whole(drive, entry, style)], *_name_and_type(entry, style)) for entry in chosen]
    return [row.filename for row in attachments.add_all(row, files, settings)]


def start(row: DraftRow, connection: int, chosen: Sequence[DriveEntry], style: str = DocumentStyle.PDF) -> Task:
    """Raises LimitReachedError."""
    arguments = {"draft": row.id, "connection": connection, "entries": [to_json(entry) for entry in chosen]}
    arguments["style"] = style
    return tasks.start_once(row.user, NAME, arguments)


def coming(row: DraftRow, settings: Settings) -> int:
    """How many files a task is still bringing into a message. 1 query, 0 where nobody has drives."""
    return sum(len(tasks.arguments_of(task)["entries"]) for task in _tasks_for(row)) if settings.services else 0


def stop(row: DraftRow) -> None:
    """Bring no more files into a message. What is there stays."""
    for task in _tasks_for(row):
        tasks.cancel(row.user, task.id)


def _tasks_for(row: DraftRow) -> list[Task]:
    return [task for task in tasks.open_of_kind(row.user, NAME) if tasks.arguments_of(task)["draft"] == row.id]


def _whole(drive: Drive, entry: DriveEntry, style: str) -> bytes:
    with drive.download(entry, export=export_of(entry, style)) as pieces:
        return b"".join(pieces)


def _name_and_type(entry: DriveEntry, style: str) -> tuple[str, str]:
    export = export_of(entry, style)
    return exported_name(entry.name, export), export or entry.type or "application/octet-stream"


def _work(run: TaskRun) -> dict[str, Any]:
    chosen = [from_json(kept) for kept in run.arguments["entries"]]
    cursor: dict[str, Any] = run.cursor or {"at": 0, "file": 0, "links": 0}
    total = sum((entry.size or 0) // KIB + 1 for entry in chosen)
    with task_faults():
        drive = drive_of(run)
        while (at := cursor["at"]) < len(chosen):
            before = sum((entry.size or 0) // KIB + 1 for entry in chosen[:at])
            row = _draft(run)
            if _is_attachment(row, chosen[at], run.settings):
                added = {"draft": row.id, "attachment": _attach(run, drive, row, chosen[at]).id}
            else:
                _link(run, drive, row, chosen[at], cursor, DriveProgress(before, total))
                added = {"draft": row.id, "file": cursor["file"]}
                cursor["links"] += 1
            cursor |= {"at": at + 1, "file": 0}
            with run.step(cursor, done=before + (chosen[at].size or 0) // KIB + 1, total=total):
                drafts.touch(row)
                undo_steps.note(run.task, [added])
    return {"count": len(chosen), "links": cursor["links"], "draft": run.arguments["draft"]}


def take_back(user: User, steps: list[Any], settings: Settings) -> int:
    """Take files out of a message that is still being written; how many were in it. Raises NoSuchMessageError,
    drafts.AlreadyLeftError."""
    count = 0
    for step in steps:
        row = drafts.load(user, step["draft"])
        if drafts.has_left(row.id):
            raise drafts.AlreadyLeftError(f"draft {row.id} has left")
        if "file" in step:
            count += large_changes.remove(row, step["file"], settings)
        else:
            count += attachments.remove(row, step["attachment"], settings)
    return count


def _draft(run: TaskRun) -> DraftRow:
    try:
        row = drafts.load(run.user, run.arguments["draft"])
    except NoSuchMessageError as error:
        raise TaskFailedError("draft-gone") from error
    if drafts.has_left(row.id):
        raise TaskFailedError("draft-gone")
    return row


def _is_attachment(row: DraftRow, entry: DriveEntry, settings: Settings) -> bool:
    if entry.size is None:
        return True
    present = any(one.size == entry.size and one.filename == uploads.clean_filename(entry.name) for one in row.attachments)
    return present or uploads.encoded_size(entry.size) <= large_changes.free_bytes(row, settings)


def _attach(run: TaskRun, drive: Drive, row: DraftRow, entry: DriveEntry) -> AttachmentRow:
    """An equal file that is there already, by a worker that was killed, is the one that this makes."""
    style = run.arguments.get("style", DocumentStyle.PDF)
    try:
        with drive.download(entry, export=export_of(entry, style)) as pieces:
            return attachments.add(row, pieces, *_name_and_type(entry, style), run.settings)
    except (uploads.MessageTooLargeError, uploads.AllowanceUsedError) as error:
        raise TaskFailedError(f"{PREFIX}{DriveFault.TOO_LARGE}") from error
    except drafts.AlreadyLeftError as error:
        raise TaskFailedError("draft-gone") from error


def _link(
    run: TaskRun, drive: Drive, row: DraftRow, entry: DriveEntry, cursor: dict[str, Any], progress: DriveProgress
) -> None:  # fmt: skip
    """Fetch a large file into the draft's transfer, from where it was."""
    file = large_changes.find(row, cursor["file"]) if cursor["file"] else None
    if file is None:
        if not large_files.are_offered(run.user, run.settings):
            raise TaskFailedError(f"{PREFIX}{DriveFault.TOO_LARGE}")
        try:
            with run.step(cursor, done=progress.before, total=progress.total):
                file = large_changes.announce(row, entry.name, entry.size or 0, entry.type, run.settings)
                cursor["file"] = file.id
        except (OverLimitError, store.TransferClosedError) as error:
            raise TaskFailedError(f"{PREFIX}{DriveFault.TOO_LARGE}") from error
        except drafts.AlreadyLeftError as error:
            raise TaskFailedError("draft-gone") from error
    stored = file.content
    if stored is None:
        raise TaskFailedError("draft-gone")
    if stored.state == ContentState.UPLOADING and stored.received < stored.size:
        with drive.download(entry, stored.received) as pieces:
            try:
                content.append(stored, stored.received, _told(run, pieces, stored, cursor, progress), run.settings)
            except TaskStoppedError:
                if run.is_cancelled:
                    large_changes.remove(row, file.id, run.settings)
                raise
    if (whole := large_changes.find(row, file.id)) is not None:  # with what came meanwhile
        checking.finish(whole, run.settings)


def _told(
    run: TaskRun, pieces: Iterator[bytes], stored: StoredContent, cursor: dict[str, Any], progress: DriveProgress
) -> Iterator[bytes]:  # fmt: skip
    sent = told = stored.received
    for piece in pieces:
        yield piece
        sent += len(piece)
        if sent - told >= _TOLD:
            told = sent
            with run.step(cursor, done=progress.before + sent // KIB, total=progress.total):
                pass


KIND = TaskKind(NAME, _work)
