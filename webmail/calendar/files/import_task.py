"""Import tasks of calendar files: a worker looks through a large file, then imports it in pieces, so that nobody waits.

After a kill the file is compared anew: what is there already is found by its UID, so nothing is imported twice.
"""

from __future__ import annotations

from typing import Any

from webmail.calendar import objects
from webmail.calendar.editing import EventChangedElsewhereError, NotWritableError
from webmail.calendar.files import importing
from webmail.calendar.files.importing import EventPlan
from webmail.calendar.objects import UidTakenError
from webmail.errors import LimitReachedError
from webmail.mime.formats.calendars.calendar_files import NotCalendarFileError
from webmail.storage import FileGoneError, open_storage
from webmail.tasks import leftovers, undo_steps, waiting_files
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun

CHECK, NAME, UNDO = "calendar-check", "calendar-import", "calendar-import-undo"
FILE = "calendar.ics"


def _check(run: TaskRun) -> dict[str, Any]:
    try:
        content = waiting_files.content_of(run.settings, run.task.id)
    except FileGoneError as error:
        raise TaskFailedError("file-gone") from error
    report = importing.report_of(_planned(run, content))
    if not report.any_events and not report.remarks:
        raise TaskFailedError("no-events")
    return {"report": report.to_json(), "file": waiting_files.file_name(run.task.id), **run.arguments}


def _planned(run: TaskRun, content: bytes) -> EventPlan:
    try:
        return importing.plan(content, run.arguments["calendar"], objects.zone_of(run.settings.timezone), run.user)
    except NotCalendarFileError as error:
        raise TaskFailedError("no-events") from error


def _import(run: TaskRun) -> dict[str, Any]:
    try:
        content = b"".join(open_storage(run.settings).get(f"{leftovers.folder(run.task.id)}/{FILE}"))
    except FileGoneError as error:
        raise TaskFailedError("file-gone") from error
    planned = _planned(run, content)
    writes = planned.writes(run.arguments["calendar"], replace=run.arguments["replace"])
    written = int((run.cursor or {}).get("written", 0))
    total = written + len(writes)
    try:
        importing.check_room_for(writes, run.settings)
    except LimitReachedError as error:
        raise TaskFailedError("too-many" if written else "no-room") from error
    try:
        for piece in importing.pieces(writes):
            written += len(piece)
            with run.step({"written": written}, done=written, total=total):
                undo_steps.note(run.task, importing.undo_step(importing.write_piece(run.user, piece, run.settings)))
    except LimitReachedError as error:
        raise TaskFailedError("too-many") from error
    except (EventChangedElsewhereError, UidTakenError) as error:
        raise TaskFailedError("changed") from error
    except NotWritableError as error:
        raise TaskFailedError("read-only") from error
    return {"written": written}


CHECK_KIND, KIND = TaskKind(CHECK, _check), TaskKind(NAME, _import)
UNDO_KIND = undo_steps.undo_kind(UNDO, importing.take_back, (NotWritableError, UidTakenError))
