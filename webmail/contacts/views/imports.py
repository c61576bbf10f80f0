"""Import pages of contacts: a file is chosen, its columns are named where they are not known, what it would do is shown, then
it is taken (webmail/web/forms/import_pages.py).
"""

from __future__ import annotations

from typing import Any

from flask import Response, abort, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.contacts import store, undo
from webmail.contacts.blueprint import blueprint
from webmail.contacts.book_access import BookReadOnlyError
from webmail.contacts.card_versions import CardVersion
from webmail.contacts.imports import card_files, import_check, import_task, merge
from webmail.contacts.imports.card_files import CsvColumns, FileKind, FileLook
from webmail.contacts.imports.import_report import ImportReport, report_of
from webmail.contacts.views import import_texts, sources
from webmail.contacts.views.import_texts import field_choices, remark_words, say_taken, taken_words, undone_words, will_words
from webmail.contacts.views.shared import say_refused
from webmail.database.user_lock import user_lock
from webmail.errors import LimitReachedError
from webmail.mime.formats.address_books.csv_table import MOST_COLUMNS
from webmail.web.current import current_user, settings
from webmail.web.forms.import_pages import ImportPages, ImportRefusedError, name_asked, refusals
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.task_undo import any_changes, undo_of_task, undo_text
from webmail.web.texts.task_texts import TASK_TEXTS, Facts, TaskText

_NAMES = ("name", "given", "family", "email", "phone", "organisation", "nickname")
_GOOGLE_NAMES = ("g.e mail", "g.phone", "g.organization")


def _no_contacts() -> str:
    return _("No contacts found in this file. Choose a vCard (.vcf), CSV or LDIF file.")


_PAGES = ImportPages(
    area="contacts", largest=merge.LARGEST_FILE, check=import_check.NAME, empty="no-cards", work=import_task.NAME,
    file=import_task.FILE, unnamed=lambda: _("contacts"), nothing=_no_contacts,
)  # fmt: skip


@blueprint.get("/contacts/import")
def import_form() -> Response:
    """Choosing a file to import, and ways to save one's contacts."""
    return _choose()


def _choose(status: int = 200, problem: str = "") -> Response:
    return page(
        "contacts/import.html", status, problem=problem, any_contacts=bool(store.count(current_user())),
        shelf=[(one.collection.id, sources.book_label(one)) for one in sources.shelf()],
    )  # fmt: skip


_PAGES.install(blueprint, _choose)


@blueprint.post("/contacts/import")
def import_file() -> Answer:
    """Keep the file until it is decided on."""
    content, name = _PAGES.chosen()
    look, large = card_files.look(content), import_check.is_large(content)
    if look.kind is FileKind.UNKNOWN:
        raise ImportRefusedError(_no_contacts())
    upload = _PAGES.keep(content, large=large)
    if look.known and large:
        _PAGES.look_through(upload, name, _about(None))
    return _PAGES.to("show_import" if look.known else "import_columns", upload=upload, name=name or None, book=_book())


def _about(columns: CsvColumns | None) -> Facts:
    return {"columns": columns.to_json() if columns else None, "book": _book() or 0}


# --- columns ---------------------------------------------------------------------------------------------------------


@blueprint.get("/contacts/import/<upload>/columns")
def import_columns(upload: str) -> Answer:
    """Which column holds what, with the first rows."""
    task_id, content = _PAGES.waiting(upload)
    chosen = import_check.chosen_columns(settings(), task_id)
    return _columns_page(upload, card_files.look(content, chosen))


def _columns_page(upload: str, look: FileLook, status: int = 200, error: str = "") -> Response:
    if look.kind is not FileKind.TABLE:
        abort(404)
    return page(
        "contacts/import_columns.html", status, upload=upload, file=look, choices=field_choices(), error=error, name=name_asked()
    )


def _book() -> int | None:
    """The book that was chosen (its `id`), for addresses; None if none was."""
    book = sources.asked_book()
    return book.collection.id if book else None


