"""Saving to a drive: files of ours, one after the other, as a task that goes on after a kill, can be stopped, and can be undone.

An area that has something to save makes a kind of task of it (`save_kind`). What a drive's upload remembers is kept with each
piece, so a file that was half there is gone on with, and none comes twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any

from webmail.drives.drive import Drive, DriveEntry, DriveError, DriveFault, NameClash, ReadFrom, State, UploadOrder
from webmail.drives.drive_tasks import KIB, DriveProgress, drive_for, drive_of, from_json, task_faults, to_json
from webmail.tasks import store, undo_steps
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun, TaskStoppedError

log = logging.getLogger(__name__)

UNDO = "drive-save-undo"
MOST = 100  # files at once
STAYS = (DriveFault.CHANGED, DriveFault.REFUSED)  # why a file that was saved is not deleted
_TOLD = 10  # names


@dataclass(frozen=True, slots=True)
class FileToSave:
    """`read` may be asked more than once, from any offset."""

    name: str
    size: int
    type: str
    read: ReadFrom


OpenFiles = Callable[[TaskRun], AbstractContextManager[Sequence[FileToSave]]]  # the same ones after a kill, in the same order


def save_kind(name: str, open_files: OpenFiles) -> TaskKind:
    """A kind of task with the arguments `connection`, `folder`, `clash`, and what `open_files` reads. Its result: `saved`,
    `connection`, `folder`, and the names of what was `taken` (not saved) or `renamed`."""

    def work(run: TaskRun) -> dict[str, Any]:
        with open_files(run) as files, task_faults():
            if not files:
                raise TaskFailedError("nothing")
            return _save_all(run, files)

    return TaskKind(name, work)


def _save_all(run: TaskRun, files: Sequence[FileToSave]) -> dict[str, Any]:
    cursor: dict[str, Any] = run.cursor or {"at": 0, "state": {}, "taken": [], "renamed": []}
    drive, connection = drive_of(run), run.arguments["connection"]
    clash = NameClash(run.arguments.get("clash", NameClash.RENAME))
    sizes = [file.size // KIB + 1 for file in files]
    while (at := cursor["at"]) < len(files):
        made: DriveEntry | None = None
        try:
            progress = DriveProgress(sum(sizes[:at]), sum(sizes))
            made = save_one(run, drive, files[at], run.arguments["folder"], cursor, progress, clash)
        except DriveError as error:
            if error.fault is not DriveFault.NAME_TAKEN or clash is not NameClash.REFUSE:
                raise
            with suppress(DriveError):
                drive.abandon(cursor["state"])
            cursor["taken"] = [*cursor["taken"], files[at].name]
        if made is not None and made.name != files[at].name:
            cursor["renamed"] = [*cursor["renamed"], made.name][:_TOLD]
        cursor |= {"at": at + 1, "state": {}}
        with run.step(cursor, done=sum(sizes[: at + 1]), total=sum(sizes)):
            if made is not None:
                undo_steps.note(run.task, [{"connection": connection, **to_json(made)}])
    saved = len(files) - len(cursor["taken"])
    told = {"taken": cursor["taken"][:_TOLD], "renamed": cursor["renamed"]}
    return {"saved": saved, "connection": connection, "folder": run.arguments["folder"], **told}


def save_one(
    run: TaskRun, drive: Drive, file: FileToSave, folder: str, cursor: dict[str, Any], progress: DriveProgress,
    clash: NameClash = NameClash.RENAME,
) -> DriveEntry:  # fmt: skip
    """What it became; what its upload remembers is kept as `state` of the cursor. Raises DriveError, TaskStoppedError."""
    order = UploadOrder(folder, file.name, file.size, file.type, clash)

    def save(state: State, sent: int) -> None:
        cursor["state"] = state
        with run.step(cursor, done=progress.before + sent // KIB, total=progress.total):
            pass

    try:
        return drive.upload(order, file.read, cursor["state"], save)
    except TaskStoppedError:
        if run.is_cancelled:
            with suppress(DriveError):
                drive.abandon(cursor["state"])
        raise


def _undo(run: TaskRun) -> dict[str, Any]:
    """Delete what a task saved, the last first; what was changed there since stays. Each is asked for before the transaction with
    which it is forgotten: after a kill it is asked for again, and is then gone.
    """
    try:
        task = store.find(run.user, run.arguments["task"])
    except store.NoSuchTaskError as error:
        raise TaskFailedError("gone") from error
    cursor: dict[str, Any] = run.cursor or {"deleted": 0, "kept": 0}
    total = cursor["deleted"] + cursor["kept"] + undo_steps.count(task)
    with task_faults():
        while (step := undo_steps.last(task)) is not None:
            for saved in undo_steps.changes_of(step):
                cursor["deleted" if _is_deleted(run, saved) else "kept"] += 1
            with run.step(cursor, done=cursor["deleted"] + cursor["kept"], total=total):
                undo_steps.forget(step)
    store.note_undone(run.user, task.id)
    return cursor


def _is_deleted(run: TaskRun, saved: dict[str, Any]) -> bool:
    """Whether it is gone; False where it has to stay. Raises DriveError for what stands in the way of all."""
    kept = dict(saved)
    try:
        _connection, drive = drive_for(run.user, kept.pop("connection"), run.settings)
        drive.delete(from_json(kept))
    except DriveError as error:
        if error.fault not in STAYS:
            raise
        log.info("what was saved stays: %s", error)
        return False
    return True


UNDO_KIND = TaskKind(UNDO, _undo, in_turn=True)
