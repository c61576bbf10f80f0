"""Undo of what a task did, from a page: at once if it is little, else by a task of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_babel import gettext as _

from webmail.errors import LimitReachedError
from webmail.models import Task
from webmail.tasks import store, undo_steps
from webmail.tasks.undo_steps import TakeBack
from webmail.web.current import current_user, settings
from webmail.web.formatting import lazy_text as _l
from webmail.web.notices import notify
from webmail.web.texts.task_texts import Facts, TaskText, task_started


def undo_of_task(task_id: str, owner: str, kind: str, take_back: TakeBack, describe: Callable[[int], str]) -> None:
    """Undo a task of the kind `owner`, or start one of `kind` that does; say so. Raises what `take_back` raises."""
    task = _ended(task_id, owner)
    changes = undo_steps.count(task) if task else 0
    if task is None or not changes:
        notify(_("There was nothing to undo."))
    elif changes > undo_steps.AT_ONCE:
        try:
            task_started(store.start_once(current_user(), kind, {"task": task.id}))
        except LimitReachedError:
            notify(_("You have too many tasks running. Wait until one finishes."), "caution")
    else:
        count = undo_steps.undo_now(task, take_back, settings())
        store.note_undone(current_user(), task.id)
        notify(describe(count) if count else _("There was nothing to undo."))


def _ended(task_id: str, owner: str) -> Task | None:
    try:
        task = store.find(current_user(), task_id)
    except store.NoSuchTaskError:
        return None
    return task if task.kind == owner and task.state not in store.OPEN else None


def undo_text(title: Callable[[Facts], str], done: Callable[[int], str], refused: Callable[[], str]) -> TaskText:
    """How a task is told that undoes another."""
    reasons: dict[str, Callable[[], str]] = {"gone": lambda: _("This import is no longer on the list."), "refused": refused}
    return TaskText(
        title=title,
        done=lambda result: done(result["count"]),
        failed=lambda reason: reasons[reason]() if reason in reasons else "",
        stopped=_l("Stopped. Press “Undo” on the import again to remove the rest."),
    )


def any_changes(cursor: Any, *names: str) -> bool:
    """Whether a task whose cursor has these counts changed anything."""
    return any((cursor or {}).get(name) for name in names)
