"""Tasks as the pages see them: start one, list a person's, cancel, and forget old ones."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import peewee as pw

from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.errors import LimitReachedError
from webmail.models import Task, TaskState, User, now

KEPT = timedelta(days=7)  # after the end, with the result
MOST_OPEN = 20  # of one person, waiting or running
UNDONE = "undone"  # in a result
OPEN = (TaskState.WAITING, TaskState.RUNNING)


class NoSuchTaskError(LookupError):
    """There is no such task of this person."""


def start(
    user: User, kind: str, arguments: dict[str, Any],
    *, total: int = 0, task_id: str = "", alone: bool = False, credential: bytes | None = None,
) -> Task:  # fmt: skip
    """Put a task in the queue; the worker has to be woken besides (`Jobs.wake_tasks`), or finds it within seconds.

    `credential`: sealed for the worker (`mail_account.seal`), for work on the person's mail. A form that carries
    `task_id` and is sent twice starts one task. Raises LimitReachedError. One transaction.

    `task_id`: from `id_of_form`. With `alone`, the task of this kind that is under way is returned, if there is one.
    """
    with db.atomic():
        in_turn(user)
        if task_id and (twin := Task.get_or_none((Task.id == task_id) & (Task.user == user))):
            return twin
        if alone and (other := Task.get_or_none((Task.user == user) & (Task.kind == kind) & Task.state.in_(OPEN))):
            return other
        check_room(user)
        return Task.create(
            id=task_id or new_id(), user=user, kind=kind, arguments=json.dumps(arguments, ensure_ascii=False), total=total,
            credential=credential,
        )  # fmt: skip


def start_once(user: User, kind: str, arguments: dict[str, Any], *, credential: bytes | None = None) -> Task:
    """As `start`; the task of this kind with these arguments that is under way is returned, if there is one."""
    with db.atomic():
        in_turn(user)
        same = (Task.user == user) & (Task.kind == kind) & (Task.arguments == json.dumps(arguments, ensure_ascii=False))
        return Task.get_or_none(same & Task.state.in_(OPEN)) or start(user, kind, arguments, credential=credential)


def is_under_way(user: User, kind: str, arguments: dict[str, Any]) -> bool:
    """Whether `start_once` would find one. 1 query."""
    same = (Task.user == user) & (Task.kind == kind) & (Task.arguments == json.dumps(arguments, ensure_ascii=False))
    return Task.select(Task.id).where(same & Task.state.in_(OPEN)).exists()


def new_id() -> str:
    return secrets.token_hex(16)


def id_of_form(user: User, name: str) -> str:
    """The id of the task that a form with this name in it starts: nobody can name somebody else's task by it."""
    return hashlib.sha256(f"{user.id} {name}".encode(errors="replace")).hexdigest()[:32] if name else new_id()


def check_room(user: User) -> None:
    """Raises LimitReachedError if a person can't start another task now. One SELECT."""
    if under_way(user) >= MOST_OPEN:
        raise LimitReachedError(f"{user.address} has {MOST_OPEN} tasks under way")


def is_there(user: User, task_id: str) -> bool:
    return Task.select().where((Task.id == task_id) & (Task.user == user)).exists()


def find(user: User, task_id: str) -> Task:
    """Raises NoSuchTaskError, also for somebody else's."""
    task = Task.get_or_none((Task.id == task_id) & (Task.user == user))
    if task is None:
        raise NoSuchTaskError(f"no task {task_id!r} of {user.address}")
    return task


def listing(user: User) -> list[Task]:
    """A person's tasks, newest first: those under way, and what ended in the last days. One SELECT."""
    return list(Task.select().where(Task.user == user).order_by(Task.created.desc(), Task.id).limit(100))


def under_way(user: User) -> int:
    """How many tasks of a person wait or run. One SELECT."""
    return int(Task.select().where((Task.user == user) & Task.state.in_(OPEN)).count())


def open_of(kinds: Sequence[str]) -> Task | None:
    """A task of these kinds that waits or runs, of whomever. 1 query."""
    found: Task | None = Task.select().where(Task.kind.in_(list(kinds)) & Task.state.in_(OPEN)).order_by(Task.created).first()
    return found


