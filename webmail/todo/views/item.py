"""The page of something to be done, which is its form; and that of something new."""

from __future__ import annotations

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.auth.guard import keeps_text
from webmail.calendar import editing, event_changes
from webmail.calendar.display.event_texts import repeat_words
from webmail.calendar.todos import todo_changes, todo_lists
from webmail.collections.store import Access
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.calendars.todo_edit import ReadTodo, TodoFields
from webmail.models import CalendarObject
from webmail.todo import todo_texts
from webmail.todo.blueprint import blueprint
from webmail.todo.forms import REMINDERS, TodoForm
from webmail.todo.views.common import list_words, mine, my_lists, now_here, todo_url
from webmail.todo.views.doing import REFUSALS, say_refused, tell, write
from webmail.todo.views.listing import ref_of
from webmail.web.current import time_zone
from webmail.web.forms.request_values import local_path
from webmail.web.notices import notify
from webmail.web.rendering import page

_EMPTY_REMINDERS = 1


@blueprint.get("/todo/new")
def new() -> Response:
    """An empty form; in the query fields of it (`title`, `due`, `list`, `parent` ...)."""
    form = TodoForm.sent(request.args)
    form.uid = event_changes.new_uid()
    return form_page(form)


@blueprint.post("/todo/new")
@keeps_text
def add() -> Answer:
    form = TodoForm.sent(request.form)
    fields, chosen = form.fields(time_zone()), _chosen(form)
    if fields is None or chosen is None:
        return form_page(form, status=422)
    made = todo_changes.addition(chosen.collection.id, form.uid or event_changes.new_uid(), fields)
    try:
        undo = write([made])
    except editing.EventChangedElsewhereError:  # a second click
        return redirect(todo_url(made.calendar, made.href), 303)
    except UnusableCalendarError:
        form.errors["repeat"] = _("A task can’t repeat that often, or for that long.")
        return form_page(form, status=422)
    except REFUSALS as error:
        say_refused(error)
        return form_page(form, status=422)
    tell(_("“%(title)s” was added.", title=fields.title), undo)
    return redirect(_after(form, made.calendar), 303)


def _after(form: TodoForm, calendar: int) -> str:
    """Where one goes on: to what it is a part of, or to its list."""
    whole = todo_lists.parent_of(calendar, form.parent)
    return todo_url(calendar, whole.href) if whole else local_path(request.form.get("back", "")) or url_for("todo.show")


@blueprint.get("/todo/items/<int:calendar>/<href>")
def edit(calendar: int, href: str) -> Response:
    access, row, found = mine(calendar, href)
    return form_page(_form_of(row, found), (access, row, found))


@blueprint.post("/todo/items/<int:calendar>/<href>")
@keeps_text
def change(calendar: int, href: str) -> Answer:
    access, row, found = mine(calendar, href)
    if not access.writes:
        abort(403)
    form = TodoForm.sent(request.form)
    fields, chosen = form.fields(time_zone(), found), _chosen(form, access)
    if form.revision != row.etag:
        if fields == found.fields:  # a second click
            return redirect(todo_url(calendar, href), 303)
        notify(_("This task was changed elsewhere. Your changes are not saved yet: check them, then save again."), "caution")
        form.revision = row.etag
        return form_page(form, (access, row, found), 409)
    if fields is None or chosen is None:
        return form_page(form, (access, row, found), 422)
    writes = todo_changes.change(row, found, fields, chosen.collection.id)
    if writes[-1].text == row.text and len(writes) == 1:
        return redirect(_list_url(row.collection_id), 303)
    try:
        undo = write(writes)
    except UnusableCalendarError:
        form.errors["repeat"] = _("A task can’t repeat that often, or for that long.")
        return form_page(form, (access, row, found), 422)
    except REFUSALS as error:
        say_refused(error)
        return form_page(form, (access, row, found), 409)
    tell(_("Task saved."), undo)
    return redirect(_list_url(writes[-1].calendar), 303)


def _list_url(number: int) -> str:
    return url_for("todo.show_list", number=number)


def _form_of(row: CalendarObject, found: ReadTodo) -> TodoForm:
    form = TodoForm.showing(found.fields, found.tz)
    form.revision, form.list_number = row.etag, str(row.collection_id)
    return form


def _chosen(form: TodoForm, present: Access | None = None) -> Access | None:
    """The list of the form; noted as an error if it can't be."""
    may = {str(one.collection.id): one for one in my_lists() if one.writes}
    if present is not None:
        may.setdefault(str(present.collection.id), present)
    if not form.list_number:
        return present or next(iter(may.values()), None)
    if form.list_number not in may:
        form.errors["list"] = _("Choose a list: you can’t add tasks to the one you chose before.")
    return may.get(form.list_number)


def form_page(
    form: TodoForm, existing: tuple[Access, CalendarObject, ReadTodo] | None = None, status: int = 200, *, back: str = ""
) -> Response:
    """The form's page. `back`: the page of the message that it comes from."""
    access, row, found = existing or (None, None, None)
    fields = found.fields if found else TodoFields()
    calendar = (
        row.collection_id if row else int(form.list_number) if form.list_number.isdecimal() and len(form.list_number) < 16 else 0
    )
    whole = todo_lists.parent_of(calendar, form.parent) if calendar and calendar in _readable() else None
    entry = todo_lists.row_of(row.id) if row else None
    first = fields.start or fields.due
    shown = form.typed_repeat()
    return page(
        "todo/form.html", status, form=form, row=row, found=found, fields=fields, back=back, whole=whole,
        parts=todo_lists.parts_of(row.collection_id, row.uid) if row else [],
        lists=[(str(one.collection.id), list_words(one)) for one in my_lists() if one.writes],
        list_name=list_words(access) if access else "", writes=access is None or access.writes,
        priorities=todo_texts.priority_choices(int(form.priority) if form.priority.isdecimal() else 0),
        percents=todo_texts.percent_choices(fields.percent), repeats=todo_texts.repeat_choices(shown),
        reminders=[*form.reminders, *[""] * _EMPTY_REMINDERS], offered=REMINDERS, own_zone=str(time_zone()), now=now_here(),
        kept=repeat_words(shown, first) if shown.kind == "kept" and first else "",
        ref=f"{row.collection_id}/{entry.due if entry else '-'}/{row.href}" if row else "", ref_of=ref_of,
        due_words=todo_texts.due_words,
    )  # fmt: skip


def _readable() -> set[int]:
    return {one.collection.id for one in my_lists()}
