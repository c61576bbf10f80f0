"""Remove attachments: asks which files of which messages go, then leaves it to a worker; undo brings the originals back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import imap
from webmail.database.user_lock import user_lock
from webmail.errors import LimitReachedError, OverQuotaError
from webmail.imap.bulk.file_removal import MessageFiles, files_of
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.mail import Part, Role
from webmail.mailbox import detach_task, selection
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.selection import Selection
from webmail.mailbox.views.action_form import SELECT_FIRST, back_address, chosen_messages
from webmail.mime.detach import KeepReason
from webmail.models import Task
from webmail.tasks import store
from webmail.web.current import current_account, current_user, remember_overview, task_credential
from webmail.web.formatting import day_in_full, file_size, today
from webmail.web.frame.list_buttons import LIST_BUTTONS
from webmail.web.frame.quota_notice import room_link
from webmail.web.notices import notify, withdraw_notices
from webmail.web.rendering import page
from webmail.web.texts.task_texts import OVER_QUOTA, TASK_TEXTS, Facts, TaskText, task_started

_APART = (Role.DRAFTS, Role.SNOOZED, Role.TRASH)


@dataclass(frozen=True, slots=True)
class Row:
    """A message of the page that asks; `value` names it in the form."""

    value: str
    mailbox: str
    uidvalidity: int
    message: MessageFiles


@blueprint.post("/detach/<path:mailbox>")
def ask_detach(mailbox: str) -> Response:
    """Which files are there, and which of them are to go. 1 round trip for each mailbox of the selection."""
    back = redirect(back_address(mailbox), 303)
    with imap.connect(current_account(), mailbox) as connection:
        chosen = chosen_messages(connection, mailbox, request.form.getlist("uids"))
        if not chosen or selection.count(chosen) > detach_task.MOST:
            notify(str(SELECT_FIRST) if not chosen else _too_many(), "caution")
            return back
        found = imap.mailboxes.overview(connection)
        rows = _rows(connection, chosen, found)
    remember_overview(found)
    with_files = [row for row in rows if row.message.files.parts]
    sealed = [row for row in rows if row.message.files.kept in (KeepReason.SIGNED, KeepReason.ENCRYPTED)]
    if not with_files:
        notify(_sealed_words() if sealed else _("There are no attachments to remove."), "caution")
        return back
    total = sum(part.decoded_size for row in with_files for part in row.message.files.parts)
    response = page(
        "mailbox/detach.html", mailbox=mailbox, rows=with_files, sealed=sealed, sealed_words=_sealed_words(), total=total,
        back=back_address(mailbox), task=store.new_id(),
    )  # fmt: skip
    response.headers["HX-Push-Url"] = "false"
    return response


LIST_BUTTONS["detach"] = lambda mailbox, _argument: ask_detach(mailbox)


@blueprint.post("/detach")
def detach() -> Response:
    """Start to remove them. A form sent twice starts one task."""
    back = redirect(back_address("INBOX"), 303)
    wanted = _wanted()
    chosen = selection.of_rows("INBOX", 0, list(wanted))
    if not chosen or selection.count(chosen) > detach_task.MOST:
        notify(_("First tick the attachments to remove.") if not chosen else _too_many(), "caution")
        return back
    with imap.connect(current_account()) as connection:
        rows = _rows(connection, chosen, imap.mailboxes.overview(connection))
    named = [(row, _files(row, wanted.get(row.value, set()))) for row in rows]
    messages = [[row.mailbox, row.uidvalidity, row.message.uid, files] for row, files in named if files]
    if not messages:
        notify(_("These attachments are no longer there."), "caution")
        return back
    _start({"messages": messages, "for_good": "for_good" in request.form})
    return back


@blueprint.post("/detach/<task_id>/undo")
def undo_detach(task_id: str) -> Response:
    """Bring the originals back from the trash."""
    back = redirect(url_for("accounts.tasks"), 303)
    task = _ended(task_id)
    if task is None:
        notify(_("There was nothing to undo."), "caution")
        return back
    try:
        with user_lock(current_user().id), imap.connect(current_account()) as connection:
            count = detach_task.undo(connection, store.cursor_of(task))
    except OverQuotaError:
        notify(
            _("Your mailbox is full, so the originals can’t be put back. They are still in the trash."),
            "caution",
            link=room_link(),
        )
        return back
    withdraw_notices()
    store.note_undone(current_user(), task_id)
    told = ngettext("%(num)d message has its attachments back.", "%(num)d messages have their attachments back.", count)
    notify(told if count else _("The originals are no longer in the trash, so this can’t be undone."))
    return back


def _rows(connection: Connection, chosen: Sequence[Selection], found: Overview) -> list[Row]:
    """The messages, of one's own folders whose messages stay where they are."""
    rows: list[Row] = []
    for each in chosen:
        here = found.get(each.mailbox)
        if here is None or here.owner or here.role in _APART:
            continue
        told = files_of(connection, each.mailbox, each.uids, each.uidvalidity or None)
        validity = connection.uidvalidity
        rows += [Row(f"{uid}.{validity}.{each.mailbox}", each.mailbox, validity, one) for uid, one in sorted(told.items())]
    return rows


