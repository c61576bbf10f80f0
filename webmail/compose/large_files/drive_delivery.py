"""Drive delivery: brings large files of a message to a drive of its writer, makes their links there, and takes both back.

The files come here first and are checked; once all have a link, the message may leave. Until then they are stored here too, so
that their writer can think better of it.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import peewee as pw

from webmail import preferences, vault
from webmail.compose.drafts import drafts
from webmail.compose.large_files import drive_facts, filesender_calls, large_files
from webmail.compose.large_files.drive_calls import LINK_FILES, UNDO_LINKING
from webmail.compose.large_files.drive_facts import DriveChoice, DriveLink
from webmail.config.settings import Settings
from webmail.drives import drive_texts, folder_choice, open_drives
from webmail.drives.drive import Drive, DriveEntry, DriveError, LinkOrder, LinkRight, MadeLink
from webmail.drives.drive_tasks import KIB, DriveProgress, drive_for, from_json, task_faults, to_json
from webmail.drives.saving import STAYS, save_one
from webmail.errors import LimitReachedError, NoSuchMessageError
from webmail.models import ConnectedService, DriveState, Task, TaskState, Transfer, TransferFile, User
from webmail.services.service_errors import NoSuchServiceError
from webmail.tasks import store as tasks
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun, TaskStoppedError
from webmail.transfers import changes
from webmail.transfers import store as transfers
from webmail.transfers.saving import drive_save

log = logging.getLogger(__name__)

CANCELLED, NOT_WANTED = "cancelled", "draft-gone"
_PURPOSE = "drive link password"
_BATCH = 50


# --- what is chosen --------------------------------------------------------------------------------------------------


def are_offered(user: User, settings: Settings) -> bool:
    """Whether large files of theirs may go to a drive: not where FileSender gives them out. 0 queries without FileSender."""
    offered = large_files.are_offered(user, settings) and open_drives.are_offered(user, settings)
    return offered and not (settings.filesender is not None and filesender_calls.serves(user, settings))


def chosen(connection: ConnectedService, folder: str, order: LinkOrder, settings: Settings) -> DriveChoice:
    sealed = ""
    if order.password:
        secret = vault.seal_secret(order.password.encode(), settings.secret_key, _PURPOSE, connection.user_id)
        sealed = base64.b64encode(secret).decode()
    expires = order.expires.isoformat() if order.expires else ""
    return DriveChoice(connection.id, connection.title, order.right, folder, sealed, expires)


def choose(transfer: Transfer, choice: DriveChoice, settings: Settings) -> Task | None:
    """Let its files go there. Links of an order of before are taken back. The task, where files are ready. Raises
    LimitReachedError."""
    before = drive_facts.load(transfer)
    if before is not None and before.is_same_order(choice):
        choice = replace(choice, links=before.links)
    elif before is not None:
        take_back(transfer, settings)
    drive_facts.keep(transfer, choice)
    return begin(transfer, settings)


def take_back(transfer: Transfer, settings: Settings) -> Task | None:
    """Let its files be given out here again: what is under way stops, what is there is deleted by a task, which is returned.
    Raises LimitReachedError."""
    before = drive_facts.load(transfer)
    if before is None:
        return None
    drive_facts.keep(transfer, None)
    if before.task:
        tasks.cancel(transfer.owner, before.task)
    made = [{**link.entry, "link": [link.url, link.right, link.number]} for link in before.links.values()]
    return tasks.start_once(transfer.owner, UNDO_LINKING, {"connection": before.connection, "made": made}) if made else None


def usual(user: User, settings: Settings) -> DriveChoice | None:
    """What they chose for all large files, as long as that is possible. 1 query, where they chose one."""
    number, _slash, rest = preferences.for_user(user).link_drive.partition("/")
    right, _slash, folder = rest.partition("/")
    if not number or right not in list(LinkRight) or not are_offered(user, settings):
        return None
    try:
        connection = open_drives.find(user, int(number), settings)
    except NoSuchServiceError:
        return None
    order = LinkOrder(LinkRight(right))
    return chosen(connection, folder, order, settings) if folder_choice.may_save(connection, settings) else None


def is_usual(user: User, connection: ConnectedService) -> bool:
    """Whether they chose this drive for all large files. 0 queries."""
    return preferences.for_user(user).link_drive.partition("/")[0] == str(connection.id)


def set_usual(user: User, choice: DriveChoice | None) -> None:
    """What new messages with large files begin with: never with a password or a day."""
    preferences.change(user, link_drive=f"{choice.connection}/{choice.right}/{choice.folder}" if choice is not None else "")


def link_words(link: DriveLink) -> str:
    """Who may open it, as the message says it."""
    return drive_texts.link_words(_made(link))


def _made(link: DriveLink) -> MadeLink:
    expires = date.fromisoformat(link.expires) if link.expires else None
    return MadeLink(link.url, LinkRight(link.right), link.number, link.has_password, expires)


# --- for the worker --------------------------------------------------------------------------------------------------


def pending(_settings: Settings) -> list[pw.Query]:
    """What `begin_all` looks at."""
    return [transfers.going_to_drives(Transfer.id)]


def begin_all(settings: Settings) -> int:
    """Start a task for what came meanwhile, and settle what a task ended without. How many began."""
    begun = 0
    for transfer in list(transfers.going_to_drives().order_by(Transfer.id).limit(_BATCH)):
        with suppress(LimitReachedError):  # when others of theirs are over
            begun += begin(transfer, settings) is not None
    return begun


def begin(transfer: Transfer, settings: Settings) -> Task | None:
    """Start the task for files that are ready and not there; None where there are none, or it is under way. Raises
    LimitReachedError."""
    choice = drive_facts.load(transfer)
    if choice is None:
        return None
    task = _task(transfer, choice)
    if task is not None and task.state in tasks.OPEN:
        return None
    if task is not None and task.state in (TaskState.FAILED, TaskState.CANCELLED):
        problem = CANCELLED if task.state == TaskState.CANCELLED else task.error
        drive_facts.keep(transfer, replace(choice, task="", problem=problem), DriveState.STOPPED)
        return None
    rows = large_files.files(transfer)
    if rows and all(row.id in choice.links for row in rows):
        drive_facts.keep(transfer, replace(choice, task=""), DriveState.THERE)
        return None
    if not any(drive_save.is_ready(row) and row.id not in choice.links for row in rows):
        return None
    task = tasks.start_once(transfer.owner, LINK_FILES, {"transfer": transfer.id, "connection": choice.connection})
    drive_facts.keep(transfer, replace(choice, task=task.id, problem=""))
    return task


def _task(transfer: Transfer, choice: DriveChoice) -> Task | None:
    with suppress(tasks.NoSuchTaskError):
        return tasks.find(transfer.owner, choice.task) if choice.task else None
    return None


def _work(run: TaskRun) -> dict[str, Any]:
    cursor: dict[str, Any] = run.cursor or {"file": 0, "state": {}, "entry": None, "links": 0}
    while (found := _next(run)) is not None:
        transfer, choice, file, progress = found
        if cursor["file"] != file.id:
            cursor |= {"file": file.id, "state": {}, "entry": None}
        with task_faults():
            drive = drive_for(run.user, choice.connection, run.settings)[1]
            _bring(run, drive, choice, file, cursor, progress)
    return {"links": cursor["links"], "draft": _draft_of(run)}


def _next(run: TaskRun) -> tuple[Transfer, DriveChoice, TransferFile, DriveProgress] | None:
    """The next file that is ready and not there; None where all are."""
    transfer, choice = _wanted(run)
    rows = large_files.files(transfer)
    sizes = {row.id: row.size // KIB + 1 for row in rows}
    file = next((row for row in rows if row.id not in choice.links and drive_save.is_ready(row)), None)
    before = sum(size for number, size in sizes.items() if number in choice.links)
    return (transfer, choice, file, DriveProgress(before, sum(sizes.values()))) if file is not None else None


def _wanted(run: TaskRun) -> tuple[Transfer, DriveChoice]:
    """Raises TaskFailedError where the message is gone, or its files are to be elsewhere."""
    transfer = changes.of_owner(run.arguments["transfer"], run.user)
    choice = drive_facts.load(transfer)
    if transfer is None or choice is None or choice.connection != run.arguments["connection"]:
        raise TaskFailedError(NOT_WANTED)
    return transfer, choice


def _bring(
    run: TaskRun, drive: Drive, choice: DriveChoice, file: TransferFile, cursor: dict[str, Any], progress: DriveProgress
) -> None:  # fmt: skip
    """Upload it, make its link, and keep that. After a kill the upload goes on where it was."""
    if cursor["entry"] is None:
        entry = save_one(run, drive, drive_save.to_save(file, run.settings), choice.folder, cursor, progress)
        cursor["entry"] = to_json(entry)
        with run.step(cursor, done=progress.before + file.size // KIB, total=progress.total):
            pass
    entry = from_json(cursor["entry"])
    try:
        link = drive.make_link(entry, _order(run, choice))
    except DriveError:
        with suppress(DriveError):
            drive.delete(entry)
        raise
    kept = DriveLink(
        link.url, link.right, link.has_password, link.expires.isoformat() if link.expires else "", link.id, to_json(entry)
    )
    cursor |= {"links": cursor["links"] + 1, "entry": None, "state": {}}
    try:
        with run.step(cursor, done=progress.before + file.size // KIB + 1, total=progress.total):
            transfer, current = _wanted(run)
            if not current.is_same_order(choice):
                raise TaskFailedError(NOT_WANTED)
            rows = [row.id for row in large_files.files(transfer)]
            current = drive_facts.with_link(current, file.id, kept)
            is_all = all(number in current.links for number in rows)
            drive_facts.keep(transfer, current, DriveState.THERE if is_all else DriveState.WAITING)
            with suppress(NoSuchMessageError):
                drafts.touch(drafts.load(run.user, transfer.draft_id))  # its copy in Drafts gets the link
    except (TaskFailedError, TaskStoppedError):
        if run.is_cancelled or not run.stopping.is_set():
            with suppress(DriveError):
                _remove(drive, entry, [link])
        raise


def _order(run: TaskRun, choice: DriveChoice) -> LinkOrder:
    """Raises TaskFailedError where the password can't be opened any more."""
    try:
        sealed = base64.b64decode(choice.password)
        secret = vault.open_secret(sealed, run.settings.secret_key, _PURPOSE, run.user.id).decode() if sealed else ""
    except (ValueError, vault.CannotOpenError) as error:
        raise TaskFailedError("password") from error
    return LinkOrder(LinkRight(choice.right), secret, date.fromisoformat(choice.expires) if choice.expires else None)


