"""Waiting imports: what pages of files of people have in common: the plan that waits, its lines by pages, starting the task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.imports import cell_values, import_task, people_plan, waiting_plan
from webmail.admin.imports.import_task import ImportUnderWayError
from webmail.admin.imports.people_plan import LineOutcome, PlannedPerson
from webmail.admin.imports.waiting_plan import WaitingPlan
from webmail.admin.views.access import administrator
from webmail.mime.headers.filenames import safe_name
from webmail.storage import FileGoneError
from webmail.tasks import store as tasks
from webmail.tasks import waiting_files
from webmail.web.current import current_user, settings
from webmail.web.formatting import file_size
from webmail.web.forms.import_pages import ImportRefusedError, refusals, task_of_upload
from webmail.web.notices import notify
from webmail.web.texts.task_texts import task_started

_PAGE = 50  # lines


class PlanGoneError(Exception):
    """It does not wait any more; `form`: the endpoint where one begins again."""

    def __init__(self, form: str) -> None:
        super().__init__(form)
        self.form = form


@blueprint.errorhandler(PlanGoneError)
def begin_again(gone: PlanGoneError) -> AnyResponse:
    notify(_("This file is no longer here: it was imported or discarded. Choose it again if you need it."), "caution")
    return redirect(url_for(gone.form), 303)


@dataclass(frozen=True, slots=True)
class PlannedPage:
    """Lines of a plan: those of one outcome, or all. `chosen`: "" for all but what stays as it is."""

    lines: Sequence[PlannedPerson]
    chosen: str
    number: int
    more: bool


def page_of(planned: Sequence[PlannedPerson]) -> PlannedPage:
    """The lines that the address asks for."""
    chosen = request.args.get("outcome", "")
    chosen = chosen if chosen in tuple(LineOutcome) else ""
    lines = [one for one in planned if (one.outcome == chosen if chosen else one.outcome != LineOutcome.SAME)]
    if not chosen:  # what needs a look first
        lines.sort(key=lambda one: one.outcome != LineOutcome.REFUSED)
    number = min(max(request.args.get("page", 1, int), 1), 1000)
    return PlannedPage(lines[(number - 1) * _PAGE : number * _PAGE], chosen, number, len(lines) > number * _PAGE)


def last_day() -> str:
    """The last day that the form says, "" for none. Raises ImportRefusedError."""
    typed = request.form.get("ends", "").strip()
    day = cell_values.day(typed) if typed else None
    if typed and (day is None or day <= date.today()):
        raise ImportRefusedError(_("Enter a date in the future, such as 2027-08-31."))
    return day.isoformat() if day else ""


def chosen_file(largest: int, *, needed: bool = True) -> tuple[bytes, str]:
    """The file that the form brings, and its name. Raises ImportRefusedError."""
    file = request.files.get("file")
    content = file.stream.read(largest + 1) if file else b""
    if len(content) > largest:
        raise ImportRefusedError(_("This file is too large. The limit is %(limit)s.", limit=file_size(largest)), 413)
    if not content and needed:
        raise ImportRefusedError(_("Choose a file first."))
    return content, safe_name(file.filename or "")[:100] if file else ""


def keep_new(waiting: WaitingPlan, content: bytes) -> str:
    """Have it wait; returns what it is called in addresses."""
    upload = tasks.new_id()
    with refusals():
        if content:
            waiting_files.keep(settings(), task_of_upload(upload), content)
        waiting_plan.keep(settings(), task_of_upload(upload), waiting)
    return upload


def keep_again(upload: str, waiting: WaitingPlan) -> None:
    with refusals():
        waiting_plan.keep(settings(), task_of_upload(upload), waiting)


def load(upload: str, form: str) -> WaitingPlan:
    """Raises PlanGoneError."""
    try:
        return waiting_plan.load(settings(), task_of_upload(upload))
    except FileGoneError as error:
        raise PlanGoneError(form) from error


def content_of(upload: str, form: str) -> bytes:
    """Raises PlanGoneError."""
    try:
        return waiting_files.content_of(settings(), task_of_upload(upload))
    except FileGoneError as error:
        raise PlanGoneError(form) from error


def drop(upload: str) -> None:
    waiting_files.forget(settings(), task_of_upload(upload))


def begin(upload: str, waiting: WaitingPlan, kind: str) -> bool:
    """Start the task that does what was planned; else say why not."""
    about = {"name": waiting.name, "passwords": waiting.options.passwords, "days_valid": waiting.options.days_valid}
    try:
        with refusals():
            started = import_task.start(current_user(), kind, waiting.planned, about, settings(), form=f"{upload} people")
    except ImportUnderWayError as error:
        notify(_under_way(error), "caution")
        return False
    drop(upload)
    task_started(started)
    return True


def _under_way(error: ImportUnderWayError) -> str:
    other = error.task.user
    if other.id == current_user().id:
        return _("You are importing people already. Wait until that is done.")
    if administrator().includes(other):
        return _("%(name)s is importing people at the moment. Wait until that is done.", name=other.name or other.address)
    return _("People are being imported at the moment. Wait until that is done.")


def is_useful(planned: Sequence[PlannedPerson]) -> bool:
    """Whether there is anything to do."""
    found = people_plan.counts(planned)
    return any(found[outcome] for outcome in (LineOutcome.CREATED, LineOutcome.CHANGED, LineOutcome.DISABLED))
