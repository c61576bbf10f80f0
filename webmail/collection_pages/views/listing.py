"""The list of one's books and calendars, and of those that are shared with one; making a new one."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from typing import cast

from babel.numbers import format_decimal
from flask import Response, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.collection_pages.blueprint import blueprint
from webmail.collection_pages.texts import own_rights_words, sentences
from webmail.collection_pages.views.common import (
    AREA_OF,
    ShownCollection,
    set_area,
    shown_collection,
    shown_kinds,
    titled,
    untold_here,
)
from webmail.collections import look, losses, manage, manager_notes, shares, store, told
from webmail.collections.look import PALETTE
from webmail.collections.losses import Loss, LossKind
from webmail.collections.shares import NotTheirsError
from webmail.collections.store import BOOK, CALENDAR, Access
from webmail.collections.untold import Untold
from webmail.errors import LimitReachedError
from webmail.models import Collection
from webmail.web.current import current_user, settings
from webmail.web.formatting import here
from webmail.web.formatting import number as in_words
from webmail.web.forms.request_values import local_path
from webmail.web.frame.first_visit import made_if_writable
from webmail.web.notices import notify
from webmail.web.rendering import page

_FORM = re.compile(r"[0-9a-f]{32}")
_MOST_TOLD = 500  # that one press says are known


@blueprint.get("/collections")
def show() -> Response:
    user, kinds = current_user(), shown_kinds()
    set_area(request.args.get("from", ""))
    first = made_if_writable(store.default_collection)
    firsts = {made.id for kind in kinds if (made := first(user, kind))}
    accesses = store.accessible(user, hidden=True)
    every = [shown_collection(one) for one in accesses]
    found, own = [one for one in every if one.kind in kinds], [one for one in every if not one.owner]
    return page(
        "collections/show.html", own={kind: [one for one in own if one.kind == kind] for kind in kinds}, firsts=firsts,
        shared=[one for one in found if one.owner and not one.hidden], hidden=[one for one in found if one.hidden],
        counts=shares.counts([one.collection for one in accesses if not one.look]), used=_used(own), kinds=kinds,
        full=len(own) >= settings().collections_per_person, dismissed=told.for_user(user),
    )  # fmt: skip


def _used(own: list[ShownCollection]) -> dict[str, str | int]:
    """How much of the quota is used, in megabytes as the setting has it."""
    size, limit = sum(one.size for one in own), settings().collections_limit_mb
    used = max(round(size / 1_000_000, 1), 0.1) if size else 0
    told = format_decimal(used, locale=here().locale)
    return {"used": told, "limit": in_words(limit), "percent": min(round(100 * size / (limit * 1_000_000)), 100)}


@blueprint.post("/collections")
def change_list() -> Answer:
    """`action`: hide or show what is shared with one (`number`), or note that its news are read (`seen`), or those of who sees
    private events (`private`)."""
    user, action = current_user(), request.form.get("action", "")
    back = redirect(local_path(request.form.get("back", "")) or url_for("collections.show"), 303)
    accesses = store.accessible(user, hidden=True)
    one = next((each for each in accesses if str(each.collection.id) == request.form.get("number", "")), None)
    if action == "private":
        shares.mark_private_told(user)
    elif action == "seen":
        news = shares.news(accesses)
        lost: dict[str, list[str]] = {kind: request.form.getlist(kind)[:_MOST_TOLD] for kind in LossKind}
        upto = request.form.get("changes", "")
        changes = int(upto) if upto.isascii() and upto.isdigit() and len(upto) < 19 else 0
        told.keep(user, _words_of(news, lost, changes))
        shares.mark_seen(user, news)
        losses.mark_told(user, lost)
        if changes:
            manager_notes.mark_seen(user, changes)
    elif one is None or one.collection.user_id == user.id:
        notify(_("This is no longer shared with you."), "caution")
    elif action in ("hide", "show"):
        try:
            shares.set_hidden(user, one, action == "hide")
        except NotTheirsError:  # deleted by its owner at this moment
            notify(_("This is no longer shared with you."), "caution")
            return back
        name = titled(one.collection.kind, look.title_of(one.props))
        if action == "hide":
            undo = (url_for("collections.change_list"), {"action": "show", "number": one.collection.id})
            notify(_("“%(name)s” is no longer shown here and on your devices.", name=name), undo=undo)
        else:
            notify(_("“%(name)s” is shown again here and on your devices.", name=name))
    return back


def _words_of(news: list[Access], lost: Mapping[str, list[str]], changes: int) -> list[str]:
    """What is about to be dismissed, as the notice says it."""
    ended = [words for kind, number, words in collection_losses() if str(number) in lost.get(kind, [])]
    notes = [one for one in manager_notes.unseen(current_user()) if one.id <= changes] if changes else []
    return [*(news_words(shown_collection(one)) for one in news), *ended, *sentences(notes, current_user())]


@blueprint.app_template_global()
def collection_news() -> list[str]:
    """What was shared with the current user that they were not told of yet: for `collections/_news.html`. 2 queries if there may
    be any."""
    if Untold.SHARED not in untold_here():
        return []
    return [news_words(shown_collection(one)) for one in shares.news(store.accessible(current_user()))]


def news_words(item: ShownCollection) -> str:
    if item.kind == BOOK:
        return _("%(who)s shares the address book “%(name)s” with you.", who=item.owner, name=item.title)
    return _("%(who)s shares the calendar “%(name)s” with you.", who=item.owner, name=item.title)


@blueprint.app_template_global()
def private_news() -> list[tuple[int, str]]:
    """The calendars of the current user (`id`, title) of which they were not told yet who sees their private events. 1 query."""
    mine = Collection.select().where(Collection.user == current_user().id, Collection.private_news == 1, Collection.derived == "")
    return [(row.id, titled(row.kind, look.title_of(json.loads(row.props)))) for row in mine.order_by(Collection.id)]


@blueprint.app_template_global()
def collection_losses() -> list[tuple[str, int, str]]:
    """What the current user can no longer do with what was shared with them, and was not told of yet: the field by which the form
    says that they know, its value, and the words. Read once for a request, 4 queries if there is any.
    """
    if "collection_losses" not in g:
        found = losses.for_user(current_user()) if Untold.LOST in untold_here() else []
        g.collection_losses = [(one.kind.value, one.number, _loss_words(one)) for one in found]
    return cast("list[tuple[str, int, str]]", g.collection_losses)


def _loss_words(loss: Loss) -> str:
    told = {"who": loss.owner, "name": titled(loss.of, loss.title)}
    book = loss.of == BOOK
    match loss.kind:
        case LossKind.DELETED if book:
            return _("%(who)s deleted the address book “%(name)s”, which was shared with you.", **told)
        case LossKind.DELETED:
            return _("%(who)s deleted the calendar “%(name)s”, which was shared with you.", **told)
        case LossKind.LOWERED:
            rights = own_rights_words(loss.rights)
            return _("Your rights to “%(name)s” (%(who)s) have changed: %(rights)s.", rights=rights, **told)
        case LossKind.GROUP if book:
            return _("The address book “%(name)s” (%(who)s) is no longer shared with a group of yours.", **told)
        case LossKind.GROUP:
            return _("The calendar “%(name)s” (%(who)s) is no longer shared with a group of yours.", **told)
    if book:
        return _("%(who)s no longer shares the address book “%(name)s” with you.", **told)
    return _("%(who)s no longer shares the calendar “%(name)s” with you.", **told)


# --- a new one -------------------------------------------------------------------------------------------------------


@blueprint.get("/collections/new")
def new() -> Response:
    kind = request.args.get("kind", "")
    return new_page(kind if kind in AREA_OF else CALENDAR)


def new_page(kind: str, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    set_area(kind)
    form = request.form.get("form", "")
    values = {
        "name": request.form.get("name", ""), "description": request.form.get("description", ""),
        "colour": look.read(request.form.get("colour")) or _unused(kind),
        "form": form if _FORM.fullmatch(form) else secrets.token_hex(16),
    }  # fmt: skip
    return page("collections/new.html", status, kind=kind, values=values, errors=errors or {}, palette=PALETTE)


def _unused(kind: str) -> str:
    """The first colour that none of the person's has."""
    used = {shown_collection(one).colour for one in store.accessible(current_user()) if one.collection.kind == kind}
    return next((colour for colour in PALETTE.values() if colour not in used), PALETTE["blue"])