def _draft_of(run: TaskRun) -> str:
    transfer = changes.of_owner(run.arguments["transfer"], run.user)
    return str(transfer.draft_id) if transfer is not None else ""


def _undo(run: TaskRun) -> dict[str, Any]:
    """Take the links back and delete the files, the last first; what was changed there since stays."""
    made: list[dict[str, Any]] = run.arguments["made"]
    cursor: dict[str, Any] = run.cursor or {"deleted": 0, "kept": 0}
    with task_faults():
        drive = drive_for(run.user, run.arguments["connection"], run.settings)[1]
        while (done := cursor["deleted"] + cursor["kept"]) < len(made):
            found = dict(made[len(made) - 1 - done])
            url, right, number = found.pop("link")
            is_gone = _remove(drive, from_json(found), [MadeLink(url, LinkRight(right), number)])
            cursor["deleted" if is_gone else "kept"] += 1
            with run.step(cursor, done=done + 1, total=len(made)):
                pass
    return cursor


def _remove(drive: Drive, entry: DriveEntry, links: Sequence[MadeLink]) -> bool:
    """Whether the file is gone; False where it has to stay. Raises DriveError for what stands in the way of all."""
    for link in links:
        if link.id:
            drive.remove_link(link)
    try:
        drive.delete(entry)
    except DriveError as error:
        if error.fault not in STAYS:
            raise
        log.info("what was put there stays: %s", error)
        return False
    return True


KINDS = (TaskKind(LINK_FILES, _work), TaskKind(UNDO_LINKING, _undo, in_turn=True))
