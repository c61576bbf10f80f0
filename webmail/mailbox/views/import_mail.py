"""Import page: takes a file of mail, which a worker then puts into folders; and undoes that."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import imap, rate_limits
from webmail.database.user_lock import user_lock
from webmail.errors import LimitReachedError, ServerAwayError, SignInRefusedError
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.imports import import_kinds
from webmail.mime.headers.filenames import safe_name
from webmail.models import AuditAct, Task
from webmail.rate_limits import QUARTER, RateLimit, TooManyRequestsError
from webmail.storage import CHUNK, StorageAwayError, StorageFullError, open_storage
from webmail.tasks import files as task_files
from webmail.tasks import store
from webmail.web.audit import audited
from webmail.web.current import current_account, current_user, overview, settings, task_credential
from webmail.web.formatting import file_size
from webmail.web.formatting import lazy_text as _l
from webmail.web.forms.body_limits import takes_up_to
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.too_many import told_to_wait, with_again
from webmail.web.responses.unavailable import because
from webmail.web.texts.task_texts import TASK_TEXTS, TOO_SMALL, Facts, TaskText, task_started

_MOST_TOLD = 10
_RANDOM = re.compile(r"[0-9a-f]{32}")
_REFUSED = RateLimit("passwords refused by other mailboxes", 10, QUARTER)  # nobody guesses them elsewhere through us
_APP_PASSWORDS = ("imap.gmail.com", "imap.mail.yahoo.com", "imap.mail.me.com")  # whose usual passwords open no IMAP


@blueprint.get("/import")
def import_mail() -> Response:
    return _form()


@blueprint.post("/import")
@takes_up_to(lambda settings: settings.import_limit)
def import_mail_file() -> Response:
    """Keep the file and leave it to a worker. A form sent twice starts one task."""
    from webmail.mailbox.imports import import_task, takeout_parts  # few people bring mail, and once

    file, into = request.files.get("file"), request.form.get("into", "")
    if not file or not file.filename:
        return _form(_("Choose a file first."))
    if into and not _may_take(into):
        return _form(_("This folder no longer exists. Choose another one."))
    about = {
        "name": safe_name(file.filename) or import_task.FILE, "into": into, "own": bool(request.form.get("own")),
        "special": bool(request.form.get("special")),
    }  # fmt: skip
    form, more_than_mail = request.form.get("task", ""), takeout_parts.parts_in(file.stream).any
    file.stream.seek(0)
    chunks = iter(lambda: file.stream.read(CHUNK), b"")
    try:
        if more_than_mail:
            return _look_through(form, about, chunks)
        task = task_files.start(
            current_user(), import_kinds.IMPORT, about, settings(),
            form=form, name=import_task.FILE, chunks=chunks, credential=task_credential(),
        )  # fmt: skip
    except StorageFullError:
        return _form(_("The server is out of space for files. Tell your administrator."))
    except StorageAwayError as error:
        because(error)
        return _form(_("The server can’t reach its files at the moment. Try again in a few minutes."), 503)
    except LimitReachedError:
        return _form(_("You have too many tasks running. Wait until one finishes."))
    task_started(task)
    return redirect(url_for("accounts.tasks"), 303)


def _look_through(form: str, about: dict[str, Any], chunks: Iterable[bytes]) -> Response:
    """An archive with contacts or calendars too waits, under the id of the import of its mail, until somebody has chosen."""
    from webmail.mailbox.imports import import_task, takeout_parts

    user, form = current_user(), form if _RANDOM.fullmatch(form) else store.new_id()
    waiting, check = store.id_of_form(user, form), store.id_of_form(user, f"takeout {form}")
    if not store.is_there(user, check):
        store.check_room(user)
        open_storage(settings()).put(import_task.file_name(waiting), chunks)
        told = {"mail": waiting, "name": about["name"], "form": form, "about": about}
        task_started(store.start(user, takeout_parts.CHECK, told, task_id=check))
    return redirect(url_for("takeout.show", upload=form), 303)


@blueprint.post("/import/<task_id>/undo")
def undo_import(task_id: str) -> Response:
    """Delete what an import put into folders. What was moved elsewhere since stays."""
    from webmail.mailbox.imports import import_undo

    try:
        task = store.find(current_user(), task_id)
    except store.NoSuchTaskError:
        task = None
    if task is None or task.kind not in (import_kinds.IMPORT, import_kinds.MOVE_IN) or task.state in store.OPEN:
        notify(_("There was nothing to undo."), "caution")
        return redirect(url_for("accounts.tasks"), 303)
    cursor = store.cursor_of(task)
    if import_undo.count(cursor) > import_undo.AT_ONCE:
        return _undo_by_task(task)
    with user_lock(current_user().id), imap.connect(current_account()) as connection:
        count = sum(import_undo.undo(connection, cursor))
    store.note_undone(current_user(), task_id)
    notify(_removed(count) if count else _("There was nothing to undo."))
    return redirect(url_for("accounts.tasks"), 303)


def _undo_by_task(task: Task) -> Response:
    about = {"task": task.id}
    try:
        task_started(store.start_once(current_user(), import_kinds.UNDO, about, credential=task_credential()))
    except LimitReachedError:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")
    return redirect(url_for("accounts.tasks"), 303)


def _removed(count: int) -> str:
    return ngettext("%(num)d imported message was removed.", "%(num)d imported messages were removed.", count)


@blueprint.post("/import/server")
def move_in_mail() -> Response:
    """Sign in to another server once, then leave the copying to a worker. A form sent twice starts one task."""
    from webmail.mailbox.imports import move_in

    username, password = request.form.get("username", "").strip(), request.form.get("password", "")
    if not username or not password:
        return _form(server_error=_("Type the address and password of the other mailbox."))
    try:
        old = move_in.old_mailbox(username, request.form.get("server", ""), settings())
        with rate_limits.attempt(
            settings(), _REFUSED.by(current_user().id), counts=lambda one: isinstance(one, SignInRefusedError)
        ):
            move_in.check(old, password, settings())
        arguments = {"host": old.host, "port": old.port, "username": old.username}
        credential = task_credential(password)
        task_id = store.id_of_form(current_user(), request.form.get("task", ""))
        task = store.start(current_user(), import_kinds.MOVE_IN, arguments, task_id=task_id, credential=credential)
    except move_in.BadServerError:
        return _form(server_error=_("Type the other mailbox’s IMAP server. You will find it in your provider’s help pages."))
    except TooManyRequestsError as error:
        words = with_again(_("Other servers refused too many passwords."), error)
        return told_to_wait(_form(server_error=words, status=error.status), error)
    except SignInRefusedError:
        audited(AuditAct.MOVE_IN_REFUSED, f"{old.username} {old.host}")
        return _form(server_error=_refused_words(username))
    except ServerAwayError:
        return _form(server_error=_("This server is not responding. Check its name, or try again later."))
    except LimitReachedError:
        return _form(server_error=_("You have too many tasks running. Wait until one finishes."))
    task_started(task)
    return redirect(url_for("accounts.tasks"), 303)


def _refused_words(username: str) -> str:
    from webmail.mailbox.imports import move_in

    if move_in.guessed_server(username) in _APP_PASSWORDS:
        return _("The server refused this password. Your provider requires an app password: create one in your account there.")
    return _("The other server refused this address and password.")


def _form(error: str = "", status: int = 422, *, server_error: str = "") -> Response:
    from webmail.mailbox.imports import move_in

    found = overview()
    mailboxes = [m for m in found.mailboxes if m.selectable and m.rights.may_insert] if found else []
    return page(
        "mailbox/import.html", status if error or server_error else 200, error=error, server_error=server_error,
        task=store.new_id(), mailboxes=mailboxes, into=request.values.get("into", ""), limit=file_size(settings().import_limit),
        username=request.form.get("username", ""), server=request.form.get("server", ""), servers=move_in.SERVERS,
    )  # fmt: skip


def _may_take(mailbox: str) -> bool:
    """As far as is known: while the mail server is away, the worker finds out."""
    if (found := overview()) is None:
        return True
    target = found.get(mailbox)
    return target is not None and target.selectable and target.rights.may_insert


# --- on the page of tasks --------------------------------------------------------------------------------------------


def _done(result: Facts) -> str:
    told = [
        ngettext("%(num)d message was imported.", "%(num)d messages were imported.", result["added"]),
        ngettext("%(num)d was already there.", "%(num)d were already there.", result["present"]) if result["present"] else "",
        _skipped(result["skipped"]) if result["skipped"] else "",
        _refused(result) if result["failed"] else "",
    ]
    return " ".join(filter(None, told))


def _skipped(count: int) -> str:
    return ngettext(
        "%(num)d was skipped because it was deleted in the other program.",
        "%(num)d were skipped because they were deleted in the other program.",
        count,
    )


def _refused(result: Facts) -> str:
    words = ngettext("%(num)d could not be imported:", "%(num)d could not be imported:", result["failed"])
    reasons = [f"{name} ({_why(reason)})" for name, reason in result["refused"][:_MOST_TOLD]]
    more = "…" if result["failed"] > len(reasons) else "."
    return f"{words} {', '.join(reasons)}{more}"


def _why(reason: str) -> str:
    return {
        "too-large": _("too large"),
        "broken": _("damaged"),
        "no-message": _("not a message"),
    }.get(reason, _("refused by the mail server"))


def _no_room() -> str:
    return _("Your mailbox has too little space for these messages. Nothing was imported. Free up space, then try again.")


def _failed(reason: str) -> str:
    return {
        "no-mail": _("This file doesn’t contain any messages. Choose an .mbox or .eml file, or a zip archive of such files."),
        "too-many-files": _("This archive contains too many files. Split it and import the parts one by one."),
        TOO_SMALL: _no_room(),
        "over-quota": _(
            "Your mailbox is full. Free up space, then import the file again: messages you already have are skipped."
        ),
        "not-allowed": _("You are not allowed to add messages to this folder. Import the file into another one."),
        "no-folder": _("A folder could not be created, or no longer exists. Import the file into another folder."),
        "file-gone": _("The file is no longer available. Import it again."),
        "sign-in": _("Your password has changed since then. Import the file again: messages you already have are skipped."),
    }.get(reason, "")


def _move_failed(reason: str) -> str:
    return {
        TOO_SMALL: _no_room(),
        "over-quota": _("Your mailbox is full. Free up space, then start again: messages you already have are skipped."),
        "not-allowed": _("You are not allowed to add messages to one of the folders. Tell your administrator."),
        "no-folder": _("A folder could not be created, or no longer exists. Start again: messages you already have are skipped."),
        "old-sign-in": _("The other server no longer accepts the password. Start again: messages you already have are skipped."),
        "bad-server": _("Messages can’t be copied from this server. Ask your administrator."),
        "sign-in": _("Your password has changed since then. Start again: messages you already have are skipped."),
    }.get(reason, "")


def _undo(facts: Facts) -> tuple[str, dict[str, Any]] | None:
    from webmail.mailbox.imports import import_undo

    return (url_for("mailbox.undo_import", task_id=facts["task"]), {}) if import_undo.is_offered(facts["cursor"]) else None


def _where(result: Facts) -> tuple[str, str] | None:
    """The folder that got something, if it is only one."""
    into = [name for name, place in result["into"].items() if place["uids"]]
    return (url_for("mailbox.show", mailbox=into[0]), _("Open the folder")) if len(into) == 1 else None


TASK_TEXTS[import_kinds.IMPORT] = TaskText(
    title=lambda about: _("Importing mail from “%(name)s”.", name=about["name"]),
    done=_done,
    failed=_failed,
    link=_where,
    undo=_undo,
)

TASK_TEXTS[import_kinds.MOVE_IN] = TaskText(
    title=lambda about: _("Copying messages from %(username)s.", username=about["username"]),
    done=_done,
    failed=_move_failed,
    undo=_undo,
)

TASK_TEXTS[import_kinds.UNDO] = TaskText(
    title=lambda _about: _("Undoing an import of mail."),
    done=lambda result: _removed(result["count"]),
    failed=lambda reason: {
        "gone": _("This import is no longer on the list."),
        "sign-in": _("Your password has changed since then. Press “Undo” again."),
    }.get(reason, ""),
    stopped=_l("Stopped. Press “Undo” on the import again to remove the rest."),
)
