"""Import check: a file waits in storage until the person has seen what it would do; a worker looks through a large one first."""

from __future__ import annotations

import json
from typing import Any

from webmail.config import Settings
from webmail.contacts import card_files, import_task, merge, store
from webmail.contacts.card_files import CsvColumns
from webmail.contacts.import_report import report_of
from webmail.contacts.import_task import book_of
from webmail.storage import FileGone, open_storage
from webmail.tasks import leftovers
from webmail.tasks.kinds import TaskFailed, TaskKind, TaskRun

NAME = "contacts-check"
_MANY_LINES = 3_000  # a table of short rows has a person in each
FILE, COLUMNS = "contacts.file", "columns.json"


def file_name(task_id: str, name: str = FILE) -> str:
    return f"{leftovers.folder(task_id)}/{name}"


def keep(settings: Settings, task_id: str, content: bytes) -> None:
    """Keep a file until it is decided on, a day at most. Raises StorageFull, StorageAway."""
    files = open_storage(settings)
    files.delete_all(leftovers.folder(task_id))  # the form was sent again, perhaps with another file
    files.put(file_name(task_id), [content])


def content_of(settings: Settings, task_id: str) -> bytes:
    """Raises FileGone."""
    return b"".join(open_storage(settings).get(file_name(task_id)))


def choose_columns(settings: Settings, task_id: str, columns: CsvColumns) -> None:
    """Raises StorageFull, StorageAway."""
    files = open_storage(settings)
    files.delete(file_name(task_id, COLUMNS))
    files.put(file_name(task_id, COLUMNS), [json.dumps(columns.to_json()).encode()])


def chosen_columns(settings: Settings, task_id: str) -> CsvColumns | None:
    try:
        return CsvColumns.from_json(json.loads(b"".join(open_storage(settings).get(file_name(task_id, COLUMNS)))))
    except FileGone:
        return None


def forget(settings: Settings, task_id: str) -> None:
    leftovers.remove(task_id, settings)


def _work(run: TaskRun) -> dict[str, Any]:
    try:
        content = content_of(run.settings, run.task.id)
    except FileGone as error:
        raise TaskFailed("file-gone") from error
    columns = CsvColumns.from_json(run.arguments.get("columns"))
    book = book_of(run)
    planned = merge.plan_cards(run.user, card_files.read(content, columns), book)
    if not planned.any_cards:
        raise TaskFailed("no-cards")
    report = report_of(planned, store.count(book.user_id if book else run.user)).to_json()
    return {
        "report": report,
        "columns": run.arguments.get("columns"),
        "file": file_name(run.task.id),
        "form": run.arguments["form"],
        "book": run.arguments.get("book", 0),
    }


def is_large(content: bytes) -> bool:
    """Whether reading it would keep a person waiting, and others who want a page."""
    return len(content) > import_task.SMALL_FILE or content.count(b"\n") + content.count(b"\r") > _MANY_LINES


KIND = TaskKind(NAME, _work)
