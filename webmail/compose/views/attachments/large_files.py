"""Large files on the form: what the message carries as a link, and the buttons that change it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, redirect, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail.compose.attachments import uploads
from webmail.compose.blueprint import blueprint
from webmail.compose.drafts import drafts
from webmail.compose.drafts.drafts import AlreadyLeftError
from webmail.compose.forms import ComposeForm
from webmail.compose.large_files import drive_calls, drive_facts, filesender_calls, large_changes, large_files
from webmail.compose.large_files.drive_facts import DriveChoice
from webmail.compose.large_files.large_files import FileState
from webmail.compose.outbox import link_gate, queue
from webmail.compose.views.drafts_folder import put_if_small
from webmail.compose.views.editor import LEFT, address_of, no_room_words, show_form, store
from webmail.errors import MailError
from webmail.models import ContentState, DraftRow, Outbox, OutboxState, StoredContent, TransferFile, TransferState
from webmail.storage import FileGoneError, StorageAwayError, StorageFullError
from webmail.transfers import store as transfers
from webmail.transfers.content import ContentDamagedError, WrongKeyError
from webmail.transfers.limits import Limit, OverLimitError
from webmail.web.current import current_user, settings
from webmail.web.formatting import file_size, number
from webmail.web.forms.request_values import local_path
from webmail.web.frame.areas import check_shown

_DAYS = (1, 3, 7, 15, 30, 60, 90, 180, 365)
_UNREADABLE = (FileGoneError, ContentDamagedError, WrongKeyError)
REFUSALS = (OverLimitError, transfers.TransferClosedError, *uploads.REFUSALS, *_UNREADABLE)


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A large file as the form shows it. `words`: how far it is, "" once it is ready; `fits`: it could be attached."""

    id: int
    upload: str
    name: str
    size: int
    words: str
    held: bool
    fits: bool
    bad: bool
    incomplete: bool


@dataclass(frozen=True, slots=True)
class ShownFiles:
    """The large files of a draft. `uploads`: where its transfer takes more, "" where it has none; `drive`: what they go to
    instead of being given out here; `problem`: why they did not get there, in words."""

    files: list[ShownFile]
    uploads: str = ""
    drive: DriveChoice | None = None
    problem: str = ""


@blueprint.app_template_global()
def linked_files(row: DraftRow | None) -> ShownFiles:
    """For the form. 1 SELECT, 3 with large files."""
    transfer = large_files.of_draft(row.id) if row is not None else None
    if row is None or transfer is None:
        return ShownFiles([])
    closed = transfer.state == TransferState.CLOSED
    address = url_for("transfers.uploads", of=transfer.id) if transfer.state == TransferState.OPEN else ""
    files = transfers.files(transfer)
    left = large_changes.free_bytes(row, settings()) if files else 0
    choice = drive_facts.load(transfer)
    problem = str(drive_calls.problem_words(choice.problem)) if choice is not None and choice.problem else ""
    return ShownFiles([_shown_file(file, left, choice, closed=closed) for file in files], address, choice, problem)


def _shown_file(file: TransferFile, left: int, choice: DriveChoice | None, *, closed: bool) -> ShownFile:
    if choice is not None and file.id in choice.links:
        words = _("on %(title)s", title=choice.title)
        return ShownFile(file.id, file.upload, file.path, file.size, words, False, False, False, False)
    stored: StoredContent | None = None if closed else file.content
    state = stored.state if stored is not None else ContentState.DELETED
    return ShownFile(
        file.id, file.upload, file.path, file.size, _state_words(stored, choice), bool(file.held),
        stored is not None and large_changes.fits(file, left),
        state in (ContentState.REFUSED, ContentState.DELETED), state == ContentState.UPLOADING,
    )  # fmt: skip


