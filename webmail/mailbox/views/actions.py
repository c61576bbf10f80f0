"""What the buttons above a list do to the selection; the pages that ask for more (tags, a time, a kind of file); undo."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from flask import current_app, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import imap, schedule
from webmail.imap.actions import KeepsNoTags
from webmail.imap.connection import Connection
from webmail.mail import Role
from webmail.mailbox import export, search_query, selection, snooze, tags
from webmail.mailbox import undo as undoing
from webmail.mailbox.actions import ActionResult, act
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.list_request import ListRequest
from webmail.mailbox.selection import Selection
from webmail.mailbox.views.tags import tag_name, told_wrong
from webmail.user_lock import user_lock
from webmail.web import downloads
from webmail.web.current import current_account, current_user, preferences, remember_overview, settings
from webmail.web.formatting import file_size, number, today
from webmail.web.labels import mailbox_label
from webmail.web.notices import notify, withdraw_notices
from webmail.web.rendering import page
from webmail.web.request_values import local_path

_UNDO_SECONDS = 45  # how long the offer to undo stays on the pages that follow
_ONE_BY_ONE = ("archive", "delete", "junk", "notjunk", "move", "snooze")  # a click at the same time would do it twice
_ASKING = ("tags", "later", "export")  # actions that lead to a page which asks for more


@blueprint.post("/act/<path:mailbox>")
def act_on(mailbox: str) -> Response:
    action, argument, values = _asked_for()
    turn = user_lock(current_user().id) if action in _ONE_BY_ONE else nullcontext()
    with turn, imap.connect(current_account(), mailbox) as connection:
        chosen = _chosen(connection, mailbox, action, values)
        if not chosen:
            notify(_nothing_chosen(action), "caution")
            return redirect(_back(mailbox), 303)
        if action in ("move", "copy") and not request.form.get("to"):
            notify(_("Choose a folder first."), "caution")
            return redirect(_back(mailbox), 303)
        trash = _trash(connection) if action in ("delete", "destroy") else ""
        if action == "delete" and any(each.mailbox != trash for each in chosen):
            chosen = [each for each in chosen if each.mailbox != trash]  # what is there already stays, unless it is asked for
        elif action == "delete" or (action == "destroy" and request.form.get("sure") != selection.fingerprint(chosen)):
            return _asking(page("mailbox/destroy.html", sure=selection.fingerprint(chosen), **_about(mailbox, chosen)))
        if action in _ASKING:
            return _ask(connection, mailbox, chosen, action)
        done = _do(connection, mailbox, chosen, action, argument)
    if isinstance(done, Response):
        return done
    total = selection.count(chosen)
    back = _back(mailbox)
    if "star" in request.form and chosen[0].mailbox == mailbox:
        back += f"#u{chosen[0].uids[0]}"  # without scripts one stays at the row
    if done is not None:
        _tell(done, total, back)
    return redirect(back, 303)


def _do(
    connection: Connection, mailbox: str, chosen: Sequence[Selection], action: str, argument: str
) -> ActionResult | Response | None:
    """What was done; or a page that asks again; or None where a notice says why nothing was done."""
    if action == "snooze":
        try:
            due = snooze.chosen_time(
                argument, request.form.get("day", ""), request.form.get("hour", ""), schedule.local_now(settings())
            )
            return snooze.snooze(connection, current_user(), chosen, due)
        except schedule.BadTime:
            return _ask(connection, mailbox, chosen, "later", _("Choose a date and a time to come."))
        except snooze.TooManyToSnooze:
            notify(_("At most %(num)s messages can be snoozed at once.", num=number(snooze.MOST)), "caution")
            return None
    if action == "newtag":
        try:
            argument = tags.add(current_user(), request.form.get("name", ""), request.form.get("colour", "")).keyword
        except ValueError as error:
            return _ask(connection, mailbox, chosen, "tags", told_wrong(error))
        action = "tag"
    try:
        done = act(
            connection, chosen, "read" if action == "readall" else action,
            to=request.form.get("to", ""), keyword=argument, archive_by=preferences().archive_by,
        )  # fmt: skip
    except KeepsNoTags:
        notify(_("The mail server keeps no tags in this folder."), "caution")
        return None
    if action in ("move", "copy"):
        remember_overview(imap.mailboxes.overview(connection))  # for the name of the folder in the notice
    return done


@blueprint.post("/undo")
def undo_last() -> Response:
    with user_lock(current_user().id), imap.connect(current_account()) as connection:
        count = undoing.undo(connection, current_user(), request.form.get("undo", ""))
    withdraw_notices()
    notify(
        ngettext("Undone for %(num)d message.", "Undone for %(num)d messages.", count)
        if count
        else _("There was nothing to undo.")
    )
    return redirect(local_path(request.form.get("back", "")) or url_for("mailbox.show", mailbox="INBOX"), 303)


@blueprint.post("/export/<path:mailbox>")
def save_as_file(mailbox: str) -> Response:
    """The selection as one file, made in a temporary one first: what breaks off is an error page, never a shorter file."""
    kind = request.form.get("kind", "")
    account = current_account()
    with imap.connect(account, mailbox) as connection:
        chosen = _chosen(connection, mailbox, "export", request.form.getlist("uids"))
        if kind not in export.KINDS or not chosen:
            notify(_nothing_chosen("export"), "caution")
            return redirect(_back(mailbox), 303)
        try:
            found = export.measure(connection, chosen)
        except export.ExportTooLarge:
            words = _("One file holds at most %(num)s messages or %(size)s. Select fewer messages.")
            notify(words % {"num": number(export.MOST_MESSAGES), "size": file_size(export.MOST_BYTES)}, "caution")
            return redirect(_back(mailbox), 303)
    try:
        response = downloads.written(lambda spool: export.write(account, found, kind, spool), export.KINDS[kind])
    except OSError as error:  # of the file: those of the network are ServerAway
        current_app.logger.error("an export can't be written: %s", error)
        notify(_("There is no room on the server for this file at the moment. Select fewer messages."), "danger")
        return redirect(_back(mailbox), 303)
    name = f"{mailbox.rsplit('/', 1)[-1]}-{today():%Y-%m-%d}.{kind}"
    response.headers["Content-Disposition"] = downloads.disposition(name, plain=f"messages.{kind}")
    response.headers["Content-Security-Policy"] = downloads.POLICY
    return response


# --- what the form says ----------------------------------------------------------------------------------------------


def _asked_for() -> tuple[str, str, list[str]]:
    """The action, what its button says after a colon (a keyword, a time), and the rows.

    A star's button names its own message instead: `star=flag:123`.
    """
    form = request.form
    if star := form.get("star"):
        action, _colon, row = star.partition(":")
        return action, "", [row]
    action, _colon, argument = form.get("action", "").partition(":")
    return action, argument, form.getlist("uids")


def _chosen(connection: Connection, mailbox: str, action: str, values: list[str]) -> list[Selection]:
    form = request.form
    uidvalidity = form.get("v", 0, int)
    if action == "readall":
        return selection.unread(connection, mailbox, uidvalidity)
    if "all" in form and "star" not in form:
        asked = ListRequest.of(mailbox, form)
        query = asked.query and search_query.understood(asked.query, current_user(), today())
        return selection.matching(connection, asked, query, uidvalidity)
    return selection.of_rows(mailbox, uidvalidity, values)


def _back(mailbox: str) -> str:
    return local_path(request.form.get("back", "")) or url_for("mailbox.show", mailbox=mailbox)


def _trash(connection: Connection) -> str:
    found = imap.mailboxes.overview(connection)
    return next((m.name for m in found.mailboxes if m.role is Role.TRASH), "")


# --- what is asked and said ------------------------------------------------------------------------------------------


def _ask(connection: Connection, mailbox: str, chosen: Sequence[Selection], what: str, error: str = "") -> Response:
    """The page that asks which tag, until when, or in which kind of file."""
    connection.select(chosen[0].mailbox)
    if what == "tags":
        imap.actions.flaggable(connection)
    mine = tags.for_user(current_user())
    known = tags.shown(connection.flags, {tag.keyword.lower(): tag for tag in mine})
    offered = [tag.keyword for tag in mine] + [keyword for keyword, tag in known if tag is None and not tags.is_system(keyword)]
    return _asking(
        page(
            "mailbox/choose.html",
            422 if error else 200,
            what=what,
            error=error,
            keywords=offered,
            keeps=any(connection.keeps(keyword) for keyword in [*offered, "NewTag"]),
            can_make=connection.keeps("NewTag"),
            times=snooze.choices(schedule.local_now(settings())),
            today=schedule.local_now(settings()).date(),
            colours=tags.COLOURS,
            on_its_own=bool(settings().token_key_file),
            **_about(mailbox, chosen),
        )  # fmt: skip
    )


def _about(mailbox: str, chosen: Sequence[Selection]) -> dict[str, Any]:
    """What the pages that ask carry along: the selection as it was sent, and how many messages it is."""
    form = request.form
    asked = ListRequest.of(mailbox, form)
    return {
        "mailbox": mailbox, "count": selection.count(chosen), "back": _back(mailbox), "v": form.get("v", 0, int),
        "everything": {"all": "1", "matching": asked.query, "scope": asked.scope} if "all" in form else {},
        "values": [] if "all" in form else form.getlist("uids"),
    }  # fmt: skip


def _asking(response: Response) -> Response:
    """A page that answers a form has no address of its own: the one before stays in the address bar."""
    response.headers["HX-Push-Url"] = "false"
    return response


def _nothing_chosen(action: str) -> str:
    if action == "readall":
        return _("Everything here is read already.")
    return _("Select messages first: tick the box at the start of their row.")


def _tell(done: ActionResult, total: int, back: str) -> None:
    offer = None
    if done.undo:
        offer = (url_for("mailbox.undo_last"), {"undo": undoing.offer(current_user(), done.undo), "back": back})
    words, kind = _told(done), "done"
    if done.failed:
        kind = "caution"
        words = f"{words} {_stopped(total)}"
    notify(words, kind, offer, keep=_UNDO_SECONDS if offer and "star" not in request.form else 0)


def _stopped(total: int) -> str:
    return ngettext(
        "The mail server stopped before that: %(num)d message was selected.",
        "The mail server stopped before the end: %(num)d messages were selected.",
        total,
    )


def _told(done: ActionResult) -> str:
    n = done.count
    if not n:
        return _("Nothing had to be changed.")
    match done.action:
        case "read":
            return ngettext("%(num)d message marked as read.", "%(num)d messages marked as read.", n)
        case "unread":
            return ngettext("%(num)d message marked as unread.", "%(num)d messages marked as unread.", n)
        case "flag":
            return ngettext("%(num)d message flagged.", "%(num)d messages flagged.", n)
        case "unflag":
            return ngettext("Flag removed from %(num)d message.", "Flag removed from %(num)d messages.", n)
        case "tag":
            tag = tag_name(done.keyword)
            return ngettext("%(num)d message tagged %(tag)s.", "%(num)d messages tagged %(tag)s.", n, tag=tag)
        case "untag":
            tag = tag_name(done.keyword)
            return ngettext("Tag %(tag)s removed from %(num)d message.", "Tag %(tag)s removed from %(num)d messages.", n, tag=tag)
        case "archive":
            return ngettext("%(num)d message archived.", "%(num)d messages archived.", n)
        case "delete":
            return ngettext("%(num)d message moved to the trash.", "%(num)d messages moved to the trash.", n)
        case "junk":
            return ngettext("%(num)d message marked as junk.", "%(num)d messages marked as junk.", n)
        case "notjunk":
            return ngettext("%(num)d message moved back to the inbox.", "%(num)d messages moved back to the inbox.", n)
        case "destroy":
            return ngettext("%(num)d message deleted for good.", "%(num)d messages deleted for good.", n)
        case "snooze":
            return ngettext("%(num)d message snoozed.", "%(num)d messages snoozed.", n)
        case "copy":
            folder = mailbox_label(done.to)
            return ngettext("%(num)d message copied to %(folder)s.", "%(num)d messages copied to %(folder)s.", n, folder=folder)
    folder = mailbox_label(done.to)
    return ngettext("%(num)d message moved to %(folder)s.", "%(num)d messages moved to %(folder)s.", n, folder=folder)
