"""Contact files: import of a .vcf, export of one contact or all."""

from __future__ import annotations

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from webmail.contacts import import_task, merge, store
from webmail.contacts.blueprint import blueprint
from webmail.contacts.merge import ImportPlan, ImportResult
from webmail.contacts.views.common import mine, say_refused, undo_of
from webmail.errors import LimitReached
from webmail.mime.charsets import decode_bytes
from webmail.mime.filenames import called, safe_name
from webmail.storage import StorageAway, StorageFull
from webmail.tasks import files as task_files
from webmail.tasks import store as tasks
from webmail.user_lock import user_lock
from webmail.web import downloads
from webmail.web.current import current_user, settings
from webmail.web.formatting import file_size
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.task_texts import TASK_TEXTS, Facts, TaskText, task_started

_TYPE = "text/vcard; charset=utf-8"


@blueprint.get("/contacts/import")
def import_form() -> Response:
    return page("contacts/import.html", errors=[], task=tasks.new_id())


@blueprint.post("/contacts/import")
def import_file() -> Answer:
    """Import the contacts of a file. A file that is too large is refused without being parsed."""
    file = request.files.get("file")
    content = file.stream.read(merge.LARGEST_FILE + 1) if file else b""
    if len(content) > merge.LARGEST_FILE:
        return _refused(_("This file is too large. The limit is %(limit)s.", limit=file_size(merge.LARGEST_FILE)))
    if not content:
        return _refused(_("Choose a file first."))
    if len(content) > import_task.SMALL_FILE:
        return _start_import(content)
    try:
        with user_lock(current_user().id):
            planned = merge.plan(current_user(), decode_bytes(content))
            taken = merge.apply(current_user(), planned)
    except (LimitReached, store.CardTooLarge) as error:
        say_refused(error)
        return page("contacts/import.html", 422, errors=[], task=tasks.new_id())
    except store.ContactChangedElsewhere:
        return _refused(_("Your contacts have changed in the meantime. Try again: nothing will be done twice."))
    if not planned.any_cards:
        return _refused(_("No contacts found in this file. Choose a .vcf (vCard) file."))
    say_taken(planned, taken)
    return redirect(url_for("contacts.show"), 303)


def _start_import(content: bytes) -> Answer:
    """Leave a large file to a worker. A form sent twice starts one task."""
    about, form = {"name": safe_name(request.files["file"].filename or "") or import_task.FILE}, request.form.get("task", "")
    try:
        task = task_files.start(
            current_user(), import_task.NAME, about, settings(), form=form, name=import_task.FILE, chunks=[content]
        )  # fmt: skip
    except StorageFull as error:
        return _refused(_("The server is out of space for files. Tell your administrator."), error.status)
    except StorageAway as error:
        return _refused(_("The server can't reach its files at the moment. Try again in a few minutes."), error.status)
    except LimitReached:
        return _refused(_("You have too many tasks running. Wait until one finishes."))
    task_started(task)
    return redirect(url_for("contacts.show"), 303)


def _refused(words: str, status: int = 422) -> Response:
    return page("contacts/import.html", status, errors=[words], task=tasks.new_id())


def say_taken(planned: ImportPlan, taken: ImportResult, back: str = "") -> None:
    """Notify what was imported, with undo."""
    words = _taken_words(len(taken.added), taken.merged, len(planned.present), planned.refused, planned.cut)
    offered = undo_of(list(taken.before), back) if taken.before else None
    notify(words, "caution" if planned.refused else "done", undo=offered, keep=45 if offered else 0)


def _taken_words(added: int, merged: int, present: int, refused: int, cut: int) -> str:
    told = [
        ngettext("%(num)d contact added.", "%(num)d contacts added.", added) if added else "",
        ngettext("%(num)d contact updated.", "%(num)d contacts updated.", merged) if merged else "",
        ngettext("%(num)d was already there.", "%(num)d were already there.", present) if present else "",
        ngettext("%(num)d could not be read.", "%(num)d could not be read.", refused) if refused else "",
        ngettext("%(num)d picture left out (too large).", "%(num)d pictures left out (too large).", cut) if cut else "",
    ]
    return " ".join(filter(None, told))


def _import_failed(reason: str) -> str:
    return {
        "no-cards": _("No contacts found in this file. Choose a .vcf (vCard) file."),
        "too-many": _("You can have up to %(most)s contacts. Delete some first.", most=store.MOST),
        "changed": _("Your contacts have changed in the meantime. Import the file again: nothing will be duplicated."),
        "file-gone": _("The file is no longer available. Import it again."),
    }.get(reason, "")


def _import_undo(result: Facts) -> tuple[str, Facts] | None:
    if not result.get("undo"):
        return None
    return url_for("contacts.undo_last"), {"undo": result["undo"], "task": result["task"], "back": url_for("accounts.tasks")}


TASK_TEXTS[import_task.NAME] = TaskText(
    title=lambda about: _("Importing contacts from “%(name)s”.", name=about["name"]),
    done=lambda result: _taken_words(*(result[name] for name in ("added", "merged", "present", "refused", "cut"))),
    failed=_import_failed,
    link=lambda _result: (url_for("contacts.show"), _("View contacts")),
    undo=_import_undo,
)


@blueprint.get("/contacts/export")
def export() -> Response:
    return _as_file(merge.as_file(current_user()), _("contacts"))


@blueprint.get("/contacts/<uid>/card")
def card(uid: str) -> Response:
    row = mine(uid)
    return _as_file(row.vcard, called(row.name, "contact"))


def _as_file(text: str, name: str) -> Response:
    response = Response(text.encode("utf-8", "replace"), content_type=_TYPE)
    response.headers["Content-Disposition"] = downloads.disposition(f"{name}.vcf")
    response.headers["Content-Security-Policy"] = downloads.POLICY
    response.headers["Cache-Control"] = "no-store"
    return response
