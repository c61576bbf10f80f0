"""Large files on a drive: a page where the large files of a message are put on a drive of one's own, with links of that.

The links are no part of the text that is edited: they are put in when the message is built, as ours are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.compose.blueprint import blueprint
from webmail.compose.drafts import drafts
from webmail.compose.large_files import drive_calls, drive_facts, large_files
from webmail.compose.views.attachments.link_drive import link_order
from webmail.compose.views.editor import own_draft
from webmail.drives import drive_texts, folder_choice, folder_look, open_drives
from webmail.drives.drive import LONGEST_ID, DriveError, DriveFault, LinkRules
from webmail.drives.folder_choice import FolderChoice
from webmail.drives.folder_look import FolderLook
from webmail.errors import LimitReachedError
from webmail.models import ConnectedService, DraftRow, Transfer, TransferState
from webmail.web.current import current_user, settings
from webmail.web.formatting import today
from webmail.web.forms.request_values import local_path
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.texts.task_texts import TASK_TEXTS, Facts, TaskText, task_started, wake_worker

_NO_RULES = LinkRules(rights=())


@dataclass(frozen=True, slots=True)
class _DraftFiles:
    """A draft with large files that may go to a drive."""

    row: DraftRow
    transfer: Transfer


@blueprint.get("/compose/<draft_id>/large/drive")
def choose_large_drive(draft_id: str) -> AnyResponse:
    """`drive`, `folder`, `right`: what is chosen so far. Two requests to the service."""
    found = _draft_files(draft_id)
    if not isinstance(found, _DraftFiles):
        return found
    mine = _with_links()
    connection = folder_choice.drive_of(mine, request.args.get("drive", "") or _chosen_drive(found.transfer))
    if connection is None:
        return page("compose/no_link_drive.html", draft_id=draft_id, back=_back())
    return _page(found, mine, connection)


@blueprint.post("/compose/<draft_id>/large/drive")
def put_on_drive(draft_id: str) -> Response | AnyResponse:
    """`action`: save, ours (give them out here), or to another folder or drive."""
    found = _draft_files(draft_id)
    if not isinstance(found, _DraftFiles):
        return found
    if request.form.get("action") == "ours":
        return _ours(found)
    choice = folder_choice.read(request.form, current_user(), settings())
    right = request.form.get("right", "")[:30] or None
    here = url_for("compose.choose_large_drive", draft_id=draft_id, right=right, back=_back(), **choice.query)
    if choice.saves and not choice.may_save:
        return redirect(url_for("services.ask_to_connect", **choice.consent(here)), 303)
    return _put(found, choice) if choice.saves else redirect(here, 303)


def _draft_files(draft_id: str) -> _DraftFiles | AnyResponse:
    """Or where there is something to do."""
    row = own_draft(draft_id)
    if isinstance(row, AnyResponse):
        return row
    transfer = large_files.standing(draft_id)
    is_open = transfer is not None and transfer.state == TransferState.OPEN
    if transfer is None or not is_open or not drive_calls.are_offered(current_user(), settings()):
        return redirect(_to_draft(row), 303)
    return _DraftFiles(row, transfer)


def _with_links() -> list[ConnectedService]:
    """One's drives that make links. Nothing is asked of them."""
    found = []
    for one in open_drives.for_user(current_user(), settings()):
        try:
            drive = open_drives.open_drive(one, settings())
        except DriveError:
            continue
        if drive.abilities.links:
            found.append(one)
    return found


def _page(
    found: _DraftFiles, mine: list[ConnectedService], connection: ConnectedService, errors: dict[str, str] | None = None
) -> Response:
    given = request.form if errors else request.args
    look = folder_look.look(connection, settings(), given.get("folder", "")[:LONGEST_ID], given)
    rules = _NO_RULES if look.fault else _rules(look)
    now_chosen = drive_facts.load(found.transfer)
    return page(
        "compose/large_drive.html", 422 if errors else 200, draft_id=found.row.id, drive=look, drives=mine, rules=rules,
        errors=errors or {}, typed=given, today=today(), back=_back(), to_draft=_to_draft(found.row), chosen=now_chosen,
        files=large_files.files(found.transfer), is_allowed=folder_choice.may_save(connection, settings()),
        is_usual=drive_calls.is_usual(current_user(), connection),
    )  # fmt: skip


def _rules(look: FolderLook) -> LinkRules:
    """None where the service allows no links, or does not tell."""
    try:
        with open_drives.asking():
            return open_drives.open_drive(look.connection, settings()).link_rules()
    except DriveError:
        return _NO_RULES


def _put(found: _DraftFiles, choice: FolderChoice) -> AnyResponse:
    connection = choice.connection
    try:
        with open_drives.asking():
            rules = open_drives.open_drive(connection, settings()).link_rules()
    except DriveError as error:
        notify(drive_texts.fault_words(error.fault, connection.title), "danger")
        return _page(found, _with_links(), connection, {"service": error.fault})
    if not rules.rights:
        notify(drive_texts.fault_words(DriveFault.LINK_REFUSED, connection.title), "caution")
        return _page(found, _with_links(), connection, {"service": DriveFault.LINK_REFUSED})
    order, errors = link_order(rules, connection.title)
    if errors:
        return _page(found, _with_links(), connection, errors)
    wanted = drive_calls.chosen(connection, choice.folder, order, settings())
    if request.form.get("usual") and not (order.password or order.expires):
        drive_calls.set_usual(current_user(), wanted)
    elif drive_calls.is_usual(current_user(), connection):
        drive_calls.set_usual(current_user(), None)
    try:
        task = drive_calls.choose(found.transfer, wanted, settings())
    except LimitReachedError:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")
        return redirect(_to_draft(found.row), 303)
    drafts.touch(found.row)
    if task is not None:
        task_started(task)
    else:
        notify(_("The large files go to %(title)s as soon as they are here and checked.", title=connection.title))
    return redirect(_to_draft(found.row), 303)


def _ours(found: _DraftFiles) -> AnyResponse:
    """What was put there is deleted by a task."""
    try:
        drive_calls.take_back(found.transfer, settings())
    except LimitReachedError:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")
    else:
        drafts.touch(found.row)
        wake_worker()
        notify(_("The message has a link from this site again."))
    return redirect(_to_draft(found.row), 303)


def _chosen_drive(transfer: Transfer) -> str:
    before = drive_facts.load(transfer)
    return str(before.connection) if before is not None else ""


def _to_draft(row: DraftRow) -> str:
    return url_for("compose.show", draft_id=row.id, back=_back(), at="attachments", _anchor="attachments")


def _back() -> str | None:
    return local_path(request.values.get("back", "")) or None


def _open_draft(result: dict[str, Any]) -> tuple[str, str] | None:
    return (
        (url_for("compose.show", draft_id=result["draft"], at="attachments"), _("Open the message")) if result["draft"] else None
    )


def _title(about: Facts) -> str:
    return _("Putting the large files of a message on another server.")


def _taken_back(result: Facts) -> str:
    words = _("The files of a message were deleted there.")
    return f"{words} " + _("What was changed there was kept.") if result["kept"] else words


TASK_TEXTS[drive_calls.LINK_FILES] = TaskText(
    title=_title,
    done=lambda result: _("They are there, and the message has their links."),
    failed=drive_texts.problem_words,
    link=_open_draft,
    progress=drive_texts.progress_words,
    stopped=drive_texts.STOPPED,
)
TASK_TEXTS[drive_calls.UNDO_LINKING] = TaskText(
    title=lambda _about: _("Deleting the files of a message from another server."),
    done=_taken_back,
    failed=drive_texts.problem_words,
)
