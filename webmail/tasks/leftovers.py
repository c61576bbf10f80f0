"""Leftovers: files of tasks that are no longer kept, and of those that never came to be.

Once a task has ended, the file that its result names is kept, as long as the task is; nothing else.
"""

from __future__ import annotations

import logging
import re

from webmail.config.settings import Settings
from webmail.models import Task
from webmail.storage import Storage, StorageAwayError, open_storage
from webmail.tasks import store

log = logging.getLogger(__name__)

_FOLDER = "tasks"
_OF_A_TASK = re.compile(rf"{_FOLDER}/([0-9a-f]{{32}})/.+")
_UNCLAIMED_SECONDS = 86_400  # a file is there before its task


def folder(task_id: str) -> str:
    """The prefix of the names of a task's files."""
    return f"{_FOLDER}/{task_id}"


def remove(task_id: str, settings: Settings, stored: str = "") -> None:
    """Delete the files of a task that has ended or is gone, but the one named `stored`. Never raises while the storage is away:
    `sweep` finds them.
    """
    try:
        _delete(open_storage(settings), task_id, stored)
    except StorageAwayError as error:
        log.warning("the files of task %s stay for now: %s", task_id, error)


def sweep(settings: Settings) -> int:
    """Forget ended tasks after some days, their files before their rows so that none is left behind; then files that no task
    needs, as after a kill. Returns how many tasks had files to delete or were forgotten. While the storage is away, both wait.
    """
    files, gone = open_storage(settings), 0
    try:
        for task in store.expired():
            files.delete_all(folder(task.id))
            store.remove(task.user, task.id)
            gone += 1
        for task_id, names in _old(files).items():
            ended = Task.get_or_none(Task.id == task_id)
            if ended is not None and ended.state in store.OPEN:
                continue
            kept = store.result_of(ended).get("file", "") if ended else ""
            if names - {kept}:
                _delete(files, task_id, kept)
                gone += 1
    except StorageAwayError as error:
        log.warning("ended tasks and their files are kept for another hour: %s", error)
    return gone


def _old(files: Storage) -> dict[str, set[str]]:
    """The names of old files by the id of their task."""
    found: dict[str, set[str]] = {}
    for file in files.list(_FOLDER):
        if file.age > _UNCLAIMED_SECONDS and (match := _OF_A_TASK.match(file.name)):
            found.setdefault(match[1], set()).add(file.name)
    return found


def _delete(files: Storage, task_id: str, stored: str) -> None:
    if not stored:
        files.delete_all(folder(task_id))
        return
    for file in list(files.list(folder(task_id))):
        if file.name != stored:
            files.delete(file.name)
