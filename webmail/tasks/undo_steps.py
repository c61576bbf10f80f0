"""Undo steps: what a task changed, kept in the transactions of its steps, so that it can be undone however it ended.

Undoing goes step by step, the last first, each in one transaction with which it is forgotten: what breaks off is gone on with
when it is asked for again. Much of it is a task of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import peewee as pw

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.models import Task, TaskUndo, User
from webmail.tasks import store
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun

AT_ONCE = 500  # changes that are undone while the person waits

TakeBack = Callable[[User, list[Any], Settings], int]  # undoes one step; returns how many of its changes


def note(task: Task, steps: list[Any]) -> None:
    """Keep what a step changed: within its transaction. 1 query."""
    TaskUndo.create(task=task, count=len(steps), steps=json.dumps(steps, ensure_ascii=False))


def count(task: Task) -> int:
    """How many changes there are to undo. 1 query."""
    return int(TaskUndo.select(pw.fn.COALESCE(pw.fn.SUM(TaskUndo.count), 0)).where(TaskUndo.task == task).scalar() or 0)


def undo_now(task: Task, take_back: TakeBack, settings: Settings) -> int:
    """Undo all of it; returns how many changes. Raises what `take_back` raises."""
    done = 0
    while (step := last(task)) is not None:
        with db.atomic():
            done += _undone(step, task.user, take_back, settings)
    return done


def undo_kind(name: str, take_back: TakeBack, refused: tuple[type[Exception], ...]) -> TaskKind:
    """A kind of task that undoes the task in its arguments. `refused`: what `take_back` raises where it can't."""

    reasons: tuple[type[Exception], ...] = (*refused, LimitReachedError)

    def work(run: TaskRun) -> dict[str, Any]:
        try:
            task = store.find(run.user, run.arguments["task"])
        except store.NoSuchTaskError as error:
            raise TaskFailedError("gone") from error
        done, looked_at = (run.cursor or {}).get("done", 0), run.task.progress
        total = looked_at + count(task)
        try:
            while (step := last(task)) is not None:
                cursor, looked_at = {"done": done}, looked_at + step.count
                with run.step(cursor, done=looked_at, total=total):
                    done += _undone(step, run.user, take_back, run.settings)
                    cursor["done"] = done
        except reasons as error:
            raise TaskFailedError("refused") from error
        store.note_undone(run.user, task.id)
        return {"count": done}

    return TaskKind(name, work, in_turn=True)


def last(task: Task) -> TaskUndo | None:
    """What is to be undone next. 1 query."""
    found: TaskUndo | None = TaskUndo.select().where(TaskUndo.task == task).order_by(TaskUndo.id.desc()).first()
    return found


def changes_of(step: TaskUndo) -> list[Any]:
    """As they were noted."""
    return list(json.loads(step.steps))


def forget(step: TaskUndo) -> bool:
    """It is undone: False where somebody else has forgotten it before. Within a transaction; 1 query."""
    return bool(TaskUndo.delete().where(TaskUndo.id == step.id).execute())


def _undone(step: TaskUndo, user: User, take_back: TakeBack, settings: Settings) -> int:
    """Two at once: the second finds nothing of it left to do."""
    return take_back(user, changes_of(step), settings) if forget(step) else 0
