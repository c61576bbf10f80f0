"""Import pages: a file is chosen, its columns are named where they are not known, what it would do is shown, then it is taken.

Between these pages the file waits in storage under a name that is made from the person and the form's random one, so that
nobody can ask for somebody else's.
"""

from __future__ import annotations

import json
import re

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.contacts import card_files, import_check, import_task, merge, store, undo
from webmail.contacts.blueprint import blueprint
from webmail.contacts.books import BookReadOnly
from webmail.contacts.card_files import CsvColumns, FileKind, FileLook
from webmail.contacts.card_versions import CardVersion
from webmail.contacts.import_report import ImportReport, report_of
from webmail.contacts.views import import_words, sources
from webmail.contacts.views.common import say_refused
from webmail.contacts.views.import_words import field_choices, remark_words, say_taken, taken_words, undone_words, will_words
from webmail.errors import LimitReached
from webmail.mime.filenames import safe_name
from webmail.mime.formats.address_books.csv_table import MOST_COLUMNS
from webmail.models import Task, TaskState
from webmail.storage import FileGone, StorageAway, StorageFull
from webmail.tasks import files as task_files
from webmail.tasks import store as tasks
from webmail.user_lock import user_lock
from webmail.web.current import current_user, settings
from webmail.web.formatting import file_size
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.task_texts import TASK_TEXTS, Facts, TaskText, task_started
from webmail.web.task_undo import any_changes, undo_of_task, undo_text

_FORM = re.compile(r"[0-9a-f]{32}")
_NAMES = ("name", "given", "family", "email", "phone", "organisation", "nickname")
_GOOGLE_NAMES = ("g.e mail", "g.phone", "g.organization")


@blueprint.get("/contacts/import")
def import_form() -> Response:
    """Choosing a file to import, and ways to save one's contacts."""
    return _choose()


def _choose(status: int = 200, *errors: str) -> Response:
    return page(
        "contacts/import.html", status, errors=errors, task=tasks.new_id(), any_contacts=bool(store.count(current_user())),
        shelf=[(one.collection.id, sources.book_label(one)) for one in sources.shelf()],
    )  # fmt: skip


@blueprint.post("/contacts/import")
def import_file() -> Answer:
    """Keep the file until it is decided on. One that is too large is refused without being parsed."""
    file = request.files.get("file")
    content = file.stream.read(merge.LARGEST_FILE + 1) if file else b""
    if len(content) > merge.LARGEST_FILE:
        return _choose(422, _("This file is too large. The limit is %(limit)s.", limit=file_size(merge.LARGEST_FILE)))
    if not content:
        return _choose(422, _("Choose a file first."))
    look = card_files.look(content)
    if look.kind is FileKind.UNKNOWN:
        return _choose(422, _no_contacts())
    typed = request.form.get("task", "")
    upload = typed if _FORM.fullmatch(typed) else tasks.new_id()
    name = safe_name(file.filename or "") if file else ""
    task_id = tasks.id_of_form(current_user(), upload)
    if tasks.is_there(current_user(), task_id):  # the form was sent twice
        return redirect(url_for("contacts.show_import", upload=upload, book=_book()), 303)
    try:
        if import_check.is_large(content):
            tasks.check_room(current_user())
        import_check.keep(settings(), task_id, content)
        if look.known and import_check.is_large(content):
            _start_check(upload, name, None)
    except (LimitReached, StorageFull, StorageAway) as error:
        return _not_kept(error)
    step = "contacts.show_import" if look.known else "contacts.import_columns"
    return redirect(url_for(step, upload=upload, name=name or None, book=_book()), 303)


def _not_kept(error: LimitReached | StorageFull | StorageAway) -> Response:
    if isinstance(error, LimitReached):
        return _choose(422, _("You have too many tasks running. Wait until one finishes."))
    if isinstance(error, StorageFull):
        return _choose(error.status, _("The server is out of space for files. Tell your administrator."))
    return _choose(error.status, _("The server can't reach its files at the moment. Try again in a few minutes."))


def _start_check(upload: str, name: str, columns: CsvColumns | None) -> None:
    """Leave reading a large file to a worker."""
    about = {
        "name": name or _("contacts"), "form": upload, "columns": columns.to_json() if columns else None, "book": _book() or 0,
    }  # fmt: skip
    task_started(tasks.start(current_user(), import_check.NAME, about, task_id=tasks.id_of_form(current_user(), upload)))


def _no_contacts() -> str:
    return _("No contacts found in this file. Choose a vCard (.vcf), CSV or LDIF file.")


