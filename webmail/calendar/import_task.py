"""Import tasks of calendar files: a worker looks through a large file, then imports it in pieces, so that nobody waits.

After a kill the file is compared anew: what is there already is found by its UID, so nothing is imported twice.
"""

from __future__ import annotations

from typing import Any

from webmail.calendar import importing, objects
from webmail.calendar.editing import Done, EventChangedElsewhere, NotWritable
from webmail.calendar.importing import EventPlan
from webmail.calendar.objects import UidTaken
from webmail.contacts import import_check as files
from webmail.errors import LimitReached
from webmail.mime.formats.calendar_files import NotCalendarFile
from webmail.storage import FileGone, open_storage
from webmail.tasks import leftovers
from webmail.tasks.kinds import TaskFailed, TaskKind, TaskRun

CHECK, NAME = "calendar-check", "calendar-import"
FILE = "calendar.ics"


def _check(run: TaskRun) -> dict[str, Any]:
    try:
        content = files.content_of(run.settings, run.task.id)
    except FileGone as error:
        raise TaskFailed("file-gone") from error
    report = importing.report_of(_planned(run, content))
    if not report.any_events and not report.remarks:
        raise TaskFailed("no-events")
    return {"report": report.to_json(), "file": files.file_name(run.task.id), **run.arguments}


def _planned(run: TaskRun, content: bytes) -> EventPlan:
    try:
        return importing.plan(content, run.arguments["calendar"], objects.zone_of(run.settings.timezone))
    except NotCalendarFile as error:
        raise TaskFailed("no-events") from error


def _import(run: TaskRun) -> dict[str, Any]:
    try:
        content = b"".join(open_storage(run.settings).get(f"{leftovers.folder(run.task.id)}/{FILE}"))
    except FileGone as error:
        raise TaskFailed("file-gone") from error
    planned = _planned(run, content)
    writes = planned.writes(run.arguments["calendar"], replace=run.arguments["replace"])
    before = int((run.cursor or {}).get("written", 0))
    done: list[Done] = []
    try:
        for piece in importing.pieces(writes):
            written = before + len(done) + len(piece)
            with run.step({"written": written}, done=written, total=before + len(writes)):
                done += importing.write_piece(run.user, piece, run.settings)
    except LimitReached as error:
        raise TaskFailed("too-many") from error
    except (EventChangedElsewhere, UidTaken) as error:
        raise TaskFailed("changed") from error
    except NotWritable as error:
        raise TaskFailed("read-only") from error
    whole = run.task.turn == 1  # what an earlier turn did is not known
    return {"written": before + len(done), "undo": importing.offer_undo(run.user, done) if done and whole else ""}


CHECK_KIND, KIND = TaskKind(CHECK, _check), TaskKind(NAME, _import)
