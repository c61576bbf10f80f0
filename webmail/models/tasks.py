"""Tables of background work: tasks of people, workers that are alive, and when periodic work was last done."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class TaskState(StrEnum):
    WAITING = "waiting"  # until `due`, or until a worker is free
    RUNNING = "running"  # a worker has it until `lease`
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"  # what was done before that stays done


class Task(Table):
    """Long work for a person. `turn` is a fencing token: a worker whose task was taken over may no longer write to it."""

    id = pw.CharField(max_length=32, primary_key=True)  # random hex
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="tasks", index=False)
    kind = pw.CharField(max_length=40)
    arguments = pw.TextField(default="{}")  # JSON
    credential = pw.BlobField(null=True)  # sealed mail password, where there are no tokens; forgotten at the end
    state = pw.CharField(max_length=12, default=TaskState.WAITING)
    progress = pw.IntegerField(default=0)  # steps done
    total = pw.IntegerField(default=0)  # steps in all; 0: not known yet
    cursor = pw.TextField(default="null")  # JSON: where to go on
    turn = pw.IntegerField(default=0)
    tries = pw.IntegerField(default=0)  # since the last step that was done
    worker = pw.CharField(max_length=32, default="")
    lease = pw.DateTimeField(null=True)
    due = pw.DateTimeField(default=now)
    cancelling = pw.BooleanField(default=False)  # the person asked for it; the next step notices
    result = pw.TextField(default="{}")  # JSON
    error = pw.CharField(max_length=60, default="")  # a word that the pages explain
    created = pw.DateTimeField(default=now)
    finished = pw.DateTimeField(null=True)
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "tasks"
        indexes = ((("user", "created"), False), (("state", "due"), False))


class TaskUndo(Table):
    """What one step of a task changed, so that the task can be undone however it ended; kept as long as its row."""

    task = pw.ForeignKeyField(Task, on_delete="CASCADE", backref="+")
    count = pw.IntegerField()
    steps = pw.TextField()  # JSON, a list defined by the area

    class Meta:
        table_name = "task_undo"


class Worker(Table):
    """A worker process (`flask jobs`) that is alive, or was when it was last seen."""

    id = pw.CharField(max_length=32, primary_key=True)  # random hex, one per start
    host = pw.CharField(max_length=190)
    process = pw.IntegerField()
    started = pw.DateTimeField(default=now)
    seen = pw.DateTimeField(default=now, index=True)

    class Meta:
        table_name = "workers"


class PeriodicJob(Table):
    """When periodic work was last begun by any worker: one UPDATE of this row decides who does it next."""

    name = pw.CharField(max_length=40, primary_key=True)
    begun = pw.DateTimeField(default=lambda: datetime(2000, 1, 1))
    broke = pw.DateTimeField(null=True)  # when it last failed; before `begun`: it is well again
    reason = pw.CharField(max_length=200, null=True)

    class Meta:
        table_name = "periodic_jobs"
