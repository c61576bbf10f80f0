"""Space report views: senders and old newsletters by size, counted by a task; deleting all old ones of a newsletter at once."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import imap
from webmail.database.user_lock import user_lock
from webmail.errors import LimitReachedError, OverQuotaError
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list.space_usage import of_list
from webmail.mailbox import selection
from webmail.mailbox import undo as undoing
from webmail.mailbox.actions import ActionResult, apply_action
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.partial_texts import why_not_all
from webmail.mailbox.quota import space_task
from webmail.mailbox.quota.space_report import RoomReport, counted_mailboxes
from webmail.mailbox.search import search_query
from webmail.mailbox.selection import Selection
from webmail.tasks import heartbeat, store
from webmail.web.current import current_account, current_user, remember_overview, task_credential
from webmail.web.frame.quota_notice import room_link
from webmail.web.notices import notify
from webmail.web.rendering import fragment, page
from webmail.web.texts.task_texts import TASK_TEXTS, TaskText, wake_worker

_MOST_AT_ONCE = 5000  # messages of a newsletter deleted by one click


def report_context() -> dict[str, Any]:
    """What the part of the page about senders needs. 2 queries at most."""
    under_way, done = space_task.latest(current_user())
    report = RoomReport.load(store.result_of(done)) if done else None
    asleep = under_way is not None and heartbeat.tasks_are_left()
    return {"under_way": under_way, "report": report, "counted_at": done.finished if done else None, "asleep": asleep}


@blueprint.get("/room/report")
def room_report() -> Response:
    """The part of the page, while the count goes on."""
    return fragment("mailbox/_room_report.html", **report_context())


@blueprint.post("/room/report")
def count_senders() -> Response:
    """Start to count; pressed twice, it is counted once."""
    try:
        store.start(current_user(), space_task.NAME, {}, alone=True, credential=task_credential())
        wake_worker()
    except LimitReachedError:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")
    return redirect(url_for("mailbox.room") + "#room-report", 303)


@blueprint.post("/room/newsletter")
def delete_newsletter() -> Response:
    """Move the old messages of one newsletter to the trash: looked for anew, so what came since the count is told right."""
    address, back = request.form.get("address", "").lower()[:254], url_for("mailbox.room")
    try:
        before = date.fromisoformat(request.form.get("before", ""))
    except ValueError:
        before = date.min
    if not address or before == date.min:
        return redirect(back, 303)
    with user_lock(current_user().id), imap.connect(current_account()) as connection:
        chosen = _found(connection, address, before)
        if not chosen:
            space_task.forget_newsletter(current_user(), address)
            notify(_("There is nothing left to delete from this newsletter."), "caution")
            return redirect(back, 303)
        try:
            done = apply_action(connection, chosen, "delete")
        except OverQuotaError:
            remember_overview(imap.mailboxes.overview(connection))
            return _ask_to_destroy(chosen, back)
    if not done.failed and selection.count(chosen) < _MOST_AT_ONCE:
        space_task.forget_newsletter(current_user(), address)
    _tell(done)
    return redirect(back, 303)


def _found(connection: Connection, address: str, before: date) -> list[Selection]:
    """Old messages of this newsletter, so many as one click deletes."""
    names, left = counted_mailboxes(imap.mailboxes.overview(connection)), _MOST_AT_ONCE
    chosen: list[Selection] = []
    for mailbox, validity, messages in of_list(connection, names, address, before):
        if some := messages[:left]:
            chosen.append(Selection(mailbox, validity, tuple(one.uid for one in some)))
        left -= len(some)
    return chosen


def _ask_to_destroy(chosen: list[Selection], back: str) -> Response:
    """Nothing fits into the trash any more: the usual question, about these messages."""
    notify(_("Your mailbox is full: there is no space left for these messages in the trash."), "caution")
    values = [f"{','.join(map(str, each.uids))}.{each.uidvalidity}.{each.mailbox}" for each in chosen]
    return page(
        "mailbox/destroy.html", sure=selection.fingerprint(chosen), count=selection.count(chosen), mailbox="INBOX", back=back,
        v=0, everything={}, values=values,
    )  # fmt: skip


def _tell(done: ActionResult) -> None:
    undo = None
    if done.undo:
        fields = {"undo": undoing.offer(current_user(), done.undo), "back": url_for("mailbox.room")}
        undo = (url_for("mailbox.undo_last"), fields)
    words = ngettext("%(num)d message moved to the trash.", "%(num)d messages moved to the trash.", done.count)
    if done.failed:
        words = f"{words} {why_not_all(done.failed)}"
    link = room_link() if isinstance(done.failed, OverQuotaError) else None
    notify(words, "caution" if done.failed else "done", undo, link=link)


@blueprint.app_template_global()
def search_from(address: str) -> str:
    """The address of a search in all folders for what somebody sent."""
    return url_for("mailbox.show", mailbox="INBOX", query=search_query.query_of({"from": address}), scope="all")


TASK_TEXTS[space_task.NAME] = TaskText(
    title=lambda _about: _("Looking for what takes up space in your mailbox."),
    done=lambda result: ngettext(
        "%(num)d message checked.", "%(num)d messages checked.", result.get("messages", 0)
    ),
    failed=lambda reason: (
        _("The mail server no longer accepts your sign-in. Sign in again, then start over.") if reason == "sign-in" else ""
    ),
    link=lambda _result: (url_for("mailbox.room"), _("Free up space")),
)  # fmt: skip
