"""To-do lists: what a person has to do in which list, as pages show it. Lists are calendars that take VTODO."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

import peewee as pw

from webmail.calendar import editing
from webmail.collections import manage
from webmail.collections import store as collections
from webmail.collections.store import Access
from webmail.database.prepared import Prepared, Slot, one_of
from webmail.models import CalendarObject, Collection, Todo, User

COMPONENT = "VTODO"
SORTS = ("due", "priority", "title", "newest")
MOST_RELATED = 100
_MOST_DUE = 300  # in the days of a page
_WIDEST = timedelta(hours=15)  # by which clocks differ from UTC
_ORDERS: dict[str, tuple[Any, ...]] = {
    "due": (Todo.due, Todo.priority, Todo.position, Todo.id),
    "priority": (Todo.priority, Todo.due, Todo.id),
    "title": (pw.fn.LOWER(Todo.title), Todo.id),
    "newest": (Todo.id.desc(),),
}


@dataclass(frozen=True, slots=True)
class TodoRow:
    """What stands in a row. Times as in the table."""

    calendar: int
    href: str
    uid: str
    title: str
    due: int
    whole_day: int
    done: int
    completed: int
    priority: int
    percent: int
    repeats: int
    parent: str
    message: str
    private: int
    parent_title: str | None = None


def lists(user: User) -> list[Access]:
    """The lists that a person reads, their own first. 1 query."""
    return [one for one in editing.calendars(user) if takes(one) and one.reads]


def takes(access: Access) -> bool:
    return editing.takes(access, COMPONENT) and not access.collection.derived


def is_list_alone(access: Access) -> bool:
    """Whether a calendar is for nothing else."""
    return takes(access) and not editing.takes_events(access)


def with_first(user: User, make: Callable[[User], object] = collections.default_list) -> list[Access]:
    """As `lists`, those first that are for nothing else; the first of one's own is made where there is none. 1 query, some more
    the first time."""
    found = lists(user)
    if not any(one.rights == "own" and is_list_alone(one) for one in found):
        make(user)
        found = lists(user)
    return sorted(found, key=lambda one: (one.rights != "own", not is_list_alone(one)))


def counts(numbers: Iterable[int]) -> dict[int, tuple[int, int]]:
    """How much is to be done in lists (by `id`), and how much is done there. 1 query."""
    found: dict[int, tuple[int, int]] = {}
    for number, done, count in _counts.plain(lists=list(numbers)):
        waiting, over = found.get(number, (0, 0))
        found[number] = (waiting, over + count) if done else (waiting + count, over)
    return found


def waiting(numbers: Sequence[int], sort: str, skip: int, most: int) -> list[TodoRow]:
    """What is to be done in these lists (by `id`), in this order. 1 query."""
    return [TodoRow(*row) for row in _waiting[sort].plain(lists=list(numbers), skip=skip, most=most)]


def due_days(numbers: Sequence[int], first: date, last: date, zone: tzinfo) -> dict[date, list[TodoRow]]:
    """What is to be done in these lists (by `id`), by the day on which it is due: of these days, as many as a page shows.
    1 query."""
    begin = int((datetime(first.year, first.month, first.day, tzinfo=UTC) - _WIDEST).timestamp())
    end = int((datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1) + _WIDEST).timestamp())
    within = (Todo.collection.in_(numbers), Todo.done == 0, Todo.due >= begin, Todo.due < end)
    found: dict[date, list[TodoRow]] = {}
    for row in _rows(*within, order=_ORDERS["due"], most=_MOST_DUE) if numbers else []:
        day = datetime.fromtimestamp(row.due, UTC if row.whole_day else zone).date()
        if first <= day <= last:
            found.setdefault(day, []).append(row)
    return found


def done(numbers: Sequence[int], skip: int, most: int) -> list[TodoRow]:
    """What is done, the latest first. 1 query."""
    return [TodoRow(*row) for row in _done.plain(lists=list(numbers), skip=skip, most=most)]


def parts_of(calendar: int, uid: str) -> list[TodoRow]:
    """What is a part of something (by UID) in the same list, what is to be done first. 1 query."""
    order = (Todo.done, Todo.due, Todo.id)
    return _rows(Todo.collection == calendar, Todo.parent == uid, order=order, most=MOST_RELATED) if uid else []


def parts_of_several(calendar: int, uids: Sequence[str]) -> list[TodoRow]:
    """What is still to be done as a part of these (by UID), in the same list. 1 query."""
    mine = (Todo.collection == calendar) & Todo.parent.in_(list(uids)) & (Todo.done == 0)
    return _rows(mine, order=(Todo.due, Todo.id), most=MOST_RELATED) if uids else []


def objects_of(calendar: int, uids: Sequence[str]) -> list[CalendarObject]:
    """The objects of these (by UID), in their order. 1 query."""
    mine = (CalendarObject.collection == calendar) & (CalendarObject.component == COMPONENT)
    found = {one.uid: one for one in CalendarObject.select().where(mine, CalendarObject.uid.in_(list(uids)))} if uids else {}
    return [found[uid] for uid in uids if uid in found]


def parent_of(calendar: int, uid: str) -> TodoRow | None:
    """What something is a part of (by UID). 1 query, where there is something."""
    return next(iter(_rows(Todo.collection == calendar, CalendarObject.uid == uid, order=(), most=1)), None) if uid else None


def _rows(*where: Any, order: Sequence[Any], most: int) -> list[TodoRow]:
    return [TodoRow(*row) for row in _select(*where).order_by(*order).limit(most).tuples()]


def _select(*where: Any) -> Any:
    """The query for the columns of `TodoRow`."""
    whole, title = CalendarObject.alias(), Todo.alias()
    within = (whole.collection == Todo.collection) & (whole.uid == Todo.parent) & (Todo.parent != "")
    return (
        Todo.select(
            Todo.collection, CalendarObject.href, CalendarObject.uid, Todo.title, Todo.due, Todo.whole_day, Todo.done,
            Todo.completed, Todo.priority, Todo.percent, Todo.repeats, Todo.parent, Todo.message, Todo.private, title.title,
        )
        .join(CalendarObject)
        .join(whole, pw.JOIN.LEFT_OUTER, on=within)
        .join(title, pw.JOIN.LEFT_OUTER, on=title.object == whole.id)
        .where(*where)
    )  # fmt: skip


def _page_of(done: int, order: Sequence[Any]) -> Prepared:
    """A page of what is, or is not, done in these lists (`lists`)."""

    def build(placeholder: Slot) -> Any:
        rows = _select(one_of(Todo.collection, "lists"), Todo.done == done).order_by(*order)
        return rows.offset(placeholder("skip")).limit(placeholder("most")).tuples()

    return Prepared(build)


_waiting = {name: _page_of(0, order) for name, order in _ORDERS.items()}
_done = _page_of(1, (Todo.completed.desc(), Todo.id.desc()))
_counts = Prepared(
    lambda _slot: (
        Todo.select(Todo.collection, Todo.done, pw.fn.COUNT(Todo.id))
        .where(one_of(Todo.collection, "lists"))
        .group_by(Todo.collection, Todo.done)
        .tuples()
    )
)


def new_list(user: User, name: str, form: str, most: int) -> Collection:
    """Add a list. Raises LimitReachedError."""
    return manage.make(user, collections.CALENDAR, name, "", "", form=form, most=most, components=COMPONENT)


def row_of(number: int) -> Todo | None:
    """The row of an object (by `id`). 1 query."""
    return Todo.get_or_none(Todo.object == number)