@blueprint.post("/collections/new")
def make() -> Answer:
    kind, form = (request.form.get(name, "") for name in ("kind", "form"))
    kind = kind if kind in AREA_OF else CALENDAR
    set_area(kind)
    if errors := checked():
        return new_page(kind, 422, errors)
    values = [request.form.get(name, "") for name in ("name", "colour", "description")]
    most = settings().collections_per_person
    try:
        row = manage.make(
            current_user(), kind, *values, form=form if _FORM.fullmatch(form) else secrets.token_hex(16), most=most
        )  # fmt: skip
    except LimitReachedError:
        words = _("You can have up to %(most)s calendars and address books. Delete one first.", most=most)
        return new_page(kind, 422, {"": words})
    words = _("Address book “%(name)s” created.") if kind == BOOK else _("Calendar “%(name)s” created.")
    notify(words % {"name": look.one_line(values[0])})
    return redirect(url_for("collections.one", number=row.id), 303)


def checked() -> dict[str, str]:
    """What is wrong with the name and the description that were typed, by field."""
    name, description = (request.form.get(field, "") for field in ("name", "description"))
    errors = {}
    if not look.one_line(name):
        errors["name"] = _("Type a name.")
    elif len(look.one_line(name)) > look.LONGEST_NAME:
        errors["name"] = _("This name is too long: at most %(most)d characters.", most=look.LONGEST_NAME)
    if len(description.replace("\r\n", "\n").strip()) > look.LONGEST_DESCRIPTION:
        errors["description"] = _("This text is too long: at most %(most)d characters.", most=look.LONGEST_DESCRIPTION)
    return errors
