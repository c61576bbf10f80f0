"""Attach from a drive: pages of one's files on another server, to tick several, and attach copies of them or put links to them.

Works without scripts: what was ticked in one folder is carried along to the others in the URL.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail.compose import identities
from webmail.compose.attachments import drive_files, drive_links, uploads
from webmail.compose.attachments.drive_files import MOST
from webmail.compose.blueprint import blueprint
from webmail.compose.drafts import drafts
from webmail.compose.drafts.fields import Fields
from webmail.compose.forms import ComposeForm
from webmail.compose.large_files import large_changes, large_files
from webmail.compose.views import text_format
from webmail.compose.views.drafts_folder import put_if_small
from webmail.compose.views.editor import my_identities, no_room_words, own_draft
from webmail.drives import drive_texts, folder_look, open_drives
from webmail.drives.drive import LONGEST_ID, DocumentStyle, DriveError
from webmail.errors import LimitReachedError, NoSuchMessageError
from webmail.models import ConnectedService, DraftRow
from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import local_path, next_path
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.task_undo import undo_of_task
from webmail.web.texts.task_texts import TASK_TEXTS, Facts, TaskText, task_started


@blueprint.get("/compose/<draft_id>/drive")
def choose_drive(draft_id: str) -> Response:
    """Which of one's drives; the only one at once."""
    row = own_draft(draft_id)
    if isinstance(row, Response):
        return row
    mine, back = open_drives.for_user(current_user(), settings()), _back(request.args.get("back", ""))
    if len(mine) == 1:
        return redirect(url_for("compose.from_drive", draft_id=draft_id, number=mine[0].id, back=back), 303)
    return page("compose/choose_drive.html", draft_id=draft_id, drives=mine, back=back)


@blueprint.get("/compose/<draft_id>/drive/<int:number>")
def from_drive(draft_id: str, number: int) -> Response:
    """A folder of files to tick, or what a search found. One request to the service."""
    row = own_draft(draft_id)
    if isinstance(row, Response):
        return row
    look = folder_look.look(_drive(number), settings(), request.args.get("folder", "")[:LONGEST_ID], request.args)
    kept = _ids(request.args.getlist("kept"))
    documents = any(one.exports for one in look.page.entries)
    here = {one.id for one in look.page.entries}
    return page(
        "compose/from_drive.html", draft_id=draft_id, drive=look, back=_back(request.args.get("back", "")),
        ticked=here.intersection(kept), kept=[one for one in kept if one not in here], cursor=request.args.get("cursor", ""),
        documents=documents, style=_style(),
        space=large_changes.free_bytes(row, settings()), links=large_files.are_offered(current_user(), settings()),
    )  # fmt: skip


@blueprint.post("/compose/<draft_id>/drive/<int:number>")
def attach_from_drive(draft_id: str, number: int) -> Response:
    """Attach what is ticked and return to the draft, or carry it along to another folder."""
    row = own_draft(draft_id)
    if isinstance(row, Response):
        return row
    connection, form = _drive(number), request.form
    action, _colon, what = form.get("action", "search").partition(":")
    if action == "choose":
        return _to_google(number)
    chosen, back = _ids([*form.getlist("kept"), *form.getlist("file")]), _back(form.get("back", ""))
    if action == "attach" and 0 < len(chosen) <= MOST:
        if _attach(row, connection, chosen, _style()):
            return redirect(url_for("compose.show", draft_id=draft_id, back=back, at="attachments", _anchor="attachments"), 303)
    elif action == "attach" or (len(chosen) > MOST and action != "link"):
        notify(_too_many() if chosen else _("Select files first."), "caution")
    if action == "link" and 0 < len(chosen) <= drive_links.MOST:
        return redirect(url_for("compose.ask_drive_links", draft_id=draft_id, number=number, file=chosen, back=back), 303)
    if action == "link":
        notify(_too_many_links() if chosen else _("Select files first."), "caution")
    style = _style() if form.get("style") else None
    place: dict[str, Any] = {"folder": form.get("folder") or None, "words": None, "cursor": None, "style": style}
    if action == "open":
        place["folder"] = what[:LONGEST_ID] or None
    elif action == "search":
        folder = form.get("part", "")[:LONGEST_ID] or None
        place = {"words": form.get("for", "")[:200] or None, "folder": folder, "style": style}
    elif action == "page":
        place |= {"cursor": what or None, "words": form.get("searched") or None}
    kept = [] if action == "forget" else chosen[:MOST]
    return redirect(url_for("compose.from_drive", draft_id=draft_id, number=number, kept=kept, back=back, **place), 303)


