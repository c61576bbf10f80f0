"""Import pages of calendar files: a file and a calendar are chosen, what would change is shown, then it is done
(webmail/web/forms/import_pages.py); and exports.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from webmail.calendar import editing, objects
from webmail.calendar.blueprint import blueprint
from webmail.calendar.editing import Done, EventChangedElsewhereError, NotWritableError
from webmail.calendar.files import import_task, importing
from webmail.calendar.files.importing import EventReport
from webmail.calendar.objects import UidTakenError
from webmail.collections import look
from webmail.database.user_lock import user_lock
from webmail.errors import LimitReachedError
from webmail.mime.formats.calendars.calendar_files import FileRepair, NotCalendarFileError
from webmail.web.current import current_user, settings
from webmail.web.forms.import_pages import ImportPages, ImportRefusedError, name_asked
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.task_undo import any_changes, undo_of_task, undo_text
from webmail.web.texts.task_texts import TASK_TEXTS, Facts, TaskText

_UNDO_SECONDS = 300


def _no_events() -> str:
    return _("No events found in this file. Choose a calendar file (.ics).")


_PAGES = ImportPages(
    area="calendar", largest=importing.LARGEST_FILE, check=import_task.CHECK, empty="no-events", work=import_task.NAME,
    file=import_task.FILE, unnamed=lambda: _("calendar"), nothing=_no_events,
)  # fmt: skip


@blueprint.get("/calendar/import")
def import_form() -> Response:
    """Choosing a file to import, and what can be saved. 4 queries."""
    return _choose()


def _choose(status: int = 200, problem: str = "") -> Response:
    mine = [one for one in editing.calendars(current_user()) if one.reads]
    return page(
        "calendar/import.html", status, problem=problem, chosen=_calendar_asked(),
        calendars=[(one.collection.id, look.title_of(one.props)) for one in editing.writable(current_user())],
        exports=[(one.collection.id, look.title_of(one.props)) for one in mine],
    )  # fmt: skip


_PAGES.install(blueprint, _choose)


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
    return found.collection.id, look.title_of(found.props)


@blueprint.post("/calendar/import")
def import_file() -> Answer:
    """Keep the file until it is decided on."""
    content, name = _PAGES.chosen()
    if b"BEGIN:V" not in content.upper().replace(b"\0", b""):
        raise ImportRefusedError(_no_events())
    calendar, _title = _calendar()
    large = not importing.is_small(content)
    upload = _PAGES.keep(content, large=large)
    if large:
        _PAGES.look_through(upload, name, {"calendar": calendar})
    return _PAGES.to("show_import", upload=upload, name=name or None, calendar=calendar)


@blueprint.get("/calendar/import/<upload>")
def show_import(upload: str) -> Answer:
    """What importing the file would do."""
    calendar, title = _calendar()
    if (found := _PAGES.found(upload)) is not None:
        return _report_page(upload, EventReport.from_json(found["report"]) if found else None, calendar, title)
    try:
        planned = importing.plan(_PAGES.waiting(upload)[1], calendar, objects.zone_of(settings().timezone), current_user())
    except NotCalendarFileError as error:
        raise ImportRefusedError(_no_events()) from error
    return _report_page(upload, importing.report_of(planned), calendar, title)


def _report_page(upload: str, report: EventReport | None, calendar: int, title: str) -> Response:
    again = url_for("calendar.show_import", upload=upload, calendar=calendar, name=name_asked() or None)
    return page(
        "calendar/import_report.html", upload=upload, report=report, name=name_asked(), calendar=calendar, title=title,
        again=again, repairs=_repair_words(report.repairs) if report else [],
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
    if (content := _PAGES.decided(upload)) is None:
        return _PAGES.to("import_form")
    calendar, _title = _calendar()
    replace = bool(request.form.get("replace"))
    if not importing.is_small(content):
        told = {"calendar": calendar, "replace": replace}
        return _PAGES.leave_to_worker(upload, content, lambda _found: told, calendar=calendar)
    user, done = current_user(), list[Done]()
    try:
        with user_lock(user.id):
            planned = importing.plan(content, calendar, objects.zone_of(settings().timezone), user)
            writes = planned.writes(calendar, replace=replace)
            importing.check_room_for(writes, settings())
            importing.apply(user, writes, settings(), done)
    except (LimitReachedError, NotWritableError, EventChangedElsewhereError, UidTakenError, NotCalendarFileError) as error:
        notify(_refused(error, done), "caution", undo=_undo_offer(done), keep=_UNDO_SECONDS if done else 0)
        return _PAGES.to("show_import", upload=upload, calendar=calendar)
    _PAGES.drop(upload)
    notify(_written(len(done)), "done", undo=_undo_offer(done), keep=_UNDO_SECONDS)
    return _PAGES.to("show")


def _undo_offer(done: list[Done]) -> tuple[str, Facts] | None:
    undo = importing.store_undo_step(current_user(), done) if done else ""
    return (url_for("calendar.undo_import"), {"undo": undo}) if undo else None


def _no_room() -> str:
    return _("There is not enough space in this calendar. Nothing was imported.")


def _refused(error: Exception, done: list[Done]) -> str:
    if isinstance(error, LimitReachedError):
        return _("There is no space left in this calendar. What was already imported stays.") if done else _no_room()
    if isinstance(error, NotWritableError):
        return _("You can’t add events to this calendar.")
    return _("The calendar has changed in the meantime. Try again: nothing will be done twice.")


def _written(count: int) -> str:
    return ngettext("%(num)d event imported.", "%(num)d events imported.", count)


@blueprint.post("/calendar/import/undo")
def undo_import() -> Answer:
    back = redirect(url_for("accounts.tasks" if request.form.get("task") else "calendar.show"), 303)
    try:
        if task := request.form.get("task"):
            undo_of_task(task, import_task.NAME, import_task.UNDO, importing.take_back, _taken_back)
            return back
        count = importing.undo(current_user(), request.form.get("undo", ""), settings())
    except (LimitReachedError, NotWritableError, UidTakenError):
        notify(_no_undo(), "caution")
        return back
    notify(_taken_back(count) if count else _("There was nothing to undo."))
    return back


def _taken_back(count: int) -> str:
    return ngettext("Import undone: %(num)d event.", "Import undone: %(num)d events.", count)


def _no_undo() -> str:
    return _("This can no longer be undone: the calendar is full, or you can’t change it any more.")


# --- as tasks --------------------------------------------------------------------------------------------------------


def _failed(reason: str) -> str:
    return {
        "no-events": _no_events(),
        "no-room": _no_room(),
        "too-many": _("There is no space left in this calendar. What was already imported stays."),
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

_PAGES.tell(
    lambda about: _("Reading events from “%(name)s”.", name=about["name"]), _failed,
    lambda result: url_for("calendar.show_import", upload=result["form"], calendar=result["calendar"]),
)  # fmt: skip

TASK_TEXTS[import_task.UNDO] = undo_text(lambda _about: _("Undoing an import of events."), _taken_back, _no_undo)