def open_of_kind(user: User, kind: str) -> list[Task]:
    """A person's tasks of a kind that wait or run, without those that are to stop. 1 query."""
    mine = (Task.user == user) & (Task.kind == kind)
    return list(Task.select().where(mine & Task.state.in_(OPEN) & ~Task.cancelling))


def cancel(user: User, task_id: str) -> bool:
    """Stop a task: at once if it waits, at its next step if it runs; False if it has ended. Raises NoSuchTaskError."""
    find(user, task_id)
    mine = (Task.id == task_id) & (Task.user == user)
    at_once = Task.update(state=TaskState.CANCELLED, finished=now(), credential=None)
    if at_once.where(mine & (Task.state == TaskState.WAITING)).execute():
        return True
    return bool(Task.update(cancelling=True).where(mine & (Task.state == TaskState.RUNNING)).execute())


def remove(user: User, task_id: str) -> Task | None:
    """Take an ended task off the list; returns what it was, so that its files can be deleted. Raises NoSuchTaskError."""
    task = find(user, task_id)
    ended = (Task.id == task_id) & (Task.user == user) & Task.state.not_in(OPEN)
    return task if Task.delete().where(ended).execute() else None


def expired() -> list[Task]:
    """Tasks whose results are no longer kept: the caller deletes their files, then the rows."""
    return list(Task.select().where(Task.state.not_in(OPEN) & (Task.finished < now() - KEPT)).limit(1000))


def note_undone(user: User, task_id: str) -> None:
    """What a task of this person did was undone: its row says so, and offers nothing more."""
    task = Task.get_or_none((Task.id == task_id) & (Task.user == user) & Task.state.not_in(OPEN))
    if task is not None:
        result = json.dumps({**result_of(task), UNDONE: True}, ensure_ascii=False)
        Task.update(result=result).where(Task.id == task.id).execute()


def arguments_of(task: Task) -> dict[str, Any]:
    """What its work was given."""
    return dict(json.loads(task.arguments))


def cursor_of(task: Task) -> Any:
    """Where its work was last; None at the beginning."""
    return json.loads(task.cursor)


def other_results(task: Task) -> list[Task]:
    """A person's finished tasks of the same kind: those that made a file before this one."""
    mine = (Task.user == task.user_id) & (Task.kind == task.kind) & (Task.id != task.id)
    return list(Task.select().where(mine & (Task.state == TaskState.DONE)))


def set_result(task: Task, result: dict[str, Any]) -> None:
    """Keep another result of a task that is done."""
    Task.update(result=json.dumps(result, ensure_ascii=False)).where(Task.id == task.id).execute()


def result_of(task: Task) -> dict[str, Any]:
    return dict(json.loads(task.result))


def count_by_state() -> dict[str, int]:
    """How many wait, are done just now, and failed in the days that they are kept. 1 SELECT."""
    states = (*OPEN, TaskState.FAILED)
    found: Any = Task.select(Task.state, pw.fn.COUNT(Task.id)).where(Task.state.in_(states)).group_by(Task.state)
    return {str(state): 0 for state in states} | dict(found.tuples())


def failed_or_late(most: int) -> list[Task]:
    """Tasks that failed, or that wait for over an hour, the latest first, with whose they are. 1 SELECT."""
    late = (Task.state == TaskState.WAITING) & (Task.due < now() - timedelta(hours=1))
    found = Task.select(Task, User).join(User).where(late | (Task.state == TaskState.FAILED))
    return list(found.order_by(Task.created.desc()).limit(most))


def begin_again(task_id: str) -> bool:
    """Have a failed task go on from its last step. False where it has not failed, or has no password left to go on with."""
    again = {Task.state: TaskState.WAITING, Task.error: "", Task.tries: 0, Task.due: now(), Task.finished: None, Task.lease: None}
    return bool(Task.update(again).where(Task.id == task_id, Task.state == TaskState.FAILED, ~Task.cancelling).execute())
