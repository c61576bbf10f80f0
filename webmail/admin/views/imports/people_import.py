"""People import: a CSV file is chosen; its columns and what it would do stand on one page; then a task does it.

Nothing is written before *Import* is pressed, and then exactly what the page showed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.imports import (
    cell_values,
    import_task,
    import_texts,
    people_changes,
    people_columns,
    people_plan,
    saved_choices,
)
from webmail.admin.imports.people_columns import NotPeopleFileError, PeopleColumns, PeopleTable
from webmail.admin.imports.people_plan import ImportOptions, Missing, PeoplePlanner
from webmail.admin.imports.waiting_plan import WaitingPlan
from webmail.admin.views.access import administrator
from webmail.admin.views.imports import waiting_imports
from webmail.errors import LimitReachedError
from webmail.web.current import current_user, settings
from webmail.web.forms.import_pages import ImportRefusedError
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.task_undo import undo_of_task, undo_text
from webmail.web.texts.task_texts import TASK_TEXTS, Facts, TaskText

_FORM = "admin.people_import_form"


@blueprint.get("/people/import")
def people_import_form() -> Response:
    """Where a file is chosen. One SELECT."""
    return _choose()


def _choose(status: int = 200, problem: str = "") -> Response:
    administrator()
    return page(
        "admin/imports/people_form.html", status, problem=problem, largest=people_columns.LARGEST,
        most=people_columns.MOST_LINES, saved=saved_choices.listed(current_user()), fields=import_texts.field_labels(),
    )  # fmt: skip


@blueprint.post("/people/import")
def choose_people_file() -> AnyResponse:
    """Keep the `file`, and plan what it would do; `saved`: the name of choices, if they were named."""
    scope = administrator()
    try:
        content, name = waiting_imports.chosen_file(people_columns.LARGEST)
        table = people_columns.read(content)
    except ImportRefusedError as error:
        return _choose(error.status, error.words)
    except NotPeopleFileError as error:
        return _choose(422, import_texts.not_a_table(str(error)))
    options = ImportOptions(domain=_first_domain())
    named = request.form.get("saved", "")
    saved = saved_choices.find(current_user(), named) if named else saved_choices.fitting(current_user(), table)
    if saved is not None:
        table = replace(table, columns=saved.columns.applied(table))
        options = replace(saved.options, ends="" if _is_over(saved.options.ends) else saved.options.ends)
    waiting = WaitingPlan(name or _("people.csv"), table.columns, options)
    _plan(waiting, table, scope)
    try:
        upload = waiting_imports.keep_new(waiting, content)
    except ImportRefusedError as error:
        return _choose(error.status, error.words)
    return redirect(url_for("admin.people_import", upload=upload), 303)


def _plan(waiting: WaitingPlan, table: PeopleTable, scope: Any) -> None:
    waiting.columns = table.columns
    if not table.columns.are_enough or table.columns.doubled:
        waiting.planned = []
        return
    unit = people_columns.unit_of(table)
    planner = PeoplePlanner(waiting.options, scope, settings(), importer=current_user(), unit=unit)
    waiting.planned = planner.plan(people_columns.lines(table))


@blueprint.get("/people/import/<upload>")
def people_import(upload: str) -> Response:
    """The columns, the options, and what the file would do, line by line."""
    return _report(upload, waiting_imports.load(upload, _FORM))


def _report(upload: str, waiting: WaitingPlan, status: int = 200, problem: str = "", name: str = "") -> Response:
    table = people_columns.read(waiting_imports.content_of(upload, _FORM), waiting.columns)
    counts = people_plan.counts(waiting.planned)
    return page(
        "admin/imports/people_import.html", status, upload=upload, waiting=waiting, table=table, problem=problem, counts=counts,
        shown=waiting_imports.page_of(waiting.planned), fields=import_texts.field_labels(), rules=import_texts.rule_labels(),
        outcomes=import_texts.outcome_labels(), too_many=people_plan.is_too_many(waiting.planned, waiting.options),
        useful=waiting_imports.is_useful(waiting.planned), most_days=people_plan.MOST_DAYS_VALID, save_name=name,
        ours=settings().sign_in == "accounts", **import_texts.for_lines(),
    )  # fmt: skip


@blueprint.post("/people/import/<upload>")
def take_people_import(upload: str) -> AnyResponse:
    """`action`: look again with other columns and options, save them by `name`, import what was shown, or cancel."""
    scope, action = administrator(), request.form.get("action", "")
    if action == "cancel":
        waiting_imports.drop(upload)
        notify(_("Nothing was imported."), "plain")
        return redirect(url_for(_FORM), 303)
    waiting = waiting_imports.load(upload, _FORM)
    content = waiting_imports.content_of(upload, _FORM)
    before = (waiting.columns, waiting.options)
    try:
        waiting.columns, waiting.options = _chosen(waiting)
    except ImportRefusedError as error:
        return _report(upload, waiting, 422, error.words)
    try:
        table = people_columns.read(content, waiting.columns)
    except NotPeopleFileError as error:
        return _report(upload, waiting, 422, import_texts.not_a_table(str(error)))
    changed = (table.columns, waiting.options) != before
    if changed or action == "look":
        _plan(waiting, table, scope)
        waiting_imports.keep_again(upload, waiting)
    if action == "save":
        return _save(upload, waiting, table)
    if action == "import":
        return _import(upload, waiting, changed=changed)
    return redirect(url_for("admin.people_import", upload=upload), 303)


def _import(upload: str, waiting: WaitingPlan, *, changed: bool) -> AnyResponse:
    here = redirect(url_for("admin.people_import", upload=upload), 303)
    if changed:
        notify(_("You changed the choices. This is what the file would do now: look at it, then import."), "caution")
        return here
    if people_plan.is_too_many(waiting.planned, waiting.options) or not waiting_imports.is_useful(waiting.planned):
        return here  # the page says so
    if not waiting_imports.begin(upload, waiting, import_task.IMPORT):
        return here
    return redirect(url_for(_FORM), 303)


def _save(upload: str, waiting: WaitingPlan, table: PeopleTable) -> AnyResponse:
    name = request.form.get("name", "")
    try:
        saved_choices.save(current_user(), name, table, waiting.options)
    except ValueError:
        return _report(upload, waiting, 422, _("Give these choices a name, to save them."), name)
    except LimitReachedError:
        return _report(
            upload, waiting, 422, _("You have %(most)d saved choices: delete one first.", most=saved_choices.MOST), name
        )
    notify(_("Saved as “%(name)s”. The next file with these columns is read in the same way.", name=" ".join(name.split())))
    return redirect(url_for("admin.people_import", upload=upload), 303)


@blueprint.post("/people/import/saved")
def remove_saved_choices() -> AnyResponse:
    """Delete choices by their `name`."""
    administrator()
    if saved_choices.remove(current_user(), request.form.get("name", "")):
        notify(_("Deleted."))
    return redirect(url_for(_FORM), 303)


# --- the form --------------------------------------------------------------------------------------------------------


def _chosen(waiting: WaitingPlan) -> tuple[PeopleColumns | None, ImportOptions]:
    """Columns and options as the form says; those of before where it says nothing. Raises ImportRefusedError."""
    form, before = request.form, waiting.options
    if "column" not in form:
        return waiting.columns, before
    keys = tuple(key if key in people_columns.FIELDS else "" for key in form.getlist("column")[: people_columns.MOST_COLUMNS])
    domain = form.get("domain", "").strip().lower().lstrip("@")[:190]
    missing = form.get("missing", "")
    rule = form.get("rule", "")
    options = ImportOptions(
        domain=domain, rule=rule if rule in cell_values.RULES else before.rule, replace_groups="replace_groups" in form,
        make_groups="make_groups" in form, passwords="passwords" in form,
        days_valid=_number("days_valid", people_plan.MOST_DAYS_VALID, before.days_valid),
        missing=missing if missing in tuple(Missing) else "", ends=waiting_imports.last_day(),
        ceiling=_number("ceiling", 10_000, before.ceiling),
    )  # fmt: skip
    return PeopleColumns(keys, "header" in form), options


def _number(name: str, most: int, before: int) -> int:
    typed = request.form.get(name, "").strip()
    return min(max(int(typed), 1), most) if typed.isascii() and typed.isdigit() and len(typed) < 7 else before


def _is_over(ends: str) -> bool:
    return bool(ends) and date.fromisoformat(ends) <= date.today()


def _first_domain() -> str:
    scope = administrator()
    own = current_user().domain
    return own if scope.has_domain(own) else min(scope.domains, default="")


# --- as tasks --------------------------------------------------------------------------------------------------------


@blueprint.post("/people/import/undo")
def undo_people_import() -> AnyResponse:
    """Undo what the `task` did, import or school year."""
    administrator()
    task = request.form.get("task", "")
    for kind in (import_task.IMPORT, import_task.SCHOOL_YEAR):
        if import_task.is_of_kind(current_user(), task, kind):
            undo_of_task(task, kind, import_task.UNDO, people_changes.take_back, _undone)
            break
    else:
        notify(_("There was nothing to undo."))
    return redirect(url_for("accounts.tasks"), 303)


def _undone(count: int) -> str:
    return ngettext("%(num)d change undone.", "%(num)d changes undone.", count)


def _undo(facts: Facts) -> tuple[str, Facts] | None:
    done = any((facts["cursor"] or {}).get("counts", {}).values())
    return (url_for("admin.undo_people_import"), {"task": facts["task"]}) if done else None


def _link(result: Facts) -> tuple[str, str] | None:
    return (url_for("admin.password_sheets"), _("Print the passwords")) if result.get("sheet") else None


TASK_TEXTS[import_task.IMPORT] = TaskText(
    title=lambda about: _("Importing people from “%(name)s”.", name=about["name"]),
    done=import_texts.done_text, failed=import_texts.failed_text, link=_link, undo=_undo,
)  # fmt: skip
TASK_TEXTS[import_task.SCHOOL_YEAR] = TaskText(
    title=lambda _about: _("Beginning the new school year."),
    done=import_texts.done_text, failed=import_texts.failed_text, link=_link, undo=_undo,
)  # fmt: skip
TASK_TEXTS[import_task.UNDO] = undo_text(
    lambda _about: _("Undoing an import of people."), _undone, lambda: _("Not everything could be undone.")
)
