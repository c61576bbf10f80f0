"""The page of one book or calendar: its owner changes, shares and deletes it; who has it by a share says how it looks to them."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.collection_pages.blueprint import blueprint
from webmail.collection_pages.views.common import collections_list, is_own, mine, sharees, shown, title_of
from webmail.collection_pages.views.listing import checked
from webmail.collections import look, manage, shares, store
from webmail.collections.look import PALETTE
from webmail.collections.shares import NotTheirs
from webmail.collections.store import BOOK, Access
from webmail.dav import delete_task, removal
from webmail.dav.removal import LastOfKind
from webmail.errors import LimitReached
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.task_texts import TASK_TEXTS, TaskText, task_started

_UNDO_SECONDS = 300


@blueprint.get("/collections/<int:number>")
def one(number: int) -> Response:
    return one_page(mine(number))


def one_page(access: Access, status: int = 200, *, errors: dict[str, str] | None = None, **more: Any) -> Response:
    """The page, with what was typed where it is shown again. `more`: of the form for sharing (views/sharing.py)."""
    typed = request.form if errors is not None else {}
    one = shown(access)
    values = {
        "name": typed.get("name", one.title if look.title_of(access.props) else ""),
        "description": typed.get("description", one.description), "colour": look.read(typed.get("colour")) or one.colour,
        "busy": bool(typed.get("busy")) if typed else look.takes_time(access.props),
    }  # fmt: skip
    told = {"one": one, "values": values, "errors": errors or {}, "palette": PALETTE}
    if not is_own(access):
        kept = access.look is not None and look.COLOUR[one.kind] in json.loads(access.look.props)
        return page("collections/shared.html", status, **told, owners=_owners_look(access), kept=kept)
    rows = [] if one.derived else shares.given(access.collection)
    given = list(zip(rows, sharees(rows), strict=True))
    groups = shares.groups_of(current_user(), settings())
    told |= {"given": given, "levels": shares.levels(one.kind), "groups": [(group.id, group.name) for group in groups]}
    first = store.first(current_user(), one.kind).id == one.number
    return page(
        "collections/one.html", status, **told, first=first, last=manage.is_last(access.collection), most=shares.MOST,
        takes_new=not one.derived and "VEVENT" in (access.collection.components or "VEVENT"),
        mails=settings().system_sender is not None, **{"typed": {}, "share_errors": []} | more,
    )  # fmt: skip


def _owners_look(access: Access) -> dict[str, str]:
    """How it looks to its owner."""
    props = json.loads(access.collection.props)
    kind = access.collection.kind
    return {"name": look.title_of(props), "colour": look.colour_of(kind, props, access.collection.id)}


@blueprint.post("/collections/<int:number>")
def change(number: int) -> Answer:
    """`action`: save, default, delete; of what is shared with one: save, hide, show."""
    access, action = mine(number), request.form.get("action", "save")
    try:
        if not is_own(access):
            return _change_shared(access, action)
        if action == "default":
            manage.choose(current_user(), number)
            words = (
                _("New contacts now go into “%(name)s”.")
                if access.collection.kind == BOOK
                else _("New events now go into “%(name)s”.")
            )
            notify(words % {"name": title_of(access)})
        elif action == "delete":
            return _delete(access)
        elif errors := checked():
            return one_page(access, 422, errors=errors)
        else:
            values = [request.form.get(name, "") for name in ("name", "colour", "description")]
            busy = bool(request.form.get("busy")) if request.form.get("asked") == "busy" else None
            manage.change(current_user(), number, *values, busy=busy)
            notify(_("“%(name)s” saved.", name=look.one_line(values[0])))
    except NotTheirs:  # deleted by another window or a device at this moment
        abort(404)
    return redirect(url_for("collections.one", number=number), 303)


def _delete(access: Access) -> Answer:
    name, kind = title_of(access), access.collection.kind
    if access.collection.derived:
        abort(404)
    if manage.is_last(access.collection):
        return _say_last(access)
    if access.collection.count > delete_task.SMALL:
        return _delete_later(access)
    try:
        whole = removal.delete(current_user(), access.collection.id)
    except LastOfKind:  # another window has just deleted the other one
        return _say_last(access)
    words = _("Address book “%(name)s” deleted.") if kind == BOOK else _("Calendar “%(name)s” deleted.")
    words = words % {"name": name} + " " + _("Everything in it stays in “Deleted contacts and events” for 30 days.")
    notify(words, undo=(url_for("collections.restore_whole"), {"whole": whole.id}), keep=_UNDO_SECONDS)
    return redirect(collections_list(), 303)


def _say_last(access: Access) -> Answer:
    words = (
        _("This is your only address book. Create another one, then delete this one.")
        if access.collection.kind == BOOK
        else _("This is your only calendar. Create another one, then delete this one.")
    )
    notify(words, "caution")
    return redirect(url_for("collections.one", number=access.collection.id), 303)


def _delete_later(access: Access) -> Answer:
    """Leave what has very much in it to a worker. Pressed twice, it is deleted once."""
    try:
        task_started(delete_task.begin(current_user(), access.collection, title_of(access)))
    except LimitReached:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")
    return redirect(collections_list(), 303)


TASK_TEXTS[delete_task.NAME] = TaskText(
    title=lambda about: _("Deleting “%(name)s”.", name=about.get("name", "")),
    done=lambda _result: _("Deleted. Everything in it stays in “Deleted contacts and events” for 30 days."),
    failed=lambda _reason: _("This is the only one of its kind, so it stays."),
    link=lambda _result: (url_for("collections.show"), _("Calendars and address books")),
    undo=lambda facts: (url_for("collections.restore_whole"), {"whole": facts["whole"]}) if facts.get("whole") else None,
)


def _change_shared(access: Access, action: str) -> Answer:
    user, number = current_user(), access.collection.id
    if action in ("hide", "show"):
        shares.set_hidden(user, access, action == "hide")
        words = (
            _("“%(name)s” is no longer shown here and on your devices.")
            if action == "hide"
            else _("“%(name)s” is shown again here and on your devices.")
        )
        undo = (url_for("collections.change", number=number), {"action": "show"}) if action == "hide" else None
        notify(words % {"name": title_of(access)}, undo=undo, keep=45 if undo else 0)
        return redirect(collections_list(), 303)
    if action != "save":
        abort(400)
    name = request.form.get("name", "")
    if len(look.one_line(name)) > look.LONGEST_NAME:
        words = _("This name is too long: at most %(most)d characters.", most=look.LONGEST_NAME)
        return one_page(access, 422, errors={"name": words})
    shares.set_look(user, access, name, request.form.get("colour", ""))
    notify(_("Saved. Only you see this name and colour."))
    return redirect(url_for("collections.one", number=number), 303)
