"""The lists of what is to be done, all together or one of them: what is overdue first, what is done folded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, abort, request

from webmail.calendar.todos import todo_lists
from webmail.calendar.todos.todo_lists import SORTS, TodoRow
from webmail.collections.store import Access
from webmail.todo import sections, todo_texts
from webmail.todo.blueprint import blueprint
from webmail.todo.sections import Now
from webmail.todo.views.common import counts_here, list_words, my_lists, now_here
from webmail.web.rendering import page

PAGE = 50
DONE = 10  # of those that are done, below the others


@dataclass(frozen=True, slots=True)
class ShownTodo:
    """A row of the page. `hidden`: it is private, of which they see no more than that."""

    row: TodoRow
    due: str
    late: bool
    place: str  # the list, where several are shown
    writes: bool
    hidden: bool
    ref: str  # by which the form names it


@blueprint.get("/todo")
def show() -> Response:
    """All lists. `sort`: one of `SORTS`; `done`: those that are done."""
    return _page(my_lists(), None)


@blueprint.get("/todo/lists/<int:number>")
def show_list(number: int) -> Response:
    here = next((one for one in my_lists() if one.collection.id == number), None)
    return _page([here], here) if here is not None else abort(404)


def _page(lists: list[Access], here: Access | None) -> Response:
    sort = request.args.get("sort", "")
    sort = sort if sort in SORTS else SORTS[0]
    number = min(max(request.args.get("page", 1, int), 1), 10_000)
    only_done = bool(request.args.get("done"))
    now, skip = now_here(), (number - 1) * PAGE
    found = _done(lists, skip, PAGE + 1) if only_done else _waiting(lists, sort, skip, PAGE + 1)
    over = [] if only_done or number > 1 else _done(lists, 0, DONE + 1)
    shown, words = found[:PAGE], todo_texts.section_words()
    parts = sections.parted(shown, now) if sort == SORTS[0] and not only_done else [("", shown)] if shown else []
    by_number = {one.collection.id: one for one in lists}
    several = len({row.calendar for row in (*shown, *over)}) > 1
    return page(
        "todo/show.html", here=here, title=list_words(here) if here else "", sort=sort, sorts=todo_texts.sort_choices(),
        parts=[(name, words.get(name, ""), _rows_of(rows, by_number, now, several=several)) for name, rows in parts],
        more=len(found) > PAGE, over=_rows_of(over[:DONE], by_number, now, several=several), more_over=len(over) > DONE,
        number=number, only_done=only_done, may_add=_may_add(here),
    )  # fmt: skip


def _waiting(lists: list[Access], sort: str, skip: int, most: int) -> list[TodoRow]:
    """What is to be done in these, of which those alone are asked that have something."""
    numbers = [one.collection.id for one in lists if counts_here().get(one.collection.id, (0, 0))[0]]
    return todo_lists.waiting(numbers, sort, skip, most) if numbers else []


def _done(lists: list[Access], skip: int, most: int) -> list[TodoRow]:
    numbers = [one.collection.id for one in lists if counts_here().get(one.collection.id, (0, 0))[1]]
    return todo_lists.done(numbers, skip, most) if numbers else []


def _may_add(here: Access | None) -> bool:
    return here is None or here.writes


def _rows_of(rows: list[TodoRow], lists: dict[int, Access], now: Now, *, several: bool) -> list[ShownTodo]:
    return [_shown_todo(row, lists[row.calendar], now, several=several) for row in rows]


def _shown_todo(row: TodoRow, access: Access, now: Now, *, several: bool) -> ShownTodo:
    words = todo_texts.completed_words(row, now) if row.done else todo_texts.due_words(row, now)
    late = not row.done and sections.section_of(row, now) == sections.OVERDUE
    hidden = bool(row.private) and access.sight != "own"
    place = list_words(access) if several else ""
    return ShownTodo(row, words, late, place, access.writes and not hidden, hidden, ref_of(row))


def ref_of(row: TodoRow) -> str:
    """What names it in a form, with when it is due: of a series, which of it is meant."""
    return f"{row.calendar}/{row.due}/{row.href}"


@blueprint.app_template_global()
def todo_side() -> list[tuple[int, str, int, bool]]:
    """The lists beside the pages: `id`, name, how much is to be done there, and whether it is on its page. 1 query, and 1 more
    where the page has not read the lists."""
    lists, counts = my_lists(), counts_here()
    number = (request.view_args or {}).get("number")
    found: list[Any] = []
    for one in lists:
        waiting, over = counts.get(one.collection.id, (0, 0))
        if waiting or over or todo_lists.is_list_alone(one):
            found.append((one.collection.id, list_words(one), waiting, one.collection.id == number))
    return found