def _state_words(stored: StoredContent | None, choice: DriveChoice | None) -> str:
    if stored is None or stored.state == ContentState.DELETED:
        return _("no longer stored")
    if stored.state == ContentState.REFUSED:
        return _("refused: it may be harmful")
    if stored.state == ContentState.UPLOADING:
        return _("%(percent)d%% uploaded", percent=stored.received * 100 // max(stored.size, 1))
    if stored.state == ContentState.CHECKING:
        return _("being checked")
    return _("being saved to %(title)s", title=choice.title) if choice is not None and not choice.problem else ""


@blueprint.app_template_global()
def links_offered() -> bool:
    """Whether a file that is too large can go as a link."""
    return large_files.are_offered(current_user(), settings())


@blueprint.app_template_global()
def usual_link_days() -> int:
    return settings().transfers.days


@blueprint.app_template_global()
def link_days(chosen: int | None) -> list[tuple[int, str]]:
    """For how many days a link may work, with words; `chosen` is among them, as is what is usual."""
    given = settings().transfers
    usual = {given.days, given.most_days, chosen or given.days}
    found = sorted(days for days in usual.union(_DAYS) if 0 < days <= given.most_days)
    return [(days, ngettext("%(num)d day", "%(num)d days", days)) for days in found]


# --- the buttons -----------------------------------------------------------------------------------------------------


def attach_as_link(form: ComposeForm, row: DraftRow, attachment_id: int) -> Response:
    """An attachment goes as a link instead."""
    check_shown("transfers")
    try:
        large_changes.as_link(row, attachment_id, settings())
    except (*REFUSALS, AlreadyLeftError) as error:
        return _refused(form, row, error)
    return changed(form, row)


def attach_as_file(form: ComposeForm, row: DraftRow, file_id: int) -> Response:
    """A large file goes as an attachment instead."""
    try:
        if not large_changes.as_attachment(row, file_id, settings()):
            form.mark("attachments", no_room_words(OverLimitError(Limit.FILE)))
            return show_form(form, row.id, row, status=422)
    except (*REFUSALS, AlreadyLeftError) as error:
        return _refused(form, row, error)
    return changed(form, row)


def keep_link(form: ComposeForm, row: DraftRow, file_id: int) -> Response:
    large_changes.keep(row, file_id)
    return changed(form, row)


def drop_link(form: ComposeForm, row: DraftRow, file_id: int) -> Response:
    large_changes.remove(row, file_id, settings())
    return changed(form, row)


def changed(form: ComposeForm, row: DraftRow) -> Response:
    put_if_small(row)
    return redirect(address_of(row, form), 303)


def prepare_links(draft_id: str, form: ComposeForm) -> Response:
    """Let the draft have a transfer, to which the page's script uploads (static/js/compose/links.js); the text is not changed."""
    check_shown("transfers")
    sent = queue.of_draft(current_user(), draft_id)
    if sent is not None and sent.state in LEFT:
        return Response(status=204)
    row = DraftRow.get_or_none((DraftRow.id == draft_id) & (DraftRow.user == current_user())) or store(draft_id, form)
    try:
        large_changes.begun(row, settings())
    except OverLimitError as error:
        return _refused(form, row, error)
    except AlreadyLeftError:
        return Response(status=204)
    drafts.touch(row)
    return changed(form, row)


def to_drive_page(row: DraftRow, form: ComposeForm) -> str:
    """The address of the page where they are put on a drive instead."""
    return url_for("compose.choose_large_drive", draft_id=row.id, back=local_path(form.back.data or "") or None)


def to_large_page(row: DraftRow, form: ComposeForm) -> str:
    """The address of the page that takes large files without scripts."""
    return url_for("compose.large", draft_id=row.id, back=local_path(form.back.data or "") or None)


def _refused(form: ComposeForm, row: DraftRow, error: MailError) -> Response:
    current_app.logger.info("draft %s: %s", row.id, error)
    form.mark("attachments", link_refusal_words(error))
    return show_form(form, row.id, row, status=error.status if error.status >= 500 else 422)


def link_refusal_words(error: MailError) -> str:
    """Why a file can't go as a link."""
    if isinstance(error, uploads.MessageTooLargeError | uploads.AllowanceUsedError | StorageFullError | StorageAwayError):
        return no_room_words(error)
    if isinstance(error, _UNREADABLE):
        return _("A file is missing. Remove it and attach it again.")
    if isinstance(error, transfers.TransferClosedError):
        return stopped_words(FileState.CLOSED, "")
    if not isinstance(error, OverLimitError):
        return _("The message has already been sent.")
    if error.limit is Limit.TYPE:
        return _("Files of this type are not allowed here.")
    if error.limit is Limit.PERSON:
        size = file_size(error.most)
        return _("Your large files are limited to %(size)s in total. Close some that you no longer need.", size=size)
    if error.limit in (Limit.FILE, Limit.TRANSFER):
        return _("Large files are limited to %(size)s.", size=file_size(error.most))
    if error.limit is Limit.TRANSFERS:
        return _("You already have %(count)s links. Close some that you no longer need.", count=number(error.most))
    if error.limit is Limit.FILES:
        return _("One link holds at most %(count)s files.", count=number(error.most))
    return _("The server is out of space for files. Tell your administrator.")


# --- before sending --------------------------------------------------------------------------------------------------


def check_links(form: ComposeForm, row: DraftRow) -> None:
    """Let the form say what of its large files keeps the message from leaving. 1 SELECT, 2 with large files."""
    transfer = large_files.of_draft(row.id)
    if transfer is None:
        return
    held = [file.path for file in transfers.files(transfer) if file.held]
    if held:
        form.mark("attachments", _("“%(name)s” is not part of the message yet. Send it as a link, or remove it.", name=held[0]))
        return
    rows = large_files.files(transfer)
    state, name = large_files.state_of(transfer, rows) if rows else (FileState.READY, "")
    if stopped := stopped_words(state, name):
        form.mark("attachments", stopped)


def stopped_words(state: FileState, name: str) -> str:
    """Why a message can't leave with its large files, and what to do; "" where it can, or will."""
    if state is FileState.REFUSED:
        return _("“%(name)s” was refused because it may be harmful. Remove it.", name=name)
    if state is FileState.ABANDONED:
        return _("“%(name)s” was never fully uploaded. Upload it again, or remove it.", name=name)
    if state is FileState.NOT_TAKEN:
        return _("FileSender did not take the large files.") + " " + str(filesender_calls.problem_words(name))
    if state is FileState.NOT_SAVED:
        words = _("The large files did not get to your online files.")
        return f"{words} {drive_calls.problem_words(name)} " + _("Choose again where they go.")
    if state is FileState.CLOSED:
        if name:
            return _("“%(name)s” is no longer stored. Remove it, or add it again.", name=name)
        return _("The link to the large files was closed. Remove them, or add them again.")
    return ""


def file_coming(draft_id: str) -> TransferFile | None:
    """The first large file of a message that is not there yet. 1 SELECT, 2 with large files."""
    transfer = large_files.of_draft(draft_id)
    rows = large_files.files(transfer)
    state, name = large_files.state_of(transfer, rows) if transfer is not None and rows else (FileState.READY, "")
    return next((row for row in rows if row.path == name), None) if state is FileState.COMING else None


def coming_words(row: Outbox) -> str:
    """What a message in the outbox waits for; "" where it is no large file."""
    if row.state != OutboxState.WAITING or row.sent_at is not None:
        return ""
    file = file_coming(row.draft)
    if file is None or file.content is None:
        return _("Its large files have been uploaded: it will be sent in a moment.") if link_gate.waits(row) else ""
    if file.transfer.state == TransferState.HANDED:
        return _("Waiting for FileSender to have the files.")
    choice = drive_facts.load(file.transfer)
    if choice is not None and file.content.state == ContentState.READY:
        return _("Waiting for “%(name)s” to be on %(title)s.", name=file.path, title=choice.title)
    if file.content.state == ContentState.CHECKING:
        return _("Waiting for “%(name)s” to be checked.", name=file.path)
    percent = file.content.received * 100 // max(file.content.size, 1)
    return _("Waiting for “%(name)s” (%(percent)d%% uploaded).", name=file.path, percent=percent)