def _kept(upload: str) -> tuple[str, bytes]:
    """The id and the content of a file that waits. Raises FileGone."""
    if not _FORM.fullmatch(upload):
        abort(404)
    task_id = tasks.id_of_form(current_user(), upload)
    return task_id, import_check.content_of(settings(), task_id)


def _gone() -> Answer:
    notify(_("This file is no longer here: it was imported or dropped. Choose it again if you need it."), "caution")
    return redirect(url_for("contacts.import_form"), 303)


# --- columns ---------------------------------------------------------------------------------------------------------


@blueprint.get("/contacts/import/<upload>/columns")
def import_columns(upload: str) -> Answer:
    """Which column holds what, with the first rows."""
    try:
        task_id, content = _kept(upload)
    except FileGone:
        return _gone()
    chosen = import_check.chosen_columns(settings(), task_id)
    return _columns_page(upload, card_files.look(content, chosen))


def _columns_page(upload: str, look: FileLook, status: int = 200, error: str = "") -> Response:
    if look.kind is not FileKind.TABLE:
        abort(404)
    return page(
        "contacts/import_columns.html", status, upload=upload, file=look, choices=field_choices(), error=error, name=_name()
    )


def _book() -> int | None:
    """The book that was chosen (its `id`), for addresses; None if none was."""
    book = sources.asked_book()
    return book.collection.id if book else None


def _name() -> str:
    return safe_name(request.values.get("name", "")[:200])


@blueprint.post("/contacts/import/<upload>/columns")
def choose_columns(upload: str) -> Answer:
    """Keep what each column holds; `column`: a key each, in their order."""
    try:
        task_id, content = _kept(upload)
    except FileGone:
        return _gone()
    columns = CsvColumns(tuple(request.form.getlist("column")[:MOST_COLUMNS]), "header" in request.form)
    look = card_files.look(content, columns)
    known = {key for _name, fields in field_choices() for key, _label in fields}
    allowed = {*known, "", *(one.key for one in card_files.look(content).columns)}
    names_some = any(key.partition(".")[0] in _NAMES or key.startswith(_GOOGLE_NAMES) for key in columns.keys)
    if not set(columns.keys) <= allowed or not names_some:
        return _columns_page(upload, look, 422, _("Say which column holds the name, the address or the phone number."))
    try:
        import_check.choose_columns(settings(), task_id, columns)
        if import_check.is_large(content) and not tasks.is_there(current_user(), task_id):
            _start_check(upload, _name(), columns)
    except (LimitReached, StorageFull, StorageAway) as error:
        return _not_kept(error)
    return redirect(url_for("contacts.show_import", upload=upload, name=_name() or None, book=_book()), 303)


# --- report and import -----------------------------------------------------------------------------------------------


@blueprint.get("/contacts/import/<upload>")
def show_import(upload: str) -> Answer:
    """What importing the file would do; nothing is written yet."""
    if (task := _check_of(upload)) is not None:
        return _report_of_task(upload, task)
    try:
        task_id, content = _kept(upload)
    except FileGone:
        return _gone()
    if import_check.is_large(content):  # its columns were not chosen yet
        return redirect(url_for("contacts.import_columns", upload=upload, name=_name() or None, book=_book()), 303)
    columns = import_check.chosen_columns(settings(), task_id)
    try:
        book = sources.chosen_book()
    except BookReadOnly as error:
        say_refused(error)
        return redirect(url_for("contacts.import_form"), 303)
    planned = merge.plan_cards(current_user(), card_files.read(content, columns), book)
    report = report_of(planned, store.count(book.user_id if book else current_user()))
    table = card_files.look(content).kind is FileKind.TABLE
    return _report_page(upload, report, "contacts.import_columns" if table else "")


def _check_of(upload: str) -> Task | None:
    try:
        task = tasks.find(current_user(), tasks.id_of_form(current_user(), upload))
    except tasks.NoSuchTask:
        return None
    return task if task.kind == import_check.NAME else None


def _report_of_task(upload: str, task: Task) -> Response:
    if task.state in tasks.OPEN:
        return page("contacts/import_report.html", upload=upload, report=None, reading=True, name=_name())
    if task.state != TaskState.DONE:
        return _choose(422, _no_contacts() if task.error == "no-cards" else _("This file was not read. Choose it again."))
    return _report_page(upload, ImportReport.from_json(tasks.result_of(task)["report"]), "")


def _report_page(upload: str, report: ImportReport, columns: str) -> Response:
    return page(
        "contacts/import_report.html", upload=upload, report=report, reading=False, columns=columns, will=will_words(report),
        remarks=[(one, remark_words(one)) for one in report.remarks], name=_name(), most=store.MOST, into=_into(),
        repairs=import_words.repair_words(report.repairs),
    )  # fmt: skip