@blueprint.post("/contacts/import/<upload>/columns")
def choose_columns(upload: str) -> Answer:
    """Keep what each column holds; `column`: a key each, in their order."""
    task_id, content = _PAGES.waiting(upload)
    columns = CsvColumns(tuple(request.form.getlist("column")[:MOST_COLUMNS]), "header" in request.form)
    look = card_files.look(content, columns)
    known = {key for _name, fields in field_choices() for key, _label in fields}
    allowed = {*known, "", *(one.key for one in card_files.look(content).columns)}
    names_some = any(key.partition(".")[0] in _NAMES or key.startswith(_GOOGLE_NAMES) for key in columns.keys)
    if not set(columns.keys) <= allowed or not names_some:
        return _columns_page(upload, look, 422, _("Say which column holds the name, the address or the phone number."))
    with refusals():
        import_check.choose_columns(settings(), task_id, columns)
    if import_check.is_large(content):
        _PAGES.look_through(upload, name_asked(), _about(columns))
    return _PAGES.to("show_import", upload=upload, name=name_asked() or None, book=_book())


# --- report and import -----------------------------------------------------------------------------------------------


@blueprint.get("/contacts/import/<upload>")
def show_import(upload: str) -> Answer:
    """What importing the file would do; nothing is written yet."""
    if (found := _PAGES.found(upload)) is not None:
        return _report_page(upload, ImportReport.from_json(found["report"]) if found else None, "")
    task_id, content = _PAGES.waiting(upload)
    if import_check.is_large(content):  # its columns were not chosen yet
        return _PAGES.to("import_columns", upload=upload, name=name_asked() or None, book=_book())
    columns = import_check.chosen_columns(settings(), task_id)
    try:
        book = sources.chosen_book()
    except BookReadOnlyError as error:
        say_refused(error)
        return _PAGES.to("import_form")
    planned = merge.plan_cards(current_user(), card_files.read(content, columns), book)
    report = report_of(planned, store.count(book.user_id if book else current_user()))
    table = card_files.look(content).kind is FileKind.TABLE
    return _report_page(upload, report, "contacts.import_columns" if table else "")


def _report_page(upload: str, report: ImportReport | None, columns: str) -> Response:
    """`report`: None while a worker reads the file."""
    told: dict[str, Any] = {
        "columns": columns, "will": will_words(report), "most": store.MOST, "into": _into(),
        "remarks": [(one, remark_words(one)) for one in report.remarks], "repairs": import_texts.repair_words(report.repairs),
    } if report else {}  # fmt: skip
    again = url_for("contacts.show_import", upload=upload, name=name_asked() or None, book=_book())
    return page("contacts/import_report.html", upload=upload, report=report, name=name_asked(), again=again, **told)


def _into() -> str:
    """What the book is called, where there are several."""
    found = sources.asked_book() or sources.shelf()[0]
    return sources.book_label(found) if sources.books_to_write() else ""


@blueprint.post("/contacts/import/<upload>")
def take_import(upload: str) -> Answer:
    """`action`: import the file that was shown, or cancel."""
    if (content := _PAGES.decided(upload)) is None:
        return _PAGES.to("import_form")
    if import_check.is_large(content):
        return _PAGES.leave_to_worker(upload, content, lambda found: {"columns": found["columns"], "book": found.get("book", 0)})
    columns, before = import_check.chosen_columns(settings(), _PAGES.waiting(upload)[0]), list[CardVersion]()
    try:
        with user_lock(current_user().id):
            book = sources.chosen_book()
            planned = merge.plan_cards(current_user(), card_files.read(content, columns), book)
            taken = merge.apply(current_user(), planned, book, before=before)
    except (LimitReachedError, store.CardTooLargeError, BookReadOnlyError) as error:
        say_refused(error)
        import_texts.say_broken_off(before)
        return _PAGES.to("show_import", upload=upload, book=_book())
    except store.ContactChangedElsewhereError:
        notify(_("Your contacts have changed in the meantime. Try again: nothing will be done twice."), "caution")
        import_texts.say_broken_off(before)
        return _PAGES.to("show_import", upload=upload, book=_book())
    _PAGES.drop(upload)
    say_taken(planned, taken)
    return _PAGES.to("show", book=_book())


# --- as tasks --------------------------------------------------------------------------------------------------------


def _import_failed(reason: str) -> str:
    return {
        "no-cards": _no_contacts(),
        "too-many": _("You can have up to %(most)s contacts. Delete some first.", most=store.MOST),
        "changed": _("Your contacts have changed in the meantime. Import the file again: nothing will be duplicated."),
        "read-only": _("You can no longer change this address book: ask its owner, or choose another one."),
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

_PAGES.tell(
    lambda about: _("Reading contacts from “%(name)s”.", name=about["name"]), _import_failed,
    lambda result: url_for("contacts.show_import", upload=result["form"]),
)  # fmt: skip

TASK_TEXTS[import_task.UNDO] = undo_text(lambda _about: _("Undoing an import of contacts."), undone_words, _no_undo)
