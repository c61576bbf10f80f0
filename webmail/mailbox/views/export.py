"""Export view: downloads selected messages as one mbox or zip file; a large one is made by a worker, and fetched from Tasks."""

from __future__ import annotations

from collections.abc import Callable

from flask import current_app, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import imap
from webmail.errors import LimitReachedError
from webmail.mailbox import export, export_task, selection
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.selection import Selection
from webmail.mailbox.views.action_form import SELECT_FIRST, back_address, chosen_messages
from webmail.models import Task
from webmail.storage import StorageAwayError, StorageFullError
from webmail.tasks import files as task_files
from webmail.tasks import store
from webmail.tasks.export_provenance import marking_now
from webmail.web.current import current_account, current_user, settings, task_credential
from webmail.web.formatting import file_size, number, today
from webmail.web.formatting import lazy_text as _l
from webmail.web.labels import mailbox_label
from webmail.web.notices import notify
from webmail.web.responses import downloads
from webmail.web.texts.task_texts import TASK_TEXTS, Facts, TaskText, task_started


@blueprint.post("/export/<path:mailbox>")
def save_as_file(mailbox: str) -> Response:
    """Download the selection, spooled to a temporary file first: a failure becomes an error page, never a truncated file."""
    kind = request.form.get("kind", "")
    account = current_account()
    with imap.connect(account, mailbox) as connection:
        chosen = chosen_messages(connection, mailbox, request.form.getlist("uids"))
        if kind not in export.KINDS or not chosen:
            notify(str(SELECT_FIRST), "caution")
            return redirect(back_address(mailbox), 303)
        try:
            found = export.measure(connection, chosen)
        except export.ExportTooLargeError:
            return _leave_to_a_worker(mailbox, kind, chosen)
        marking = marking_now(connection, current_user())
    try:
        response = downloads.written(lambda spool: export.write(account, found, kind, spool, marking), export.KINDS[kind])
    except OSError as error:  # writing the file failed; network errors are ServerAwayError
        current_app.logger.error("an export can't be written: %s", error)
        notify(_("The server doesn’t have enough space for this file. Select fewer messages."), "danger")
        return redirect(back_address(mailbox), 303)
    response.headers["Content-Disposition"] = downloads.disposition(_file_name(mailbox, kind), plain=f"messages.{kind}")
    response.headers["Content-Security-Policy"] = downloads.POLICY
    return response


@blueprint.post("/export")
def save_everything() -> Response:
    """All own folders, as one archive that a worker makes. A form sent twice starts one task."""
    about = {"mailbox": "", "kind": export.FOLDERS, "name": f"{_('mail')}-{today():%Y-%m-%d}.zip"}
    task_id = store.id_of_form(current_user(), request.form.get("task", "")[:64])
    _tell(lambda: store.start(current_user(), export_task.NAME, about, task_id=task_id, credential=task_credential()))
    return redirect(url_for("mailbox.folders"), 303)


def _leave_to_a_worker(mailbox: str, kind: str, chosen: list[Selection]) -> Response:
    """A form sent twice starts one task."""
    back = redirect(back_address(mailbox), 303)
    if kind == "zip" and selection.count(chosen) > export.MOST_IN_ARCHIVE:
        words = _("A .zip archive can hold at most %(num)s messages. Choose .mbox, which has no limit.")
        notify(words % {"num": number(export.MOST_IN_ARCHIVE)}, "caution")
        return back
    about = {"mailbox": mailbox, "kind": kind, "name": _file_name(mailbox, kind)}
    _tell(
        lambda: task_files.start(
            current_user(), export_task.NAME, about, settings(), form=request.form.get("task", "")[:64],
            name=export_task.SELECTION, chunks=[export_task.packed(chosen)], credential=task_credential(),
        )
    )  # fmt: skip
    return back


def _tell(start: Callable[[], Task]) -> None:
    """Start a task, and say so, or why not."""
    try:
        task = start()
    except LimitReachedError:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")
    except StorageFullError:
        notify(_("The server is out of space for files. Tell your administrator."), "danger")
    except StorageAwayError:
        notify(_("The server can’t reach its files at the moment. Try again in a few minutes."), "danger")
    else:
        task_started(task)


def _file_name(mailbox: str, kind: str) -> str:
    return f"{mailbox.rsplit('/', 1)[-1]}-{today():%Y-%m-%d}.{kind}"


def _done(result: Facts) -> str:
    told = ngettext(
        "Ready: %(count)s message, %(size)s. The file is kept for %(days)d days.",
        "Ready: %(count)s messages, %(size)s. The file is kept for %(days)d days.",
        result["count"],
        count=number(result["count"]),
        size=file_size(result["size"]),
        days=store.KEPT.days,
    )
    if not (missing := result["missing"]):
        return told
    gone = ngettext("%(num)d message was no longer there.", "%(num)d messages were no longer there.", missing)
    return f"{told} {gone}"


def _failed(reason: str) -> str:
    return {
        "folders-away": _("A folder could not be read, so nothing was saved. Try again in a few minutes."),
        "no-messages": _("These messages no longer exist."),
        "sign-in": _("The mail server no longer accepts your sign-in. Sign in again, then start over."),
        "file-gone": _("Your selection has expired. Select the messages again."),
    }.get(reason, "")


def _title(about: Facts) -> str:
    if about["kind"] == export.FOLDERS:
        return _("Saving all your mail as a file.")
    return _("Saving messages from “%(folder)s” as a file.", folder=mailbox_label(about["mailbox"]))


TASK_TEXTS[export_task.NAME] = TaskText(
    title=_title,
    done=_done,
    failed=_failed,
    file=_l("Download"),
)
