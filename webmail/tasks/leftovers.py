"""Leftovers: files of tasks that are no longer kept, and of those that never came to be."""

from __future__ import annotations

import logging
import re

from webmail.config import Settings
from webmail.models import Task
from webmail.storage import StorageAway, open_storage
from webmail.tasks import store

log = logging.getLogger(__name__)

_FOLDER = "tasks"
_OF_A_TASK = re.compile(rf"{_FOLDER}/([0-9a-f]{{32}})/.+")
_UNCLAIMED_SECONDS = 86_400  # a file is there before its task


def remove(task_id: str, settings: Settings) -> None:
    """Delete the files of a task that is gone. Never raises while the storage is away: `sweep` finds them."""
    try:
        open_storage(settings).delete_all(f"{_FOLDER}/{task_id}")
    except StorageAway as error:
        log.warning("the files of task %s stay for now: %s", task_id, error)


def sweep(settings: Settings) -> int:
    """Forget ended tasks after some days, their files before their rows so that none is left behind; then files that no task
    has. Returns how many tasks had files to delete or were forgotten. While the storage is away, both wait.
    """
    files, gone = open_storage(settings), 0
    try:
        for task in store.expired():
            files.delete_all(f"{_FOLDER}/{task.id}")
            store.remove(task.user, task.id)
            gone += 1
        found = (
            match[1] for file in files.list(_FOLDER) if file.age > _UNCLAIMED_SECONDS and (match := _OF_A_TASK.match(file.name))
        )
        for task_id in set(found):
            if not Task.select(Task.id).where(Task.id == task_id).exists():
                files.delete_all(f"{_FOLDER}/{task_id}")
                gone += 1
    except StorageAway as error:
        log.warning("ended tasks and their files are kept for another hour: %s", error)
    return gone
