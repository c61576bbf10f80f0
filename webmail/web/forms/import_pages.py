"""Import pages: a file is chosen, what it would do is shown, then it is taken, or not. Of contacts and calendars alike.

Between these pages the file waits in storage under a name that is made from the person and a random one in the addresses, so that
nobody can ask for somebody else's. A worker looks through a large one, and imports it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Blueprint, Response, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.database.connection import DATABASE_AWAY
from webmail.errors import LimitReachedError
from webmail.mime.headers.filenames import safe_name
from webmail.models import Task, TaskState
from webmail.storage import FileGoneError, StorageAwayError, StorageFullError
from webmail.tasks import files as task_files
from webmail.tasks import store as tasks
from webmail.tasks import waiting_files
from webmail.web.current import current_user, settings
from webmail.web.formatting import file_size
from webmail.web.notices import notify
from webmail.web.texts.task_texts import TASK_TEXTS, Facts, TaskText, task_started

_UPLOAD = re.compile(r"[0-9a-f]{32}")


class ImportRefusedError(Exception):
    """The page where a file is chosen says why (`words`)."""

    def __init__(self, text: str, status: int = 422) -> None:
        super().__init__(text)
        self.words, self.status = text, status


class ImportGoneError(Exception):
    """The file does not wait any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPages:
    """What an area's pages have in common with others'. Its endpoints: `import_form`, `show_import`, and `show` afterwards."""

    area: str
    largest: int  # bytes
    check: str  # the kind of task that looks through a large file,
    empty: str  # what it fails for where there is nothing in it,
    work: str  # and the kind that imports it, from a file of
    file: str  # this name
    unnamed: Callable[[], str]  # what a file without a name is called
    nothing: Callable[[], str]  # what is said where there is nothing in it

    def install(self, blueprint: Blueprint, choose: Callable[[int, str], Response]) -> None:
        """`choose`: the page where a file is chosen, with a status and what is wrong."""

        def shown_again(refused: ImportRefusedError) -> ResponseReturnValue:
            try:
                return choose(refused.status, refused.words)
            except DATABASE_AWAY as error:  # Flask asks no handler for what another one raises
                return current_app.handle_user_exception(error)

        blueprint.register_error_handler(ImportRefusedError, shown_again)
        blueprint.register_error_handler(ImportGoneError, lambda _gone: self._gone())

    def _gone(self) -> Answer:
        notify(_("This file is no longer here: it was imported or discarded. Choose it again if you need it."), "caution")
        return self.to("import_form")

    def to(self, endpoint: str, **where: object) -> Answer:
        return redirect(url_for(f"{self.area}.{endpoint}", **where), 303)  # type: ignore[arg-type]

    def chosen(self) -> tuple[bytes, str]:
        """The file that the form brings, and its name. One that is too large is refused without being parsed."""
        file = request.files.get("file")
        content = file.stream.read(self.largest + 1) if file else b""
        if len(content) > self.largest:
            raise ImportRefusedError(_("This file is too large. The limit is %(limit)s.", limit=file_size(self.largest)))
        if not content or file is None:
            raise ImportRefusedError(_("Choose a file first."))
        return content, safe_name(file.filename or "")

    def keep(self, content: bytes, *, large: bool) -> str:
        """Have it wait; returns what it is called in addresses."""
        upload = tasks.new_id()
        with refusals():
            if large:
                tasks.check_room(current_user())
            waiting_files.keep(settings(), task_of_upload(upload), content)
        return upload

    def look_through(self, upload: str, name: str, about: Facts) -> None:
        """Leave this to a worker."""
        about = {"name": name or self.unnamed(), "form": upload, **about}
        with refusals():
            task_started(tasks.start(current_user(), self.check, about, task_id=task_of_upload(upload)))

    def waiting(self, upload: str) -> tuple[str, bytes]:
        """The id of its task, and its content."""
        task_id = task_of_upload(upload)
        try:
            return task_id, waiting_files.content_of(settings(), task_id)
        except FileGoneError as error:
            raise ImportGoneError from error

    def _look(self, upload: str) -> Task | None:
        try:
            task = tasks.find(current_user(), task_of_upload(upload))
        except tasks.NoSuchTaskError:
            return None
        return task if task.kind == self.check else None

    def found(self, upload: str) -> Facts | None:
        """What a worker found in it, {} while it looks; None where it is left to none."""
        task = self._look(upload)
        if task is None or task.state in tasks.OPEN:
            return None if task is None else {}
        if task.state != TaskState.DONE:
            raise ImportRefusedError(
                self.nothing() if task.error == self.empty else _("This file was not read. Choose it again.")
            )
        return tasks.result_of(task)

    def decided(self, upload: str) -> bytes | None:
        """The content that is to be imported; None where the form says no (`action`)."""
        try:
            content = self.waiting(upload)[1]
        except ImportGoneError:
            if request.form.get("action") != "cancel":
                raise
            return None
        if request.form.get("action") == "import":
            return content
        self.drop(upload)
        return None

    def drop(self, upload: str) -> None:
        """It is imported, or not wanted."""
        waiting_files.forget(settings(), task_of_upload(upload))
        if (task := self._look(upload)) is not None:
            tasks.remove(current_user(), task.id)

    def leave_to_worker(self, upload: str, content: bytes, about: Callable[[Facts], Facts], **where: object) -> Answer:
        """Have a large file imported that was looked through. `about`: what the task is told, from what was found."""
        task = self._look(upload)
        if task is None or task.state != TaskState.DONE:
            return self.to("show_import", upload=upload, **where)
        told = {"name": json.loads(task.arguments)["name"], **about(tasks.result_of(task))}
        with refusals():
            started = task_files.start(
                current_user(), self.work, told, settings(), form=f"{upload} import", name=self.file, chunks=[content]
            )  # fmt: skip
        self.drop(upload)
        task_started(started)
        return self.to("show")

    def tell(self, title: Callable[[Facts], str], failed: Callable[[str], str], link: Callable[[Facts], str]) -> None:
        """On the page of tasks, of looking through a file."""
        TASK_TEXTS[self.check] = TaskText(
            title=title,
            done=lambda _result: _("The file was read. Nothing has been imported yet."),
            failed=failed,
            link=lambda result: (link(result), _("See what it would do")),
        )


def name_asked() -> str:
    """What the file is called, for the pages after the first."""
    given = request.values.get("name", "")[:200]
    return safe_name(given)[:100] if given else ""


def task_of_upload(upload: str) -> str:
    """The id of the task of a file that waits under this name in addresses: nobody can name somebody else's by it."""
    if not _UPLOAD.fullmatch(upload):
        abort(404)
    return tasks.id_of_form(current_user(), upload)


@contextmanager
def refusals() -> Iterator[None]:
    try:
        yield
    except LimitReachedError as error:
        raise ImportRefusedError(_("You have too many tasks running. Wait until one finishes.")) from error
    except StorageFullError as error:
        raise ImportRefusedError(_("The server is out of space for files. Tell your administrator."), error.status) from error
    except StorageAwayError as error:
        words = _("The server can’t reach its files at the moment. Try again in a few minutes.")
        raise ImportRefusedError(words, error.status) from error
