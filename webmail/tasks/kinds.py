"""Kinds of tasks: what an area writes to have long work done, and the handle through which that work reports its steps."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.pieces import give_way
from webmail.models import Task, TaskState, User, now

LEASE = timedelta(seconds=45)  # a worker dead for so long has lost its tasks


class TaskFailedError(Exception):
    """The work can't be done, now or later. `reason` is a word (at most 60 letters) that the kind's page explains."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TaskStoppedError(Exception):
    """Cancelled by the person, or taken over by another worker: the step is rolled back, and the work ends here."""


@dataclass(slots=True)
class TaskRun:
    """One worker's turn at a task: what the work gets to see, and how it says that a step is done."""

    task: Task
    settings: Settings
    lease: timedelta = LEASE
    stopping: threading.Event = field(default_factory=threading.Event)  # the worker is being stopped

    @property
    def user(self) -> User:
        return self.task.user

    @property
    def arguments(self) -> dict[str, Any]:
        return dict(json.loads(self.task.arguments))

    @property
    def total(self) -> int | None:
        """Steps in all, as far as they were counted."""
        return self.task.total

    @property
    def cursor(self) -> Any:
        """What the last step that was done said; None at the beginning."""
        return json.loads(self.task.cursor)

    @property
    def is_cancelled(self) -> bool:
        """Whether it was the person who stopped it, for work that has something to clear away then. One SELECT."""
        return bool(Task.select(Task.id).where((Task.id == self.task.id) & (Task.cancelling == True)).exists())  # noqa: E712

    @contextmanager
    def step(self, cursor: Any, *, done: int, total: int | None = None) -> Iterator[None]:
        """A transaction for the writes of one step. They and the cursor are kept together or not at all, so that after a kill
        each step has been done once. Keep it short: compute before, write inside. A cursor that is changed inside is kept as it
        then is.

        `done` of `total` steps are done with it. Raises TaskStoppedError (and keeps nothing) if the task is no longer ours.
        """
        if self.stopping.is_set():
            raise TaskStoppedError("the worker stops")
        kept = json.dumps(cursor)
        values: dict[str, Any] = {"cursor": kept, "progress": done, "tries": 0, "lease": now() + self.lease}
        if total is not None:
            values["total"] = total
        began = time.monotonic()
        with db.atomic():
            mine = (Task.id == self.task.id) & (Task.turn == self.task.turn) & (Task.state == TaskState.RUNNING)
            # people who were suspended meanwhile: nothing goes on for them
            mine &= Task.user.in_(User.select(User.id).where(User.active == 1))
            # first, so that on PostgreSQL too a worker that lost its turn waits here and is then refused
            if not Task.update(values).where(mine & (Task.cancelling == False)).execute():  # noqa: E712
                raise TaskStoppedError(f"task {self.task.id} is cancelled, or somebody else's")
            yield
            if (changed := json.dumps(cursor)) != kept:
                kept = changed
                Task.update(cursor=kept).where(Task.id == self.task.id).execute()
        self.task.cursor, self.task.progress = kept, done
        give_way(time.monotonic() - began)

    def record(self, cursor: Any, *, done: int) -> None:
        """Keep what lies outside the database (mail) and so can't be rolled back: also while the task is being stopped.

        Raises TaskStoppedError if it is no longer ours.
        """
        kept = json.dumps(cursor)
        values = {"cursor": kept, "progress": done, "tries": 0, "lease": now() + self.lease}
        mine = (Task.id == self.task.id) & (Task.turn == self.task.turn) & (Task.state == TaskState.RUNNING)
        if not Task.update(values).where(mine).execute():
            raise TaskStoppedError(f"task {self.task.id} is somebody else's")
        self.task.cursor, self.task.progress = kept, done

    def renew(self) -> bool:
        """Keep the task for another lease; False where it is no longer ours. The runner does so while a step takes long."""
        mine = (Task.id == self.task.id) & (Task.turn == self.task.turn) & (Task.state == TaskState.RUNNING)
        return bool(Task.update(lease=now() + self.lease).where(mine).execute())


Work = Callable[[TaskRun], dict[str, Any]]  # returns the result


@dataclass(frozen=True, slots=True)
class TaskKind:
    """A kind of long work. `work` goes on from `TaskRun.cursor` and returns the result (JSON), raising TaskFailedError or
    MailError.

    ServerAwayError, StorageAwayError and StorageFullError are tried again for hours; the work must bear that a step whose effects
    lie outside the database (mail, files) is done twice after a kill.

    `in_turn`: of all such kinds, one task of a person runs at a time, since the next one has to see what it did.
    """

    name: str
    work: Work
    in_turn: bool = False
