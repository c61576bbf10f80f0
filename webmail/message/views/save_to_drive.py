"""Save to a drive: a page to choose attachments of a message, or all of it, and the folder on another server that they go to."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import imap
from webmail.compose.attachments import mail_attachments
from webmail.drives import drive_texts, folder_choice, folder_look, open_drives
from webmail.drives.drive import LONGEST_ID
from webmail.drives.folder_choice import FolderChoice
from webmail.errors import LimitReachedError
from webmail.message import drive_save
from webmail.message.blueprint import blueprint
from webmail.message.drive_save import WHOLE
from webmail.tasks import store as tasks
from webmail.web.current import current_account, current_user, settings, task_credential
from webmail.web.forms.request_values import uidvalidity
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.texts.task_texts import TASK_TEXTS, Facts, TaskText, task_started

_MOST = 50  # files at once
_LONGEST_SECTION = 600  # characters


@blueprint.get("/save-to-drive/<int:uid>/<path:mailbox>")
def choose_drive_folder(uid: int, mailbox: str) -> Response:
    """`drive`: one of those connected, the first if not told; `folder` on it; `section`: what is ticked, else the files."""
    mine = open_drives.for_user(current_user(), settings())
    connection = folder_choice.drive_of(mine, request.args.get("drive", ""))
    if connection is None:
        return redirect(url_for("drives.index"), 303)
    with imap.connect(current_account(), mailbox) as server:
        message, shape = mail_attachments.look_inside(server, mailbox, uid, uidvalidity())
        validity = server.uidvalidity
    parts = [(one.section, mail_attachments.part_name(one), one.decoded_size) for one in (shape.attachments if shape else ())]
    look = folder_look.look(connection, settings(), request.args.get("folder", "")[:LONGEST_ID], request.args)
    return page(
        "message/save_to_drive.html", message=message, mailbox=mailbox, uid=uid, validity=validity, parts=parts[:_MOST],
        ticked=request.args.getlist("section") or [section for section, *_about in parts] or [WHOLE], drive=look, drives=mine,
        whole=WHOLE, is_allowed=folder_choice.may_save(connection, settings(), look.folder),
    )  # fmt: skip


@blueprint.post("/save-to-drive/<int:uid>/<path:mailbox>")
def save_to_drive(uid: int, mailbox: str) -> Response:
    """Start the task, or go to another folder or drive with what is ticked. Without the right to write, to where it is given."""
    form = request.form
    choice = folder_choice.read(form, current_user(), settings())
    sections = [one for one in dict.fromkeys(form.getlist("section")) if len(one) <= _LONGEST_SECTION][:_MOST]
    place: dict[str, Any] = {"uid": uid, "mailbox": mailbox, "v": form.get("v", 0, int) or None}
    if choice.saves and sections and choice.may_save:
        _start(place, sections, choice)
        return redirect(url_for("message.show", **place), 303)
    if choice.saves and not sections:
        notify(_("Select files first."), "caution")
    here = url_for("message.choose_drive_folder", **place, section=sections, **choice.query)
    if choice.saves and sections:
        return redirect(url_for("services.ask_to_connect", **choice.consent(here)), 303)
    return redirect(here, 303)


def _start(address: dict[str, Any], sections: list[str], choice: FolderChoice) -> None:
    arguments = {
        "mailbox": address["mailbox"], "v": address["v"] or 0, "uid": address["uid"], "sections": sections,
        "connection": choice.connection.id, "folder": choice.folder,
    }  # fmt: skip
    try:
        task_started(tasks.start_once(current_user(), drive_save.NAME, arguments, credential=task_credential()))
    except LimitReachedError:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")


def _undo(facts: Facts) -> tuple[str, Facts] | None:
    """Once a file is there."""
    return (url_for("drives.undo_saving"), {"task": facts["task"]}) if (facts["cursor"] or {}).get("at") else None


def _failed(reason: str) -> str:
    match reason:
        case "message-gone":
            return _("The message is no longer there.")
        case "mail-sign-in":
            return _("The mail server refused the sign-in.")
    return drive_texts.failed_words(reason)


TASK_TEXTS[drive_save.NAME] = TaskText(
    title=lambda about: ngettext(
        "Saving %(num)d file to another server.", "Saving %(num)d files to another server.", len(about["sections"])
    ),
    done=drive_texts.saved_words,
    failed=_failed,
    link=lambda result: (
        url_for("drives.folder", number=result["connection"], folder=result["folder"].lstrip("/") or None), _("Open the folder")
    ),
    undo=_undo,
    progress=drive_texts.progress_words,
    stopped=drive_texts.STOPPED,
)  # fmt: skip
