"""Import tasks of calendar files: a worker looks through a large file, then imports it in pieces, so that nobody waits.

After a kill the file is compared anew: what is there already is found by its UID, so nothing is imported twice.
"""

from __future__ import annotations

from typing import Any

from webmail.calendar import objects
from webmail.calendar.editing import EventChangedElsewhere, NotWritable
from webmail.calendar.files import importing
from webmail.calendar.files.importing import EventPlan
from webmail.calendar.objects import UidTaken
from webmail.errors import LimitReached
from webmail.mime.formats.calendars.calendar_files import NotCalendarFile
from webmail.storage import FileGone, open_storage
from webmail.tasks import leftovers, undo_steps, waiting_files
from webmail.tasks.kinds import TaskFailed, TaskKind, TaskRun

CHECK, NAME, UNDO = "calendar-check", "calendar-import", "calendar-import-undo"
FILE = "calendar.ics"


def _check(run: TaskRun) -> dict[str, Any]:
    try:
        content = waiting_files.content_of(run.settings, run.task.id)
    except FileGone as error:
        raise TaskFailed("file-gone") from error
    report = importing.report_of(_planned(run, content))
    if not report.any_events and not report.remarks:
        raise TaskFailed("no-events")
    return {"report": report.to_json(), "file": waiting_files.file_name(run.task.id), **run.arguments}


def _planned(run: TaskRun, content: bytes) -> EventPlan:
    try:
        return importing.plan(content, run.arguments["calendar"], objects.zone_of(run.settings.timezone), run.user)
    except NotCalendarFile as error:
        raise TaskFailed("no-events") from error


def _import(run: TaskRun) -> dict[str, Any]:
    try:
        content = b"".join(open_storage(run.settings).get(f"{leftovers.folder(run.task.id)}/{FILE}"))
    except FileGone as error:
        raise TaskFailed("file-gone") from error
    planned = _planned(run, content)
    writes = planned.writes(run.arguments["calendar"], replace=run.arguments["replace"])
    written = int((run.cursor or {}).get("written", 0))
    total = written + len(writes)
    try:
        importing.check_room_for(writes, run.settings)
    except LimitReached as error:
        raise TaskFailed("too-many" if written else "no-room") from error
    try:
        for piece in importing.pieces(writes):
            written += len(piece)
            with run.step({"written": written}, done=written, total=total):
                undo_steps.note(run.task, importing.undo_step(importing.write_piece(run.user, piece, run.settings)))
    except LimitReached as error:
        raise TaskFailed("too-many") from error
    except (EventChangedElsewhere, UidTaken) as error:
        raise TaskFailed("changed") from error
    except NotWritable as error:
        raise TaskFailed("read-only") from error
    return {"written": written}


CHECK_KIND, KIND = TaskKind(CHECK, _check), TaskKind(NAME, _import)
UNDO_KIND = undo_steps.undo_kind(UNDO, importing.take_back, (NotWritable, UidTaken))
