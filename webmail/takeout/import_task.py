"""Takeout import: starts an import for each part that was chosen: a task with progress and undo, which goes on after a kill.

What is started has an id that comes from this task: after a kill nothing is started twice.
"""

from __future__ import annotations

import zipfile
from typing import Any

from webmail.calendar.files import import_task as calendar_import
from webmail.calendar.files import importing
from webmail.collections import manage
from webmail.collections.store import CALENDAR
from webmail.contacts.imports import import_task as contacts_import
from webmail.errors import LimitReachedError
from webmail.mailbox.imports import import_task as mail_import
from webmail.mailbox.imports import takeout_parts
from webmail.storage import open_storage
from webmail.takeout import takeout_archive
from webmail.tasks import leftovers, store
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun

NAME = "takeout-import"
MOST_CALENDARS = 12  # at once: each is a task, of which nobody has more than `store.MOST_OPEN`


def _work(run: TaskRun) -> dict[str, Any]:
    given = run.arguments
    try:
        with takeout_archive.opened(run.settings, given["mail"]) as archive:
            cards = takeout_parts.parts_of(archive).cards
            for number, (name, title) in enumerate(given["calendars"][:MOST_CALENDARS]):
                with run.step(number, done=number, total=len(given["calendars"]) + 2):
                    pass  # the place to stop
                _start_calendar(run, archive, name, title)
            if given["contacts"] and cards:
                content = takeout_archive.cards_in(archive, cards)
                about = {"name": given["name"], "book": 0, "columns": None}
                _start(run, "contacts", contacts_import.NAME, contacts_import.FILE, content, about)
        if given["take_mail"]:
            store.start(
                run.user, mail_import.NAME, given["about"], task_id=given["mail"], credential=run.task.credential
            )  # fmt: skip
        else:
            leftovers.remove(given["mail"], run.settings)
    except LimitReachedError as error:
        raise TaskFailedError("too-many") from error
    return {"calendars": len(given["calendars"]), "contacts": bool(given["contacts"]), "mail": bool(given["take_mail"])}


def _start_calendar(run: TaskRun, archive: zipfile.ZipFile, name: str, title: str) -> None:
    calendar = importing.calendar_called(run.user, title)
    if calendar is None:
        form = store.id_of_form(run.user, f"{run.task.id} {name}")
        most = run.settings.collections_per_person
        calendar = manage.make(run.user, CALENDAR, title, "", "", form=form, most=most).id
    about = {"name": title, "calendar": calendar, "replace": False}
    _start(run, name, calendar_import.NAME, calendar_import.FILE, takeout_archive.content_of(archive, name), about)


def _start(run: TaskRun, part: str, kind: str, file: str, content: bytes, about: dict[str, Any]) -> None:
    task_id = store.id_of_form(run.user, f"{run.task.id} {part}")
    if store.is_there(run.user, task_id):
        return
    store.check_room(run.user)
    files, name = open_storage(run.settings), f"{leftovers.folder(task_id)}/{file}"
    files.delete(name)  # of a turn that was killed
    files.put(name, [content])
    store.start(run.user, kind, about, task_id=task_id)


KIND = TaskKind(NAME, _work)
