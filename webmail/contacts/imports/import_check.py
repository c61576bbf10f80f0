"""Import check: a worker looks through a large file, of which the person then sees what it would do; and its columns."""

from __future__ import annotations

import json
from typing import Any

from webmail.config.settings import Settings
from webmail.contacts import store
from webmail.contacts.imports import card_files, import_task, merge
from webmail.contacts.imports.card_files import CsvColumns
from webmail.contacts.imports.import_report import report_of
from webmail.contacts.imports.import_task import book_of
from webmail.storage import FileGoneError, open_storage
from webmail.tasks import waiting_files
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun

NAME = "contacts-check"
_MANY_LINES = 3_000  # a table of short rows has a person in each
COLUMNS = "columns.json"


def choose_columns(settings: Settings, task_id: str, columns: CsvColumns) -> None:
    """Raises StorageFullError, StorageAwayError."""
    files = open_storage(settings)
    files.delete(waiting_files.file_name(task_id, COLUMNS))
    files.put(waiting_files.file_name(task_id, COLUMNS), [json.dumps(columns.to_json()).encode()])


def chosen_columns(settings: Settings, task_id: str) -> CsvColumns | None:
    try:
        return CsvColumns.from_json(json.loads(b"".join(open_storage(settings).get(waiting_files.file_name(task_id, COLUMNS)))))
    except FileGoneError:
        return None


def _work(run: TaskRun) -> dict[str, Any]:
    try:
        content = waiting_files.content_of(run.settings, run.task.id)
    except FileGoneError as error:
        raise TaskFailedError("file-gone") from error
    columns = CsvColumns.from_json(run.arguments.get("columns"))
    book = book_of(run)
    planned = merge.plan_cards(run.user, card_files.read(content, columns), book)
    if not planned.any_cards:
        raise TaskFailedError("no-cards")
    report = report_of(planned, store.count(book.user_id if book else run.user)).to_json()
    return {
        "report": report,
        "columns": run.arguments.get("columns"),
        "file": waiting_files.file_name(run.task.id),
        "form": run.arguments["form"],
        "book": run.arguments.get("book", 0),
    }


def is_large(content: bytes) -> bool:
    """Whether reading it would keep a person waiting, and others who want a page."""
    return len(content) > import_task.SMALL_FILE or content.count(b"\n") + content.count(b"\r") > _MANY_LINES


KIND = TaskKind(NAME, _work)
