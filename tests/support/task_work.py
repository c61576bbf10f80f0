"""Task work: what a worker would do with the tasks that wait, at once and in the test's own process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from flask import Flask

from webmail.database.connection import db
from webmail.jobs import KINDS
from webmail.models import Task
from webmail.tasks.runner import TaskRunner


def worker_for(app: Flask) -> Callable[[], int]:
    """`work_all` for a test, after the tasks that others left are gone."""
    with db.connection_context():
        Task.delete().execute()
    return partial(work_all, app)


def work_all(app: Flask) -> int:
    """All tasks, one after another, also those that wait for a server to come back; returns how many turns that were."""
    with app.app_context(), db.connection_context():
        Task.update(due=datetime(2000, 1, 1)).execute()
        runner = TaskRunner(KINDS, app.extensions["settings"], "test")
        count = 0
        while runner.run_one():
            count += 1
        return count
