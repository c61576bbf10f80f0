"""School year pages: what each class does, a file of the new people, a preview; then a task does all of it."""

from __future__ import annotations

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.imports import import_task, import_texts, people_columns, people_plan, school_year
from webmail.admin.imports.people_columns import NotPeopleFileError, PeopleLine, PeopleTable
from webmail.admin.imports.people_plan import ImportOptions, PeoplePlanner
from webmail.admin.imports.school_year import LEAVES, STAYS, SchoolYear
from webmail.admin.imports.waiting_plan import WaitingPlan
from webmail.admin.views.access import administrator
from webmail.admin.views.imports import waiting_imports
from webmail.mime.headers.encoded_words import sort_key
from webmail.people import groups, memberships
from webmail.web.current import current_user, settings
from webmail.web.forms.import_pages import ImportRefusedError
from webmail.web.notices import notify
from webmail.web.rendering import page

_FORM = "admin.school_year"
_MOST_GROUPS = 2000
_FIRST_GROUPS = 50  # that are shown where none looks like a class


@blueprint.get("/people/school-year", endpoint="school_year")
def choose_classes() -> Response:
    """What each group of the `domain` would do. Two SELECTs."""
    return _choose()


def _choose(status: int = 200, problem: str = "") -> Response:
    domains = _domains()
    domain = request.values.get("domain", "")
    domain = domain if domain in domains else (domains[0] if domains else "")
    listed = groups.listed(domain)[:_MOST_GROUPS]
    guessed = school_year.guessed(group.name for group, _size in listed)
    classes = sum(target != STAYS for target in guessed.values())
    shown = listed if "all" in request.values else [(one, size) for one, size in listed if guessed[one.name] != STAYS]
    shown = shown or listed[:_FIRST_GROUPS]
    chosen = {group.id: _target(group.id, guessed[group.name]) for group, _size in shown}
    return page(
        "admin/imports/school_year.html", status, problem=problem, domain=domain, domains=domains, listed=shown, chosen=chosen,
        leaves=LEAVES, stays=STAYS, form=request.form, classes=classes, others=len(listed) - len(shown),
    )  # fmt: skip


def _target(number: int, before: str) -> str:
    """What the form says of a group: STAYS, LEAVES, or the name of the next one; `before` where it says nothing."""
    said = request.form.get(f"g{number}")
    if said is None:
        return before
    if said == "+":
        return " ".join(request.form.get(f"to{number}", "").split())[: groups.LONGEST_NAME]
    return LEAVES if said == LEAVES else STAYS


def _domains() -> list[str]:
    """Those that groups may be of, the administrator's own first."""
    scope = administrator()
    known = {settings().domain.lower(), *(one.name.lower() for one in settings().domains), current_user().domain, *scope.domains}
    mine = [one for one in known if one and scope.has_domain(one)]
    return sorted(mine, key=lambda one: (one != current_user().domain, one))


@blueprint.post("/people/school-year")
def preview_school_year() -> AnyResponse:
    """Plan what was chosen: `g<number>` of each group, `not_moved`, `ends`, and the `file`, if there is one."""
    try:
        waiting, content = _planned()
        upload = waiting_imports.keep_new(waiting, content)
    except ImportRefusedError as error:
        return _choose(error.status, error.words)
    except NotPeopleFileError as error:
        return _choose(422, import_texts.not_a_table(str(error)))
    return redirect(url_for("admin.planned_school_year", upload=upload), 303)


def _planned() -> tuple[WaitingPlan, bytes]:
    scope, domain = administrator(), request.form.get("domain", "")
    if domain not in _domains():
        raise ImportRefusedError(_("Choose a domain."))
    listed = groups.listed(domain)[:_MOST_GROUPS]
    moves = {group.name: _target(group.id, STAYS) for group, _size in listed}
    if unusable := next((name for name in moves.values() if name not in (STAYS, LEAVES) and not memberships.usable(name)), ""):
        raise ImportRefusedError(import_texts.reason_text("group-name", unusable))
    known = {sort_key(group.name) for group, _size in listed}
    not_moved = [one for part in request.form.get("not_moved", "")[:2000].split(",") if (one := " ".join(part.split()))]
    if unknown := next((one for one in not_moved if sort_key(one) not in known), ""):
        raise ImportRefusedError(import_texts.reason_text("no-group", unknown))
    content, name = waiting_imports.chosen_file(people_columns.LARGEST, needed=False)
    year = SchoolYear(domain, moves, not_moved, is_whole=bool(content) and "is_whole" in request.form)
    options = ImportOptions(
        domain=domain, ends=waiting_imports.last_day(), passwords="passwords" in request.form, days_valid=people_plan.DAYS_VALID
    )
    table, lines = _lines(content)
    unit = people_columns.unit_of(table) if table else ""
    planner = PeoplePlanner(options, scope, settings(), importer=current_user(), unit=unit)
    planned = school_year.plan(year, lines, planner)
    waiting = WaitingPlan(name or _("New school year"), table.columns if table else None, options, planned, year.to_json())
    return waiting, content


def _lines(content: bytes) -> tuple[PeopleTable | None, list[PeopleLine]]:
    if not content:
        return None, []
    table = people_columns.read(content)
    if not table.columns.are_enough:
        raise ImportRefusedError(
            _("No column with addresses or names was recognised in this file. Name its columns in the first line.")
        )
    return table, people_columns.lines(table)


@blueprint.get("/people/school-year/<upload>")
def planned_school_year(upload: str) -> Response:
    """What the year would do, person by person."""
    waiting = waiting_imports.load(upload, _FORM)
    return page(
        "admin/imports/planned_year.html", upload=upload, waiting=waiting, counts=people_plan.counts(waiting.planned),
        shown=waiting_imports.page_of(waiting.planned), outcomes=import_texts.outcome_labels(),
        useful=waiting_imports.is_useful(waiting.planned), **import_texts.for_lines(),
    )  # fmt: skip


@blueprint.post("/people/school-year/<upload>")
def begin_school_year(upload: str) -> AnyResponse:
    """`action`: do what was shown, or cancel."""
    administrator()
    if request.form.get("action") != "import":
        waiting_imports.drop(upload)
        notify(_("Nothing was changed."), "plain")
        return redirect(url_for(_FORM), 303)
    waiting = waiting_imports.load(upload, _FORM)
    if waiting_imports.is_useful(waiting.planned) and waiting_imports.begin(upload, waiting, import_task.SCHOOL_YEAR):
        return redirect(url_for(_FORM), 303)
    return redirect(url_for("admin.planned_school_year", upload=upload), 303)
