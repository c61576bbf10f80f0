"""A new list. What else is done with lists, such as sharing them, is on the pages of calendars."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.calendar import event_changes
from webmail.calendar.todos import todo_lists
from webmail.collections.look import LONGEST_NAME
from webmail.errors import LimitReachedError
from webmail.todo.blueprint import blueprint
from webmail.web.current import current_user, settings
from webmail.web.forms.form_fields import trimmed
from webmail.web.notices import notify


@blueprint.post("/todo/lists")
def add_list() -> Answer:
    name = trimmed(request.form.get("name", ""))[:LONGEST_NAME]
    if not name:
        notify(_("Enter a name for the list."), "caution")
        return redirect(url_for("todo.show"), 303)
    try:
        made = todo_lists.new_list(current_user(), name, event_changes.new_uid(), settings().collections_per_person)
    except LimitReachedError:
        notify(_("You have as many calendars and lists as there may be. Delete one first."), "danger")
        return redirect(url_for("todo.show"), 303)
    notify(_("The list “%(name)s” was made.", name=name))
    return redirect(url_for("todo.show_list", number=made.id), 303)
