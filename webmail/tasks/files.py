"""Task files: what a task is given is kept below `tasks/<id>/` before the task is put in the queue; see also `leftovers.py`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from webmail.config.settings import Settings
from webmail.errors import LimitReachedError
from webmail.models import Task, User
from webmail.storage import open_storage
from webmail.tasks import leftovers, store


def start(
    user: User, kind: str, arguments: dict[str, Any], settings: Settings,
    *, form: str, name: str, chunks: Iterable[bytes], credential: bytes | None = None,
) -> Task:  # fmt: skip
    """Keep what a task is given as a file of this name, then start it; a form (named `form`) sent twice starts one task.

    Raises LimitReachedError, StorageFullError and StorageAwayError, and keeps nothing then.
    """
    task_id = store.id_of_form(user, form)
    if not store.is_there(user, task_id):
        store.check_room(user)
        open_storage(settings).put(f"{leftovers.folder(task_id)}/{name}", chunks)
    try:
        return store.start(user, kind, arguments, task_id=task_id, credential=credential)
    except LimitReachedError:  # by others that started at this moment
        leftovers.remove(task_id, settings)
        raise
