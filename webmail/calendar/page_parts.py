"""Page parts of calendars: what they add to pages of other areas. Their views come when there is something to say."""

from __future__ import annotations

import time
from typing import Any, NamedTuple, cast

import peewee as pw
from flask import Flask, g, request, session

from webmail.calendar import birthdays
from webmail.calendar.reminders import reminders
from webmail.calendar.todos import todo_rows
from webmail.collections import store as collections
from webmail.contacts import card_changes
from webmail.late_calls import late_call
from webmail.models import CalendarObject, NextReminder, ShownReminder, Todo
from webmail.web.current import current_user, settings
from webmail.web.frame.areas import shows
from webmail.web.frame.banners import add_banner
from webmail.web.frame.page_rows import add_rows, page_rows
from webmail.web.frame.push_events import add_push_event

_SOON = 86_400  # seconds: a page that is open listens for what comes until then
_IN_BANNER = 2
_reminder_rows = late_call("webmail.calendar.views.reminders:rows")

card_changes.kept_by(birthdays.follow)
add_rows(
    "reminders", ShownReminder, (ShownReminder.id,),
    lambda slot: (ShownReminder.user == slot("user")) & (ShownReminder.since <= slot("now")),
)  # fmt: skip
add_rows(
    "put off", ShownReminder, (ShownReminder.id,),
    lambda slot: (ShownReminder.user == slot("user")) & (ShownReminder.since > slot("now")),
)  # fmt: skip
add_rows("next reminder", NextReminder, (pw.fn.MIN(NextReminder.due),), lambda slot: NextReminder.owner == slot("user"))
add_rows(  # open tasks that come from messages, for the pages of messages
    "message todos", Todo, (Todo.collection, Todo.message, CalendarObject.href, Todo.title),
    lambda slot: (Todo.message != "") & (Todo.done == 0) & Todo.collection.in_(collections.own_calendars(slot)),
    group="message", join=CalendarObject,
)  # fmt: skip
add_push_event("reminders", "calendar.due_now", reminders.state_of, reminders.NOTHING_SHOWN)


def install(app: Flask) -> None:
    app.add_template_global(due_reminders)
    app.add_template_global(reminder_state)
    app.add_template_global(message_todos)


def due_reminders() -> list[Any]:
    """The first ones of the person, one more than the banner shows. 1 query where there are any."""
    if not getattr(session, "user", None) or request.endpoint == "calendar.show_reminders" or not shows("calendar"):
        return []
    if "reminders" not in g:
        g.reminders = _reminder_rows(_IN_BANNER + 1) if page_rows("reminders") else []
    return cast("list[Any]", g.reminders)


def reminder_state() -> str:
    """What stands on the person's pages, where pages can be told of reminders and there are some, or one is coming; else "". 1
    query where there are any."""
    if not getattr(session, "user", None) or not settings().push_connections or not shows("calendar"):
        return ""
    if page_rows("reminders"):
        return reminders.state_of(current_user().id)
    return reminders.NOTHING_SHOWN if _is_coming() else ""


@add_banner("calendar/_reminders.html", "due-reminders")
def _banner_shown() -> bool:
    return bool(due_reminders() or reminder_state())


def _is_coming() -> bool:
    """Whether one comes within a day."""
    upcoming = [row.number for row in page_rows("next reminder") if row.number is not None]
    return bool(page_rows("put off")) or any(due < time.time() + _SOON for due in upcoming)


class MessageTodo(NamedTuple):
    """What is to be done because of a message: its list (by `id`), its name there and its title."""

    calendar: int
    href: str
    title: str


def message_todos(message_id: str) -> list[MessageTodo]:
    """What the person still has to do because of a message, in lists of their own. No query where it came with the session."""
    key = todo_rows.message_key(message_id)
    return [MessageTodo(row.number, row.text2, row.text3) for row in page_rows("message todos") if key and row.text == key]
