"""Task texts: how each kind of task is told on the page of tasks. An area registers those of its kinds; see `tasks/kinds.py`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app, url_for
from flask_babel import LazyString, ngettext
from flask_babel import gettext as _

from webmail.models import Task, TaskState
from webmail.tasks import store
from webmail.web.formatting import number
from webmail.web.frame.areas import leads_somewhere
from webmail.web.notices import notify

Facts = dict[str, Any]  # a task's arguments or result


@dataclass(frozen=True, slots=True)
class TaskText:
    """`title` is told from the task's arguments, `done` from its result; `failed` explains a `TaskFailedError.reason`.

    `link`: where its result is (address, words). `file`: what the link to the file that it made says. `undo`: an address to POST
    to, with its fields, or None; told from the result with `task` (its id) and `cursor`, also for one that ended before its time.
    `progress`: how far it is, from the steps done and those there are. `stopped`: what became of one that was stopped midway.
    """

    title: Callable[[Facts], str]
    done: Callable[[Facts], str]
    failed: Callable[[str], str] = lambda _reason: ""
    link: Callable[[Facts], tuple[str, str] | None] = lambda _result: None
    file: str | LazyString = ""
    undo: Callable[[Facts], tuple[str, Facts] | None] = lambda _facts: None
    progress: Callable[[int, int], str] | None = None
    stopped: str | LazyString = ""


# the `TaskFailedError.reason`s for which the person's mailbox has to be made emptier: it was full, or would be
OVER_QUOTA, TOO_SMALL = "over-quota", "mailbox-too-small"
TASK_TEXTS: dict[str, TaskText] = {}


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task as the page shows it."""

    task: Task
    title: str
    words: str
    kind: str  # of the notice: done, caution, danger
    link: tuple[str, str] | None = None
    undo: tuple[str, Facts] | None = None

    @property
    def open(self) -> bool:
        return self.task.state in (TaskState.WAITING, TaskState.RUNNING)


def row_of(task: Task) -> TaskRow:
    """A task in words. One of a kind that this version no longer knows still has a row."""
    if task.kind not in TASK_TEXTS:
        current_app.extensions["late_areas"].load_all()  # it is of one of them that has not been asked for
    text = TASK_TEXTS.get(task.kind)
    title = text.title(json.loads(task.arguments)) if text else task.kind
    result = json.loads(task.result)
    if result.get(store.UNDONE):
        return TaskRow(task, title, _("Undone."), "done")
    match task.state:
        case TaskState.DONE if text:
            return TaskRow(task, title, text.done(result), "done", _link(task, text, result), _undo(task, text, result))
        case TaskState.DONE:
            return TaskRow(task, title, _("Done."), "done")
        case TaskState.CANCELLED:
            return TaskRow(task, title, _stopped(task, text), "caution", undo=_undo(task, text, result))
        case TaskState.FAILED:
            return TaskRow(task, title, _failed(task, text), "danger", _help(task), _undo(task, text, result))
        case TaskState.WAITING if task.error == "storage-away":
            words = _("The server can’t reach its files at the moment. This will continue as soon as it can.")
            return TaskRow(task, title, words, "caution")
        case TaskState.WAITING if task.error == "storage-full":
            words = _("The server is out of space for files. This will continue as soon as there is some.")
            return TaskRow(task, title, words, "caution")
        case TaskState.WAITING if task.error == "service-away":
            words = _("The other server is not responding. This will continue as soon as it does.")
            return TaskRow(task, title, words, "caution")
        case TaskState.WAITING if task.error:
            return TaskRow(task, title, _("The mail server is not responding. This will continue as soon as it does."), "caution")
        case TaskState.WAITING:
            return TaskRow(task, title, _("Waiting to start."), "done")
    return TaskRow(task, title, _progress(task, text), "done")


def _link(task: Task, text: TaskText, result: Facts) -> tuple[str, str] | None:
    if text.file and "file" in result:
        return url_for("accounts.task_result", task_id=task.id), str(text.file)
    link = text.link(result)
    return link if link is not None and leads_somewhere(link[0]) else None


def _help(task: Task) -> tuple[str, str] | None:
    """Where one goes after it failed."""
    return (url_for("mailbox.room"), _("Free up space")) if task.error in (OVER_QUOTA, TOO_SMALL) else None


def _undo(task: Task, text: TaskText | None, result: Facts) -> tuple[str, Facts] | None:
    return text.undo({**result, "task": task.id, "cursor": json.loads(task.cursor)}) if text else None


def wake_worker() -> None:
    """A task was put in the queue."""
    if jobs := current_app.extensions.get("jobs"):
        jobs.wake_tasks()


def task_started(task: Task) -> None:
    """Wake the worker, and say on the next page that the work goes on by itself. The notice follows its progress."""
    wake_worker()
    row = row_of(task)
    words = _("%(title)s This continues in the background, so you can leave this page.", title=row.title)
    link = {"url": url_for("accounts.tasks"), "text": _("Show progress"), "here": True}
    notify(words, link=link, poll=(url_for("accounts.task_state", task_id=task.id), 2))


def _progress(task: Task, text: TaskText | None) -> str:
    if not task.total:
        return _("In progress.")
    if text and text.progress:
        return text.progress(task.progress, task.total)
    return _("%(done)s of %(total)s done.", done=number(task.progress), total=number(task.total))


def _stopped(task: Task, text: TaskText | None) -> str:
    if not task.progress:
        return _("Stopped. Nothing was done.")
    if text and text.stopped:
        return str(text.stopped)
    return ngettext(
        "Stopped after %(done)s of %(num)d. What was done has been kept.",
        "Stopped after %(done)s of %(num)d. What was done has been kept.",
        task.total,
        done=number(task.progress),
    )


def _failed(task: Task, text: TaskText | None) -> str:
    if task.error == "server-away":
        return _("The mail server did not respond for hours. Try again later.")
    if task.error == "service-away":
        return _("The other server did not respond for hours. Try again later.")
    if task.error == "storage-away":
        return _("The server could not reach its files for hours. Try again later.")
    if task.error == "storage-full":
        return _("The server was out of space for files for hours. Tell your administrator, then try again.")
    if text and (words := text.failed(task.error)):
        return words
    return _("Something went wrong. The problem has been logged. Try again, or tell your administrator.")
