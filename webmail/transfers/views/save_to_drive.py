"""Save to a drive: a page to choose files of a transfer, one's own or a guest's, and the folder on another server they go to."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, redirect, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from webmail.drives import drive_texts, folder_choice, folder_look, open_drives
from webmail.drives.drive import LONGEST_ID
from webmail.drives.folder_choice import FolderChoice
from webmail.drives.saving import MOST
from webmail.errors import LimitReachedError
from webmail.models import Transfer
from webmail.tasks import store as tasks
from webmail.transfers import changes, store
from webmail.transfers.blueprint import blueprint
from webmail.transfers.saving import drive_save
from webmail.transfers.saving.drive_save import is_ready
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.templates.addresses import url_for
from webmail.web.texts.task_texts import TASK_TEXTS, Facts, TaskText, task_started


@blueprint.get("/transfers/<int:number>/save-to-drive")
def choose_drive_folder(number: int) -> AnyResponse:
    """`drive`: one of those connected, the first if not told; `folder` on it; `file`: what is ticked, else all; `first`: the
    files from that one on, where there are very many."""
    transfer = _transfer(number)
    if transfer is None:
        return _not_from_here(number)
    mine = open_drives.for_user(current_user(), settings())
    connection = folder_choice.drive_of(mine, request.args.get("drive", ""))
    if connection is None:
        return redirect(url_for("drives.index"), 303)
    files = [one for one in store.files(transfer) if is_ready(one)]
    first = max(0, min(request.args.get("first", 0, int), len(files) - 1))
    shown = files[first : first + MOST]
    look = folder_look.look(connection, settings(), request.args.get("folder", "")[:LONGEST_ID], request.args)
    return page(
        "transfers/save_to_drive.html", transfer=transfer, files=shown, first=first, most=MOST, count=len(files), drive=look,
        drives=mine, ticked=_numbers(request.args.getlist("file")) or [one.id for one in shown],
        is_allowed=folder_choice.may_save(connection, settings(), look.folder),
    )  # fmt: skip


@blueprint.post("/transfers/<int:number>/save-to-drive")
def save_to_drive(number: int) -> Response | AnyResponse:
    """Start the task, or go to another folder or drive with what is ticked. Without the right to write, to where it is given."""
    transfer = _transfer(number)
    if transfer is None:
        return _not_from_here(number)
    choice = folder_choice.read(request.form, current_user(), settings())
    files = _numbers(request.form.getlist("file"))
    if choice.saves and files and choice.may_save:
        _start(transfer, files, choice)
        return redirect(url_for("transfers.one", number=number), 303)
    if choice.saves and not files:
        notify(_("Select files first."), "caution")
    first = request.form.get("first", 0, int) or None
    here = url_for("transfers.choose_drive_folder", number=number, file=files, first=first, **choice.query)
    if choice.saves and files:
        return redirect(url_for("services.ask_to_connect", **choice.consent(here)), 303)
    return redirect(here, 303)


def _transfer(number: int) -> Transfer | None:
    """One's own; None where its files can't be opened here, or are gone. Aborts for another's."""
    found = changes.of_owner(number, current_user()) if settings().transfers.on else None
    if found is None:
        abort(404)
    return found if found.adds_to_id is None and drive_save.is_possible(found) else None


def _not_from_here(number: int) -> AnyResponse:
    notify(_("The files of this transfer can’t be saved from here."), "caution")
    return redirect(url_for("transfers.one", number=number), 303)


def _numbers(values: list[str]) -> list[int]:
    """Of files: they are short, since the way to the service's consent and back carries them."""
    return list(dict.fromkeys(int(one) for one in values if one.isascii() and one.isdigit() and len(one) < 18))[:MOST]


def _start(transfer: Transfer, files: list[int], choice: FolderChoice) -> None:
    arguments: dict[str, Any] = {
        "transfer": transfer.id, "files": files, "connection": choice.connection.id, "folder": choice.folder,
    }  # fmt: skip
    try:
        task_started(tasks.start_once(current_user(), drive_save.NAME, arguments))
    except LimitReachedError:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")


def _undo(facts: Facts) -> tuple[str, Facts] | None:
    """Once a file is there."""
    return (url_for("drives.undo_saving"), {"task": facts["task"]}) if (facts["cursor"] or {}).get("at") else None


def _failed(reason: str) -> str:
    if reason == drive_save.FILE_GONE:
        return _("A file is no longer here. What was already saved has been kept.")
    return drive_texts.failed_words(reason)


TASK_TEXTS[drive_save.NAME] = TaskText(
    title=lambda about: ngettext(
        "Saving %(num)d file to another server.", "Saving %(num)d files to another server.", len(about["files"])
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
