"""The page of one book or calendar: its owner changes, shares and deletes it; who manages it does all but delete it; others say
how it looks to them.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.calendar.display.event_texts import kept_inside_words, kept_link
from webmail.calendar.free_busy.host_events import KeptHereError
from webmail.collection_pages.blueprint import blueprint
from webmail.collection_pages.texts import sentences
from webmail.collection_pages.views.common import collections_list, is_own, mine, sharees, shown_collection, title_of
from webmail.collection_pages.views.delegation import lost, refuse
from webmail.collection_pages.views.listing import checked
from webmail.collections import look, manage, manager_notes, shares, store
from webmail.collections.look import PALETTE
from webmail.collections.shares import NotTheirsError
from webmail.collections.store import BOOK, Access
from webmail.dav.deletion import delete_task, removal
from webmail.dav.deletion.removal import LastOfKindError
from webmail.errors import LimitReachedError
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.texts.task_texts import TASK_TEXTS, TaskText, task_started

_UNDO_SECONDS = 300


@blueprint.get("/collections/<int:number>")
def one(number: int) -> Response:
    return one_page(mine(number))


def one_page(
    access: Access,
    status: int = 200,
    *,
    errors: dict[str, str] | None = None,
    look_errors: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    """The page, with what was typed where it is shown again: with `errors` in the form for everybody, with `look_errors` in that
    for oneself. `more`: of the form for sharing (views/sharing.py).
    """
    events = access.writes and "VEVENT" in (access.collection.components or "VEVENT")
    told: dict[str, Any] = {"one": shown_collection(access), "palette": PALETTE, "takes_events": events}
    if not is_own(access):
        told |= _own_look(access, look_errors)
        if not access.manages:
            return page("collections/shared.html", status, **told)
    return _managers_page(access, status, told, errors, {"typed": {}, "share_errors": []} | more)


def _managers_page(
    access: Access, status: int, told: dict[str, Any], errors: dict[str, str] | None, more: dict[str, Any]
) -> Response:
    """The page of who owns or manages it."""
    typed = request.form if errors is not None else {}
    row, props = access.collection, json.loads(access.collection.props)
    everyones = _everyones_look(access)
    told["values"] = {
        "name": typed.get("name", everyones["name"]), "colour": look.read(typed.get("colour")) or everyones["colour"],
        "description": typed.get("description", look.description_of(row.kind, props)),
        "busy": bool(typed.get("busy")) if typed else look.takes_time(props),
    }  # fmt: skip
    rows = [] if row.derived else shares.given(row)
    notes = manager_notes.for_collection(row)
    groups = shares.groups_of(current_user(), settings())
    first = is_own(access) and store.default_collection(current_user(), row.kind).id == row.id
    return page(
        "collections/one.html", status, **told, errors=errors or {}, given=list(zip(rows, sharees(rows), strict=True)),
        levels=shares.levels(row.kind), groups=[(group.id, group.name) for group in groups],
        changes=list(zip(notes, sentences(notes, current_user()), strict=True)), first=first, most=shares.MOST,
        last=is_own(access) and manage.is_last(row), mails=settings().system_sender is not None,
        takes_new=is_own(access) and not row.derived and "VEVENT" in (row.components or "VEVENT"), **more,
    )  # fmt: skip


def _own_look(access: Access, errors: dict[str, str] | None) -> dict[str, Any]:
    """For the form of a name and a colour for oneself alone (`collections/_own_look.html`)."""
    typed, kind = request.form if errors is not None else {}, access.collection.kind
    colour = look.read(typed.get("colour")) or look.colour_of(kind, access.props, access.collection.id)
    return {
        "own_look": {"name": typed.get("name", look.title_of(access.props)), "colour": colour}, "look_errors": errors or {},
        "owners": _everyones_look(access),
        "kept": access.look is not None and look.COLOUR[kind] in json.loads(access.look.props),
    }  # fmt: skip


def _everyones_look(access: Access) -> dict[str, str]:
    """How it looks to its owner, and to all who don't call or colour it otherwise."""
    props = json.loads(access.collection.props)
    kind = access.collection.kind
    return {"name": look.title_of(props), "colour": look.colour_of(kind, props, access.collection.id)}


@blueprint.post("/collections/<int:number>")
def change(number: int) -> Answer:
    """`action`: save (of who manages it, too), default, delete; of what is shared with one: look, hide, show."""
    access, action = mine(number), request.form.get("action", "save")
    try:
        if not is_own(access) and action != "save":
            return _change_shared(access, action)
        if action == "save" and not is_own(access) and not access.manages:
            refuse(access)
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
            if manage.change(current_user(), number, *values, busy=busy) and not is_own(access):
                owner = access.collection.user.address
                audited(AuditAct.COLLECTION_CHANGED, owner, collection=look.one_line(values[0]))
            notify(_("“%(name)s” saved.", name=look.one_line(values[0])))
    except NotTheirsError:  # deleted, or the right taken back, at this moment
        if action == "save":
            lost(number)
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
    except LastOfKindError:  # another window has just deleted the other one
        return _say_last(access)
    except KeptHereError as error:
        notify(kept_inside_words(), "caution", link=kept_link(error.number))
        return redirect(url_for("collections.one", number=access.collection.id), 303)
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
    except LimitReachedError:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")
    return redirect(collections_list(), 303)


TASK_TEXTS[delete_task.NAME] = TaskText(
    title=lambda about: _("Deleting “%(name)s”.", name=about.get("name", "")),
    done=lambda _result: _("Deleted. Everything in it stays in “Deleted contacts and events” for 30 days."),
    failed=lambda reason: kept_inside_words() if reason == "booked" else _("This is the only one of its kind, so it stays."),
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
        notify(words % {"name": title_of(access)}, undo=undo)
        return redirect(collections_list(), 303)
    if action != "look":
        abort(400)
    name = request.form.get("name", "")
    if len(look.one_line(name)) > look.LONGEST_NAME:
        words = _("This name is too long: at most %(most)d characters.", most=look.LONGEST_NAME)
        return one_page(access, 422, look_errors={"name": words})
    shares.set_look(user, access, name, request.form.get("colour", ""))
    notify(_("Saved. Only you see this name and colour."))
    return redirect(url_for("collections.one", number=number), 303)
