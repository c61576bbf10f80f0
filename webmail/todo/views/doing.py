"""Done, to be done again, deleted, quickly added: each is one click, and has an undo."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from webmail.calendar import editing, event_changes
from webmail.calendar.editing import Write
from webmail.calendar.objects import UidTakenError
from webmail.calendar.todos import todo_changes, todo_lists
from webmail.errors import LimitReachedError
from webmail.mime.formats.calendars import todo_edit
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.models import CalendarObject
from webmail.todo import quick_todo, todo_texts
from webmail.todo.blueprint import blueprint
from webmail.todo.sections import moment_of
from webmail.todo.views.common import mine, my_lists, now_here, todo_url
from webmail.web.current import current_user, settings, time_zone
from webmail.web.formatting import here
from webmail.web.forms.request_values import local_path
from webmail.web.notices import notify, undone
from webmail.web.rendering import page

_MOMENT = re.compile(r"-?[0-9]{1,18}")
REFUSALS = (editing.EventChangedElsewhereError, editing.NotWritableError, LimitReachedError, UidTakenError, UnusableCalendarError)


def write(writes: Sequence[Write], *, is_stored: bool = False) -> str:
    """Change lists; returns the name to undo it by. Raises REFUSALS."""
    done = editing.write(
        current_user(), writes, settings(), as_kept=True, is_stored=is_stored, component=todo_lists.COMPONENT
    )  # fmt: skip
    return "" if any(one.hidden for one in done) else editing.offer_undo(current_user(), done)


def tell(text: str, undo: str, back: str = "") -> None:
    notify(text, undo=(url_for("todo.undo_last"), {"undo": undo, "back": back}) if undo else None)


def say_refused(error: Exception) -> None:
    if isinstance(error, LimitReachedError):
        notify(_("There is no room left in this list. Delete some tasks first."), "danger")
    elif isinstance(error, editing.NotWritableError):
        notify(_("You can no longer change tasks in this list."), "caution")
    else:
        notify(_("This task was changed elsewhere at the same moment. Try again."), "caution")


def back_here() -> str:
    return local_path(request.form.get("back", "")) or url_for("todo.show")


@blueprint.post("/todo/done")
def finish() -> Answer:
    """`done` or `again` names what is done, or to be done again; `parts` is "all" or "none" of what is still open in it."""
    again = request.form.get("again", "")
    calendar, due, href = _named(again or request.form.get("done", ""))
    access, row, found = mine(calendar, href)
    if not access.writes:
        abort(403)
    title = found.fields.title or _("No title")
    back = redirect(back_here(), 303)
    if bool(again) is not found.fields.is_done:  # a second click
        return back
    if not again and found.fields.rule and due is not None and due != _due_of(row):
        notify(_("“%(title)s” had been done already, and is due again.", title=title), "caution")
        return back
    parts = [] if again else todo_changes.open_parts(calendar, row.uid)
    wanted = request.form.get("parts", "")
    if parts and wanted not in ("all", "none"):
        return redirect(url_for("todo.ask_to_finish", calendar=calendar, href=href, back=back_here()), 303)
    rows = [row, *todo_lists.objects_of(calendar, [one.uid for one in parts] if wanted == "all" else [])]
    try:
        today = now_here().at.date()
        undo = write(todo_changes.reopening(row) if again else todo_changes.completion(rows, today))
    except REFUSALS as error:
        say_refused(error)
        return back
    tell(_done_words(title, row, again=bool(again), count=len(rows)), undo, back_here())
    return back


def _done_words(title: str, row: CalendarObject, *, again: bool, count: int) -> str:
    if again:
        return _("“%(title)s” is to be done again.", title=title)
    if count > 1:
        return ngettext("“%(title)s” and %(num)d sub-task are done.", "“%(title)s” and %(num)d sub-tasks are done.", count - 1,
                        title=title)  # fmt: skip
    now = todo_lists.row_of(row.id)
    due = moment_of(now, time_zone()) if now is not None and not now.done else None
    if due is None:
        return _("“%(title)s” is done.", title=title)
    return _("“%(title)s” is done. Next: %(when)s", title=title, when=todo_texts.moment_words(due, now_here()))


def _due_of(row: CalendarObject) -> int | None:
    found = todo_lists.row_of(row.id)
    return found.due if found else None


def _named(ref: str) -> tuple[int, int | None, str]:
    number, _slash, rest = ref.partition("/")
    due, _slash, href = rest.partition("/")
    if not (number.isascii() and number.isdigit() and len(number) < 16 and href):
        abort(404)
    return int(number), int(due) if _MOMENT.fullmatch(due) else None, href


@blueprint.get("/todo/items/<int:calendar>/<href>/done")
def ask_to_finish(calendar: int, href: str) -> Response:
    """What is to become of the parts that are still open."""
    access, row, found = mine(calendar, href)
    if not access.writes:
        abort(403)
    return page(
        "todo/finish.html", title=found.fields.title, parts=todo_changes.open_parts(calendar, row.uid),
        ref=f"{calendar}/-/{href}", back=local_path(request.args.get("back", "")) or url_for("todo.show"),
    )  # fmt: skip


@blueprint.post("/todo/items/<int:calendar>/<href>/delete")
def delete(calendar: int, href: str) -> Answer:
    try:
        access, row = editing.load(current_user(), calendar, href, todo_lists.COMPONENT)
    except editing.NoSuchEventError:
        if all(one.collection.id != calendar for one in my_lists()):
            abort(404)
        return redirect(url_for("todo.show"), 303)  # a second click
    if not access.writes:
        abort(403 if access.reads else 404)
    title = mine(calendar, href)[2].fields.title or _("No title")
    try:
        undo = write(todo_changes.removal(row), is_stored=True)
    except REFUSALS as error:
        say_refused(error)
        return redirect(todo_url(calendar, href), 303)
    tell(_("“%(title)s” was deleted.", title=title), undo)
    return redirect(url_for("todo.show"), 303)


@blueprint.post("/todo/quick")
def add_quickly() -> Answer:
    """What `words` say, into the list `list`, or the first."""
    words, back = request.form.get("words", "").strip(), back_here()
    if not words:
        return redirect(url_for("todo.new"), 303)
    may = {str(one.collection.id): one for one in my_lists() if one.writes}
    chosen = may.get(request.form.get("list", "")) or next(iter(may.values()))
    now = datetime.now(time_zone()).replace(tzinfo=None)
    fields = quick_todo.read(words, now, here().locale, time_zone())
    try:
        undo = write([todo_changes.addition(chosen.collection.id, event_changes.new_uid(), fields)])
    except REFUSALS as error:
        say_refused(error)
        return redirect(back, 303)
    tell(_added_words(fields), undo, back)
    return redirect(back, 303)


def _added_words(fields: todo_edit.TodoFields) -> str:
    title = fields.title
    if fields.due is None:
        return _("“%(title)s” was added.", title=title)
    return _("“%(title)s” was added. Due: %(when)s", title=title, when=todo_texts.moment_words(fields.due, now_here()))


@blueprint.post("/todo/undo")
def undo_last() -> Answer:
    back = redirect(back_here(), 303)
    try:
        found = editing.undo(current_user(), request.form.get("undo", ""), settings(), component=todo_lists.COMPONENT)
    except editing.EventChangedElsewhereError:
        notify(_("This task was changed again in the meantime, so it stays as it is."), "caution")
        return back
    except REFUSALS:
        notify(_("This can no longer be undone: the list is full, or you can’t change it any more."), "caution")
        return back
    undone(_("Undone.") if found else _("There was nothing to undo."))
    return back
