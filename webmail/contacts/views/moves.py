"""Moving contacts into another book, or copying them: the page that asks which book, for one contact or several."""

from __future__ import annotations

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from webmail.contacts import book_access, moving, store
from webmail.contacts.blueprint import blueprint
from webmail.contacts.book_access import BookReadOnlyError
from webmail.contacts.moving import Moved
from webmail.contacts.views import sources
from webmail.contacts.views.shared import say_refused, undo_of
from webmail.errors import LimitReachedError
from webmail.models import Contact
from webmail.web.current import current_user
from webmail.web.notices import notify
from webmail.web.rendering import page

_MOST_NAMED = 5


@blueprint.get("/contacts/move")
def ask_book() -> Answer:
    """`uid`: of each contact. Moving is offered for those that the person may change."""
    rows = store.chosen(current_user(), request.args.getlist("uid")[: moving.MOST])
    if not rows:
        return redirect(url_for("contacts.show"), 303)
    return _page(rows)


def _page(rows: list[Contact], status: int = 200) -> Response:
    here = {row.collection_id for row in rows}
    goals = [one for one in book_access.writable(sources.shelf()) if here != {one.collection.id}]
    kept = {one.collection.id for one in sources.shelf() if not one.writes}
    return page(
        "contacts/move.html", status, rows=rows, named=rows[:_MOST_NAMED], may_move=not here & kept,
        goals=[(one.collection.id, sources.book_label(one)) for one in goals], picked=request.form.get("book", 0, int),
    )  # fmt: skip


@blueprint.post("/contacts/move")
def move() -> Answer:
    """`action`: move or copy; `book`: the `id` of the goal."""
    user, uids = current_user(), request.form.getlist("uid")[: moving.MOST]
    rows, goal = store.chosen(user, uids), sources.asked_book()
    if not rows:
        notify(_("These contacts no longer exist."), "caution")
        return redirect(url_for("contacts.show"), 303)
    if goal is None or not goal.writes:
        notify(_("Choose an address book."), "caution")
        return _page(rows, 422)
    copies = request.form.get("action") == "copy"
    uids = [row.uid for row in rows]
    try:
        if copies:
            done = moving.copy(user, uids, goal.collection)
        else:
            done = moving.move(user, [(uid, "") for uid in uids], goal.collection)
    except (LimitReachedError, BookReadOnlyError) as error:
        say_refused(error)
        return _page(rows, 422)
    _tell(done, sources.book_label(goal), copies=copies)
    if len(uids) == 1 and not copies:
        return redirect(url_for("contacts.one", uid=uids[0]), 303)
    return redirect(url_for("contacts.show", book=goal.collection.id), 303)


def _tell(done: Moved, book: str, *, copies: bool) -> None:
    count = len(done.before)
    words = []
    if count and copies:
        words.append(
            ngettext("%(num)d contact copied to “%(book)s”.", "%(num)d contacts copied to “%(book)s”.", count, book=book)
        )
    elif count:
        words.append(ngettext("%(num)d contact moved to “%(book)s”.", "%(num)d contacts moved to “%(book)s”.", count, book=book))
    if done.there:
        names = ", ".join(done.there[:_MOST_NAMED])
        words.append(_("Already in “%(book)s”: %(names)s.", book=book, names=names))
    offered = undo_of(done.before) if count else None
    notify(" ".join(words), "done" if count else "caution", undo=offered)
