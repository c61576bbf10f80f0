"""The message list: show a page of it, act on a selection, undo."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import imap
from webmail.mail import Role
from webmail.mailbox.act import Done, act, undo
from webmail.web import current_account, local_path, mailbox_label, notify, page, remember_overview, settings

blueprint = Blueprint("mailbox", __name__)


@blueprint.get("/mailbox/<path:mailbox>")
def show(mailbox: str) -> Response:
    args = request.args
    query, sort = args.get("query", "").strip()[:1000], args.get("sort", "date")
    account = current_account()
    if request.cache_control.max_age == 0 or request.cache_control.no_cache:  # "reload" means: look again
        imap.mailboxes.forget(account)
    with imap.connect(account, mailbox) as connection:
        listing = imap.messages.list(
            connection, mailbox, page=args.get("page", 1, int), size=settings().page_size, query=query, sort=sort
        )
        sorts = imap.messages.SORTS if connection.has("SORT") else {}
    remember_overview(listing.overview)
    current = listing.overview.get(mailbox)
    return page(
        "mailbox/show.html", listing=listing, mailbox=mailbox, current=current, query=query, sort=sort, sorts=sorts,
        role=current.role if current else None, chosen=args.get("select") == "page",
    )  # fmt: skip


@blueprint.get("/folders")
def folders() -> Response:
    return page("mailbox/folders.html")


@blueprint.post("/act/<path:mailbox>")
def act_on(mailbox: str) -> Response:
    action, uids, form = _asked()
    back = local_path(form.get("back", "")) or url_for("mailbox.show", mailbox=mailbox)
    if not uids:
        notify(_("Select messages first: tick the box at the start of their row."), "caution")
        return redirect(back, 303)
    with imap.connect(current_account(), mailbox) as connection:
        if action == "delete" and _is_trash(imap.mailboxes.overview(connection), mailbox):
            return page("mailbox/destroy.html", mailbox=mailbox, uids=uids, back=back, v=form.get("v", 0, int))
        done = act(connection, mailbox, uids, action, form.get("to", ""), form.get("v", 0, int))
        if action == "move":
            remember_overview(imap.mailboxes.overview(connection))  # for the name of the folder in the notice
    if "star" in form:
        back += f"#u{uids[0]}"  # without scripts one stays at the row
    notify(_told(done), "done", (url_for("mailbox.undo_last"), {**done.undo, "back": back}) if done.undo else None)
    return redirect(back, 303)


@blueprint.post("/undo")
def undo_last() -> Response:
    fields = request.form.to_dict()
    with imap.connect(current_account(), fields.get("mailbox", "")) as connection:
        count = undo(connection, fields)
    notify(
        ngettext("Undone for %(num)d message.", "Undone for %(num)d messages.", count)
        if count
        else _("There was nothing to undo.")
    )
    return redirect(local_path(fields.get("back", "")) or url_for("mailbox.show", mailbox=fields.get("to") or "INBOX"), 303)


def _asked() -> tuple[str, list[int], Any]:
    """The action and the UIDs of the form. A star's button names its own message: `star=flag:123`."""
    form = request.form
    if star := form.get("star"):
        action, _colon, uid = star.partition(":")
        return action, _numbers([uid]), form
    return form.get("action", ""), _numbers(form.getlist("uids")), form


def _numbers(words: list[str]) -> list[int]:
    return [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 11]


def _is_trash(found: imap.mailboxes.Overview, mailbox: str) -> bool:
    here = found.get(mailbox)
    return bool(here and here.role is Role.TRASH)


def _told(done: Done) -> str:
    n = done.count
    if not n:
        return _("Nothing had to be changed.")
    told = {
        "read": ngettext("%(num)d message marked as read.", "%(num)d messages marked as read.", n),
        "unread": ngettext("%(num)d message marked as unread.", "%(num)d messages marked as unread.", n),
        "flag": ngettext("%(num)d message flagged.", "%(num)d messages flagged.", n),
        "unflag": ngettext("Flag removed from %(num)d message.", "Flag removed from %(num)d messages.", n),
        "archive": ngettext("%(num)d message archived.", "%(num)d messages archived.", n),
        "delete": ngettext("%(num)d message moved to the trash.", "%(num)d messages moved to the trash.", n),
        "junk": ngettext("%(num)d message marked as junk.", "%(num)d messages marked as junk.", n),
        "notjunk": ngettext("%(num)d message moved back to the inbox.", "%(num)d messages moved back to the inbox.", n),
        "destroy": ngettext("%(num)d message deleted for good.", "%(num)d messages deleted for good.", n),
    }
    moved = ngettext(
        "%(num)d message moved to %(folder)s.", "%(num)d messages moved to %(folder)s.", n, folder=mailbox_label(done.to)
    )
    return told.get(done.action, moved)