def _into() -> str:
    """What the book is called, where there are several."""
    found = sources.asked_book() or sources.shelf()[0]
    return sources.book_label(found) if sources.books_to_write() else ""


@blueprint.post("/contacts/import/<upload>")
def take_import(upload: str) -> Answer:
    """`action`: import the file that was shown, or cancel."""
    task = _check_of(upload)
    try:
        task_id, content = _kept(upload)
    except FileGone:
        return _gone() if request.form.get("action") != "cancel" else redirect(url_for("contacts.import_form"), 303)
    if request.form.get("action") == "cancel":
        _drop(task_id, task)
        return redirect(url_for("contacts.import_form"), 303)
    if import_check.is_large(content):
        return _start_import(upload, task_id, task, content)
    columns, before = import_check.chosen_columns(settings(), task_id), list[CardVersion]()
    try:
        with user_lock(current_user().id):
            book = sources.chosen_book()
            planned = merge.plan_cards(current_user(), card_files.read(content, columns), book)
            taken = merge.apply(current_user(), planned, book, before=before)
    except (LimitReached, store.CardTooLarge, BookReadOnly) as error:
        say_refused(error)
        import_words.say_broken_off(before)
        return redirect(url_for("contacts.show_import", upload=upload, book=_book()), 303)
    except store.ContactChangedElsewhere:
        notify(_("Your contacts have changed in the meantime. Try again: nothing will be done twice."), "caution")
        import_words.say_broken_off(before)
        return redirect(url_for("contacts.show_import", upload=upload, book=_book()), 303)
    _drop(task_id, task)
    say_taken(planned, taken)
    return redirect(url_for("contacts.show", book=_book()), 303)


def _drop(task_id: str, task: Task | None) -> None:
    import_check.forget(settings(), task_id)
    if task is not None:
        tasks.remove(current_user(), task.id)


def _start_import(upload: str, task_id: str, task: Task | None, content: bytes) -> Answer:
    """Leave a large file to a worker."""
    if task is None or task.state != TaskState.DONE:
        return redirect(url_for("contacts.show_import", upload=upload), 303)
    result = tasks.result_of(task)
    about = {"name": json.loads(task.arguments)["name"], "columns": result["columns"], "book": result.get("book", 0)}
    try:
        started = task_files.start(
            current_user(), import_task.NAME, about, settings(), form=f"{upload} import", name=import_task.FILE, chunks=[content]
        )  # fmt: skip
    except (LimitReached, StorageFull, StorageAway) as error:
        return _not_kept(error)
    _drop(task_id, task)
    task_started(started)
    return redirect(url_for("contacts.show"), 303)


# --- as tasks --------------------------------------------------------------------------------------------------------


def _import_failed(reason: str) -> str:
    return {
        "no-cards": _no_contacts(),
        "too-many": _("You can have up to %(most)s contacts. Delete some first.", most=store.MOST),
        "changed": _("Your contacts have changed in the meantime. Import the file again: nothing will be duplicated."),
        "read-only": _("You can’t change this address book any more: ask its owner, or choose another."),
        "file-gone": _("The file is no longer available. Import it again."),
    }.get(reason, "")


def undo_import(task: str) -> None:
    """Undo what a task imported, however it ended, and say so. Raises as `undo.take_back`."""
    undo_of_task(task, import_task.NAME, import_task.UNDO, undo.take_back, undone_words)


def _no_undo() -> str:
    return _("Not everything could be undone: your contacts have changed in the meantime, or you can’t change this address book.")


def _undo_form(facts: Facts) -> tuple[str, Facts]:
    return url_for("contacts.undo_last"), {"task": facts["task"], "back": url_for("accounts.tasks")}


def _import_undo(facts: Facts) -> tuple[str, Facts] | None:
    return _undo_form(facts) if any_changes(facts["cursor"], "added", "merged") else None


TASK_TEXTS[import_task.NAME] = TaskText(
    title=lambda about: _("Importing contacts from “%(name)s”.", name=about["name"]),
    done=lambda result: taken_words(*(result[name] for name in ("added", "merged", "present", "refused", "cut"))),
    failed=_import_failed,
    link=lambda _result: (url_for("contacts.show"), _("View contacts")),
    undo=_import_undo,
)

TASK_TEXTS[import_check.NAME] = TaskText(
    title=lambda about: _("Reading contacts from “%(name)s”.", name=about["name"]),
    done=lambda _result: _("The file was read. Nothing has been imported yet."),
    failed=_import_failed,
    link=lambda result: (url_for("contacts.show_import", upload=result["form"]), _("See what it would do")),
)

TASK_TEXTS[import_task.UNDO] = undo_text(lambda _about: _("Undoing an import of contacts."), undone_words, _no_undo)