@blueprint.post("/compose/drive/<int:number>")
def write_with_drive(number: int) -> Response:
    """A new message with the files that were ticked in a folder."""
    connection, chosen = _drive(number), _ids(request.form.getlist("file"))
    if request.form.get("action") == "choose":
        return _to_google(number)
    if not 0 < len(chosen) <= MOST:
        notify(_too_many() if chosen else _("Select files first."), "caution")
        return redirect(url_for("drives.folder", number=number, folder=_folder() or None), 303)
    row = drafts.new(current_user(), identities.begun(Fields(format=text_format.wanted()), my_identities()[0]))
    if not _attach(row, connection, chosen, _style()):
        drafts.forget(row.id, settings())
        return redirect(url_for("drives.folder", number=number, folder=_folder() or None), 303)
    return redirect(url_for("compose.show", draft_id=row.id), 303)


def _to_google(number: int) -> Response:
    """To where files of Google are chosen, and back here with what is ticked, if that is not too long for an address."""
    kept = dict.fromkeys([*request.form.getlist("kept"), *request.form.getlist("file")])
    path = next_path()
    longer = f"{path}{'&' if '?' in path else '?'}{urlencode([('kept', one) for one in kept])}"
    back = (local_path(longer) or path) if path and kept else path
    return redirect(url_for("services.choose_in_google", number=number, next=back), 303)


@blueprint.post("/compose/drive/undo")
def undo_drive_files() -> Response:
    """Take out of a message what a task attached, as long as it is being written."""
    try:
        undo_of_task(
            request.form.get("task", "")[:32], drive_files.NAME, "", drive_files.take_back,
            lambda count: ngettext("%(num)d file removed from the message.", "%(num)d files removed from the message.", count),
        )  # fmt: skip
    except (NoSuchMessageError, drafts.AlreadyLeftError):
        notify(_("The message was sent or deleted in the meantime."), "caution")
    return redirect(url_for("accounts.tasks"), 303)


def _undo(facts: Facts) -> tuple[str, Facts] | None:
    """Once a file is in the message."""
    return (url_for("compose.undo_drive_files"), {"task": facts["task"]}) if (facts["cursor"] or {}).get("at") else None


def choosing_drive(row: DraftRow, form: ComposeForm) -> str:
    """The URL of the file picker for a form's draft."""
    return url_for("compose.choose_drive", draft_id=row.id, back=_back(form.back.data or ""))


def _folder() -> str:
    """That of the form, as it stands in the address of a page."""
    return request.form.get("folder", "")[:LONGEST_ID].lstrip("/")


def _drive(number: int) -> ConnectedService:
    return open_drives.find(current_user(), number, settings())


def _attach(row: DraftRow, connection: ConnectedService, chosen: list[str], style: DocumentStyle) -> bool:
    """Attach copies, documents in this style, at once or by a task; whether that went well. Says so, or why not."""
    try:
        drive = open_drives.open_drive(connection, settings())
        with open_drives.asking():
            found = drive_files.entries(drive, chosen)
            small = drive_files.are_small(row, found, settings())
            names = drive_files.attach_now(row, drive, found, settings(), style) if small else []
        if found and not small:
            task_started(drive_files.start(row, connection.id, found, style))
    except DriveError as error:
        notify(drive_texts.fault_words(error.fault, connection.title), "danger")
        return False
    except uploads.REFUSALS as error:
        notify(no_room_words(error), "danger")
        return False
    except LimitReachedError:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")
        return False
    put_if_small(drafts.load(current_user(), row.id))
    if names:
        notify(_("Attached: %(names)s.", names=", ".join(_("“%(name)s”", name=name[:60]) for name in names[:5])))
    if len(found) < len(chosen):
        notify(_("Some of the files are no longer there."), "caution")
    return bool(found)


def _style() -> DocumentStyle:
    return DocumentStyle.OFFICE if request.values.get("style") == DocumentStyle.OFFICE else DocumentStyle.PDF


def _ids(values: list[str]) -> list[str]:
    return list(dict.fromkeys(value for value in values if 0 < len(value) <= LONGEST_ID))[: MOST + 1]


def _back(given: str) -> str | None:
    return local_path(given) or None


def _too_many() -> str:
    return _("You can attach up to %(num)d files at a time.", num=MOST)


def _too_many_links() -> str:
    return _("You can put links to up to %(num)d files at a time.", num=drive_links.MOST)


def _done(result: dict[str, Any]) -> str:
    words = ngettext("%(num)d file attached.", "%(num)d files attached.", result["count"])
    if not result["links"]:
        return words
    more = ngettext(
        "%(num)d was too large for a message and goes as a link.", "%(num)d were too large for a message and go as a link.",
        result["links"],
    )  # fmt: skip
    return f"{words} {more}"


TASK_TEXTS[drive_files.NAME] = TaskText(
    title=lambda about: ngettext(
        "Attaching %(num)d file from another server.", "Attaching %(num)d files from another server.", len(about["entries"])
    ),
    done=_done,
    failed=drive_texts.failed_words,
    link=lambda result: (url_for("compose.show", draft_id=result["draft"], at="attachments"), _("Open the message")),
    undo=_undo,
    progress=drive_texts.progress_words,
    stopped=drive_texts.STOPPED,
)
