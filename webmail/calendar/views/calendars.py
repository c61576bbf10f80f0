"""The calendars of a person as pages show them: their names and colours, and which of them are shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import cast

from flask import g, redirect, request, url_for
from werkzeug.wrappers import Response

from webmail import preferences as preferred
from webmail.calendar import editing
from webmail.calendar.blueprint import blueprint
from webmail.calendar.display.happenings import Happening
from webmail.calendar.subscriptions.subscriptions import DERIVED
from webmail.calendar.todos import todo_lists
from webmail.collections import look
from webmail.collections import store as collections
from webmail.collections.store import Access
from webmail.web.current import current_user, preferences
from webmail.web.forms.request_values import local_path
from webmail.web.frame.first_visit import made_if_writable

_PATTERNS = 4  # of edges, which tell calendars apart where colours don't
_MOST = 500  # in a form


@dataclass(frozen=True, slots=True)
class ShownCalendar:
    """`tag` and `pattern` name its colour and its edge, classes of the style sheets."""

    id: int
    title: str
    owner: str  # of what is shared, else ""
    tag: str
    pattern: str
    shown: bool
    sight: str  # as `Access` has it
    writes: bool
    news: bool  # the owner was not told yet who sees its private events
    subscribed: bool
    todos: bool  # what is to be done is there to read
    only_todos: bool  # and nothing else
    new: bool  # they were not told yet that it is shared with them
    # another one after each change in it (a number alone might be that of a calendar that is gone); it looks the same
    version: tuple[int, datetime] = field(compare=False)

    @property
    def classes(self) -> str:
        """Of its events, in style sheets."""
        return f"{self.tag} {self.pattern}" if self.writes else f"{self.tag} {self.pattern} ro"


def my_calendars() -> list[ShownCalendar]:
    """All that the person has, their own first, read once for a request: 1 query. The first is made where they have none, and
    can be kept."""
    if "my_calendars" not in g:
        hidden = set(preferences().hidden_calendars)
        found = editing.with_first(current_user(), made_if_writable(collections.default_collection))
        g.my_calendars = [_shown_calendar(access, number, hidden) for number, access in enumerate(found)]
    return cast("list[ShownCalendar]", g.my_calendars)


def _shown_calendar(access: Access, number: int, hidden: set[str]) -> ShownCalendar:
    row = access.collection
    colour = _near(look.colour_of(row.kind, access.props, row.id))
    title = look.title_of(access.props)
    owner = "" if row.user_id == current_user().id else row.user.name or row.user.address
    return ShownCalendar(
        row.id,
        title,
        owner,
        f"tag-{colour}",
        f"p{number % _PATTERNS}",
        str(row.id) not in hidden,
        access.sight,
        access.writes,
        bool(row.private_news) and not owner,
        row.derived == DERIVED,
        todo_lists.takes(access) and access.reads,
        todo_lists.is_list_alone(access),
        access.new,
        (row.seq, row.modified),
    )


_near = lru_cache(maxsize=1024)(look.near)


@blueprint.app_template_filter()
def event_classes(happening: Happening, calendar: ShownCalendar) -> str:
    """The classes of an event in style sheets: of its calendar, and whether it takes place, is sure, and takes time."""
    state = " gone" if happening.cancelled else " maybe" if happening.busy == 1 else " free" if happening.busy == 0 else ""
    return calendar.classes + state


@blueprint.app_template_global()
def calendar_choices() -> tuple[tuple[str, tuple[ShownCalendar, ...]], ...]:
    """The calendars of the side bar: one's own ("own"), subscribed ones ("other"), what others share ("shared"). Lists for tasks
    alone are among them where tasks are shown."""
    mine = [one for one in my_calendars() if preferences().todos_shown or not one.only_todos]
    kinds = ["shared" if one.owner else "other" if one.subscribed else "own" for one in mine]
    groups = (
        (name, tuple(one for one, kind in zip(mine, kinds, strict=True) if kind == name)) for name in ("own", "other", "shared")
    )
    return tuple(group for group in groups if group[1])


@blueprint.post("/calendar/shown")
def choose_calendars() -> Response:
    """Show the ticked ones of the calendars that the form had (`known`); others stay as they are."""
    ticked = set(request.form.getlist("shown")[:_MOST])
    known = {one for one in request.form.getlist("known")[:_MOST] if one.isdigit() and len(one) < 19}
    hidden = [one for one in preferences().hidden_calendars if one not in known]
    mine = {str(one.id) for one in my_calendars()}
    preferred.change(current_user(), hidden_calendars=[one for one in [*hidden, *sorted(known - ticked)] if one in mine])
    return redirect(local_path(request.form.get("back", "")) or url_for("calendar.show"), 303)
