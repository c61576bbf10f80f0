"""Waiting files: what somebody chose to import waits in storage until they have seen what it would do and decide; a day at most.

It waits as a file of the task that looks through it, whether or not it is so large that there is one.
"""

from __future__ import annotations

from webmail.config.settings import Settings
from webmail.storage import open_storage
from webmail.tasks import leftovers

FILE = "contacts.file"  # of calendars too: what waits is found again by newer code


def file_name(task_id: str, name: str = FILE) -> str:
    return f"{leftovers.folder(task_id)}/{name}"


def keep(settings: Settings, task_id: str, content: bytes) -> None:
    """Raises StorageFullError, StorageAwayError."""
    open_storage(settings).put(file_name(task_id), [content])


def content_of(settings: Settings, task_id: str) -> bytes:
    """Raises FileGoneError."""
    return b"".join(open_storage(settings).get(file_name(task_id)))


def forget(settings: Settings, task_id: str) -> None:
    leftovers.remove(task_id, settings)
