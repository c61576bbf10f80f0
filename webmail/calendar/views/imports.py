"""Import pages of calendar files: a file and a calendar are chosen, what would change is shown, then it is done; and exports.

Between these pages the file waits in storage under a name made from the person and the form's random one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from webmail.calendar import editing, import_task, importing, objects
from webmail.calendar.blueprint import blueprint
from webmail.calendar.editing import Done, EventChangedElsewhere, NotWritable
from webmail.calendar.importing import EventReport
from webmail.calendar.objects import UidTaken
from webmail.collections import look
from webmail.contacts import import_check as files
from webmail.errors import LimitReached
from webmail.mime.filenames import safe_name
from webmail.mime.formats.calendar_files import FileRepair, NotCalendarFile
from webmail.models import Task, TaskState
from webmail.storage import FileGone, StorageAway, StorageFull
from webmail.tasks import files as task_files
from webmail.tasks import store as tasks
from webmail.user_lock import user_lock
from webmail.web.current import current_user, settings
from webmail.web.formatting import file_size
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.task_texts import TASK_TEXTS, Facts, TaskText, task_started
from webmail.web.task_undo import any_changes, undo_of_task, undo_text

_FORM = re.compile(r"[0-9a-f]{32}")
_UNDO_SECONDS = 300


@blueprint.get("/calendar/import")
def import_form() -> Response:
    """Choosing a file to import, and what can be saved. 4 queries."""
    return _choose()


def _choose(status: int = 200, problem: str = "") -> Response:
    mine = [one for one in editing.calendars(current_user()) if one.reads]
    return page(
        "calendar/import.html", status, problem=problem, task=tasks.new_id(), chosen=_calendar_asked(),
        calendars=[(one.collection.id, look.title_of(one.props) or one.name) for one in editing.writable(current_user())],
        exports=[(one.collection.id, look.title_of(one.props) or one.name) for one in mine],
    )  # fmt: skip


def _calendar_asked() -> int:
    number = request.values.get("calendar", "")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0


def _calendar() -> tuple[int, str]:
    """The `id` of the calendar that was chosen, else of that for new events; and what it is called."""
    mine = editing.writable(current_user())
    asked = _calendar_asked()
    found = next((one for one in mine if one.collection.id == asked), None) if asked else mine[0]
    if found is None:
        abort(404)
    return found.collection.id, look.title_of(found.props) or found.name


@blueprint.post("/calendar/import")
def import_file() -> Answer:
    """Keep the file until it is decided on. One that is too large is refused without being read."""
    file = request.files.get("file")
    content = file.stream.read(importing.LARGEST_FILE + 1) if file else b""
    if len(content) > importing.LARGEST_FILE:
        return _choose(422, _("This file is too large. The limit is %(limit)s.", limit=file_size(importing.LARGEST_FILE)))
    if not content:
        return _choose(422, _("Choose a file first."))
    if b"BEGIN:V" not in content.upper().replace(b"\0", b""):
        return _choose(422, _no_events())
    calendar, _title = _calendar()
    typed = request.form.get("task", "")
    upload = typed if _FORM.fullmatch(typed) else tasks.new_id()
    name = safe_name(file.filename or "") if file else ""
    task_id = tasks.id_of_form(current_user(), upload)
    if not tasks.is_there(current_user(), task_id):  # else the form was sent twice
        small = importing.is_small(content)
        try:
            if not small:
                tasks.check_room(current_user())
            files.keep(settings(), task_id, content)
            if not small:
                about = {"name": name or _("calendar"), "form": upload, "calendar": calendar}
                task_started(tasks.start(current_user(), import_task.CHECK, about, task_id=task_id))
        except (LimitReached, StorageFull, StorageAway) as error:
            return _not_kept(error)
    return redirect(url_for("calendar.show_import", upload=upload, name=name or None, calendar=calendar), 303)


def _not_kept(error: LimitReached | StorageFull | StorageAway) -> Response:
    if isinstance(error, LimitReached):
        return _choose(422, _("You have too many tasks running. Wait until one finishes."))
    if isinstance(error, StorageFull):
        return _choose(error.status, _("The server is out of space for files. Tell your administrator."))
    return _choose(error.status, _("The server can't reach its files at the moment. Try again in a few minutes."))


def _no_events() -> str:
    return _("No events found in this file. Choose a calendar file (.ics).")


def _kept(upload: str) -> tuple[str, bytes]:
    """The id and the content of a file that waits. Raises FileGone."""
    if not _FORM.fullmatch(upload):
        abort(404)
    task_id = tasks.id_of_form(current_user(), upload)
    return task_id, files.content_of(settings(), task_id)


def _gone() -> Answer:
    notify(_("This file is no longer here: it was imported or dropped. Choose it again if you need it."), "caution")
    return redirect(url_for("calendar.import_form"), 303)


@blueprint.get("/calendar/import/<upload>")
def show_import(upload: str) -> Answer:
    """What importing the file would do."""
    calendar, title = _calendar()
    task = _check_of(upload)
    if task is not None:
        if task.state in tasks.OPEN:
            return _report_page(upload, None, calendar, title)
        if task.state != TaskState.DONE:
            return _choose(422, _no_events() if task.error == "no-events" else _("This file was not read. Choose it again."))
        return _report_page(upload, EventReport.from_json(tasks.result_of(task)["report"]), calendar, title)
    try:
        _task_id, content = _kept(upload)
        planned = importing.plan(content, calendar, objects.zone_of(settings().timezone), current_user())
    except FileGone:
        return _gone()
    except NotCalendarFile:
        return _choose(422, _no_events())
    return _report_page(upload, importing.report_of(planned), calendar, title)


def _check_of(upload: str) -> Task | None:
    try:
        task = tasks.find(current_user(), tasks.id_of_form(current_user(), upload))
    except tasks.NoSuchTask:
        return None
    return task if task.kind == import_task.CHECK else None


def _report_page(upload: str, report: EventReport | None, calendar: int, title: str) -> Response:
    name = safe_name(request.values.get("name", ""))[:100] if request.values.get("name") else ""
    return page(
        "calendar/import_report.html", upload=upload, report=report, name=name, calendar=calendar, title=title,
        repairs=_repair_words(report.repairs) if report else [],
    )  # fmt: skip


def _repair_words(repairs: Mapping[str, int]) -> list[str]:
    """What was put right in the file, one sentence for each kind of fault."""
    characters, uid = (repairs.get(kind, 0) for kind in (FileRepair.CHARACTERS, FileRepair.UID))
    told = [
        ngettext(
            "%(num)d event had characters that can’t be stored. They were left out.",
            "%(num)d events had characters that can’t be stored. They were left out.", characters,
        ) if characters else "",
        ngettext(
            "%(num)d event had no identifier and got one.", "%(num)d events had no identifier and got one.", uid
        ) if uid else "",
    ]  # fmt: skip
    return [words for words in told if words]


@blueprint.post("/calendar/import/<upload>")
def take_import(upload: str) -> Answer:
    """`action`: import the file that was shown, or cancel. `replace`: also events that are there in another version."""
    task = _check_of(upload)
    try:
        task_id, content = _kept(upload)
    except FileGone:
        return _gone() if request.form.get("action") != "cancel" else redirect(url_for("calendar.import_form"), 303)
    if request.form.get("action") != "import":
        _drop(task_id, task)
        return redirect(url_for("calendar.import_form"), 303)
    calendar, _title = _calendar()
    replace = bool(request.form.get("replace"))
    if not importing.is_small(content):
        return _start_import(upload, task_id, task, content, calendar, replace)
    user, done = current_user(), list[Done]()
    try:
        with user_lock(user.id):
            planned = importing.plan(content, calendar, objects.zone_of(settings().timezone), user)
            writes = planned.writes(calendar, replace=replace)
            importing.check_room_for(writes, settings())
            importing.apply(user, writes, settings(), done)
    except (LimitReached, NotWritable, EventChangedElsewhere, UidTaken, NotCalendarFile) as error:
        notify(_refused(error, done), "caution", undo=_offered(done), keep=_UNDO_SECONDS if done else 0)
        return redirect(url_for("calendar.show_import", upload=upload, calendar=calendar), 303)
    _drop(task_id, task)
    notify(_written(len(done)), "done", undo=_offered(done), keep=_UNDO_SECONDS)
    return redirect(url_for("calendar.show"), 303)


def _offered(done: list[Done]) -> tuple[str, Facts] | None:
    undo = importing.offer_undo(current_user(), done) if done else ""
    return (url_for("calendar.undo_import"), {"undo": undo}) if undo else None


def _no_room() -> str:
    return _("There is not enough space in this calendar. Nothing was imported.")


def _refused(error: Exception, done: list[Done]) -> str:
    if isinstance(error, LimitReached):
        return _("There is no space left in this calendar. What was imported before that stays.") if done else _no_room()
    if isinstance(error, NotWritable):
        return _("You can’t add events to this calendar.")
    return _("The calendar has changed in the meantime. Try again: nothing will be done twice.")


def _written(count: int) -> str:
    return ngettext("%(num)d event imported.", "%(num)d events imported.", count)


def _drop(task_id: str, task: Task | None) -> None:
    files.forget(settings(), task_id)
    if task is not None:
        tasks.remove(current_user(), task.id)


def _start_import(upload: str, task_id: str, task: Task | None, content: bytes, calendar: int, replace: bool) -> Answer:
    """Leave a large file to a worker."""
    if task is None or task.state != TaskState.DONE:
        return redirect(url_for("calendar.show_import", upload=upload, calendar=calendar), 303)
    about = {"name": json.loads(task.arguments)["name"], "calendar": calendar, "replace": replace}
    try:
        started = task_files.start(
            current_user(), import_task.NAME, about, settings(), form=f"{upload} import", name=import_task.FILE, chunks=[content]
        )  # fmt: skip
    except (LimitReached, StorageFull, StorageAway) as error:
        return _not_kept(error)
    _drop(task_id, task)
    task_started(started)
    return redirect(url_for("calendar.show"), 303)


@blueprint.post("/calendar/import/undo")
def undo_import() -> Answer:
    back = redirect(url_for("accounts.tasks" if request.form.get("task") else "calendar.show"), 303)
    try:
        if task := request.form.get("task"):
            undo_of_task(task, import_task.NAME, import_task.UNDO, importing.take_back, _taken_back)
            return back
        count = importing.undo(current_user(), request.form.get("undo", ""), settings())
    except (LimitReached, NotWritable, UidTaken):
        notify(_no_undo(), "caution")
        return back
    notify(_taken_back(count) if count else _("There was nothing to undo."))
    return back


def _taken_back(count: int) -> str:
    return ngettext("Import undone: %(num)d event.", "Import undone: %(num)d events.", count)


def _no_undo() -> str:
    return _("This can’t be undone any more: the calendar is full, or you can no longer change it.")


# --- as tasks --------------------------------------------------------------------------------------------------------


def _failed(reason: str) -> str:
    return {
        "no-events": _no_events(),
        "no-room": _no_room(),
        "too-many": _("There is no space left in this calendar. What was imported before that stays."),
        "changed": _("The calendar has changed in the meantime. Import the file again: nothing will be done twice."),
        "read-only": _("You can’t add events to this calendar."),
        "file-gone": _("The file is no longer available. Import it again."),
    }.get(reason, "")


def _undo_of(facts: Facts) -> tuple[str, Facts] | None:
    return (url_for("calendar.undo_import"), {"task": facts["task"]}) if any_changes(facts["cursor"], "written") else None


TASK_TEXTS[import_task.NAME] = TaskText(
    title=lambda about: _("Importing events from “%(name)s”.", name=about["name"]),
    done=lambda result: _written(result["written"]),
    failed=_failed,
    link=lambda _result: (url_for("calendar.show"), _("View the calendar")),
    undo=_undo_of,
)

TASK_TEXTS[import_task.CHECK] = TaskText(
    title=lambda about: _("Reading events from “%(name)s”.", name=about["name"]),
    done=lambda _result: _("The file was read. Nothing has been imported yet."),
    failed=_failed,
    link=lambda result: (
        url_for("calendar.show_import", upload=result["form"], calendar=result["calendar"]), _("See what it would do"),
    ),
)  # fmt: skip

TASK_TEXTS[import_task.UNDO] = undo_text(lambda _about: _("Undoing an import of events."), _taken_back, _no_undo)