def _wanted() -> dict[str, set[str]]:
    """The ticked files: message -> sections. Each is sent as "section message"."""
    wanted: dict[str, set[str]] = {}
    for value in request.form.getlist("part")[: 100 * detach_task.MOST]:
        section, _space, message = value.partition(" ")
        wanted.setdefault(message, set()).add(section)
    return wanted


def _files(row: Row, sections: set[str]) -> list[list[Any]]:
    there = row.message.files.parts
    return [[part.section, part.type, part.size, _placeholder_text(part)] for part in there if part.section in sections]


def _placeholder_text(part: Part) -> str:
    """What the message says in the file's place."""
    size = file_size(part.decoded_size)
    return _("Attachment removed on %(date)s: “%(name)s” (%(size)s)", date=day_in_full(today()), name=part.filename, size=size)


def _start(arguments: dict[str, Any]) -> None:
    task_id = store.id_of_form(current_user(), request.form.get("task", "")[:64])
    try:
        task_started(store.start(current_user(), detach_task.NAME, arguments, task_id=task_id, credential=task_credential()))
    except LimitReachedError:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")


def _ended(task_id: str) -> Task | None:
    try:
        task = store.find(current_user(), task_id)
    except store.NoSuchTaskError:
        return None
    ours = task.kind == detach_task.NAME and task.state not in store.OPEN and not store.result_of(task).get(store.UNDONE)
    return task if ours else None


def _too_many() -> str:
    return _("Select at most %(num)d messages.", num=detach_task.MOST)


def _sealed_words() -> str:
    return _("Signed and encrypted messages are left as they are: removing attachments would break the signature.")


# --- on the page of tasks --------------------------------------------------------------------------------------------


def _done(result: Facts) -> str:
    told = []
    if result["count"]:
        told.append(
            ngettext(
                "Attachments removed from %(num)d message (%(size)s).",
                "Attachments removed from %(num)d messages (%(size)s).",
                result["count"],
                size=file_size(max(result["freed"], 0)),
            )
        )
        if not result["for_good"]:
            told.append(_("The originals are in the trash: empty it to free up the space."))
    told += [_left(reason, count) for reason, count in result["left"].items()]
    return " ".join(told)


def _left(reason: str, count: int) -> str:
    words = {
        "gone": ngettext("%(num)d message was no longer there.", "%(num)d messages were no longer there.", count),
        "not-allowed": ngettext(
            "You don’t have permission to change %(num)d message.",
            "You don’t have permission to change %(num)d messages.",
            count,
        ),
        KeepReason.SIGNED: _sealed_words(),
        KeepReason.ENCRYPTED: _sealed_words(),
    }
    otherwise = ngettext(
        "%(num)d message was left as it was: its format is unusual.",
        "%(num)d messages were left as they were: their format is unusual.",
        count,
    )
    return words.get(reason, otherwise)


def _failed(reason: str) -> str:
    return {
        OVER_QUOTA: _("Your mailbox is full: even without its attachments, a message needs some space. Nothing was lost."),
        "sign-in": _("The mail server no longer accepts your sign-in. Sign in again, then start over."),
        "no-disk": _("The server is out of space for files. Tell your administrator, then try again."),
    }.get(reason, "")


def _undo(facts: Facts) -> tuple[str, dict[str, Any]] | None:
    done = (facts["cursor"] or {}).get("done", [])
    return (url_for("mailbox.undo_detach", task_id=facts["task"]), {}) if any(row[5] for row in done) else None


def _where(result: Facts) -> tuple[str, str] | None:
    if not result["new"]:
        return url_for("mailbox.room"), _("Free up space")
    mailbox, validity, uid = result["new"]
    return url_for("message.show", uid=uid, mailbox=mailbox, v=validity), _("Open the message")


TASK_TEXTS[detach_task.NAME] = TaskText(
    title=lambda about: ngettext(
        "Removing attachments from %(num)d message.", "Removing attachments from %(num)d messages.", len(about["messages"])
    ),
    done=_done,
    failed=_failed,
    link=_where,
    undo=_undo,
)  # fmt: skip
