"""A task of many steps whose workers are killed with SIGKILL again and again: `python -m tests.bench.tasks_killed [STEPS] [KILLS]`.

Two workers; each is killed KILLS times (10) while it holds the task of STEPS steps (20,000). Told: how often each step was done,
whether the progress is right, and whether the page of tasks answered all the while. TRABOULE_TEST_DATABASE names a PostgreSQL
database to use instead of SQLite.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

LEASE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Report:
    """`doubles` and `missing` count steps; `slowest` is the slowest answer of the page, in seconds."""

    steps: int
    kills: list[int]
    doubles: int
    missing: int
    progress: int
    state: str
    slowest: float
    seconds: float

    @property
    def good(self) -> bool:
        return self.state == "done" and not self.doubles and not self.missing and self.progress == self.steps

    def __str__(self) -> str:
        return (
            f"{self.steps} steps, workers killed {' and '.join(map(str, self.kills))} times: {self.state}, twice {self.doubles}, "
            f"never {self.missing}, progress says {self.progress}; page at worst {self.slowest:.2f} s; {self.seconds:.1f} s in all"
        )


def run(steps: int = 20_000, kills: int = 10, database_url: str = "") -> Report:
    with tempfile.TemporaryDirectory() as folder:
        return _Trial(Path(folder), database_url).run(steps, kills)


class _Trial:
    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder, self.database_url = folder, database_url
        self.workers: list[subprocess.Popen[str]] = []
        self.slowest = 0.0

    def run(self, steps: int, kills: int) -> Report:
        from webmail.database.connection import db
        from webmail.models import Task, User
        from webmail.tasks import store

        app = _app(self.folder, self.database_url)
        with db.connection_context():
            db.execute_sql("CREATE TABLE IF NOT EXISTS trial_steps (step INTEGER)")
            db.execute_sql("DELETE FROM trial_steps")
            user, _made = User.get_or_create(address="trial@lycee.example", local="trial", domain="lycee.example")
            Task.delete().where(Task.kind == "trial").execute()
            task = store.start(user, "trial", {"steps": steps})
        started, killed = time.monotonic(), [0, 0]
        self.workers = [self.worker(0), self.worker(1)]
        try:
            while min(killed) < kills:
                self.kill_holder(task.id, killed, steps, kills)
                self.look(app)
            self.wait(task.id, app)
        finally:
            for worker in self.workers:
                worker.kill()
                worker.wait()
        with db.connection_context():
            task = Task.get_by_id(task.id)
            count, distinct = db.execute_sql("SELECT COUNT(*), COUNT(DISTINCT step) FROM trial_steps").fetchone()
            db.execute_sql("DROP TABLE trial_steps")
            Task.delete().where(Task.id == task.id).execute()
        return Report(
            steps, killed, count - distinct, steps - distinct, task.progress, task.state, self.slowest, time.monotonic() - started
        )

    def worker(self, number: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.bench.tasks_killed", "worker", str(self.folder), self.database_url, str(number)]
        return subprocess.Popen(command, text=True)

    def kill_holder(self, task_id: str, killed: list[int], steps: int, kills: int) -> None:
        """Kill the worker that has the task; the other one takes it over, so they take turns."""
        from webmail.database.connection import db
        from webmail.models import Task, TaskState

        with db.connection_context():
            task = Task.get_by_id(task_id)
        assert task.state in (TaskState.WAITING, TaskState.RUNNING), f"it ended too early, as {task.state}: give it more steps"
        holder = int(task.worker) if task.state == TaskState.RUNNING and task.worker else -1
        # spread over the steps, some of which are left for the end
        if holder < 0 or self.workers[holder].poll() is not None or task.progress < steps * sum(killed) / (2.5 * kills + 2):
            time.sleep(0.005)
            return
        self.workers[holder].kill()
        killed[holder] += 1
        self.workers[holder].wait()
        self.wait_for_the_other(task_id, holder)  # one that starts again at once might take the task again
        self.workers[holder] = self.worker(holder)

    def wait_for_the_other(self, task_id: str, holder: int) -> None:
        from webmail.database.connection import db
        from webmail.models import Task, TaskState

        end = time.monotonic() + 30
        while time.monotonic() < end:
            with db.connection_context():
                task = Task.get_by_id(task_id)
            if task.state != TaskState.RUNNING or task.worker != str(holder):
                return
            time.sleep(0.01)

    def look(self, app: Any) -> None:
        began = time.monotonic()
        assert app.test_client().get("/healthz").status_code == 200
        self.slowest = max(self.slowest, time.monotonic() - began)

    def wait(self, task_id: str, app: Any, seconds: float = 600) -> None:
        from webmail.database.connection import db
        from webmail.models import Task, TaskState

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with db.connection_context():
                if Task.get_by_id(task_id).state not in (TaskState.WAITING, TaskState.RUNNING):
                    return
            self.look(app)
            time.sleep(0.05)
        raise TimeoutError("the task does not end")


def _app(folder: Path, database_url: str) -> Any:
    from webmail import create_app

    return create_app(folder, **({"database_url": database_url} if database_url else {}))


def work(folder: str, database_url: str, number: str) -> None:
    """A worker with short leases, for the one kind of task there is here."""
    from webmail.database.connection import db, open_database
    from webmail.tasks.kinds import TaskKind, TaskRun
    from webmail.tasks.runner import TaskRunner

    def count(run: TaskRun) -> dict[str, Any]:
        steps = run.arguments["steps"]
        for step in range(run.cursor or 0, steps):
            with run.step(step + 1, done=step + 1, total=steps):
                db.execute_sql(f"INSERT INTO trial_steps VALUES ({int(step)})")
        return {"steps": steps}

    from webmail.config import settings as config

    settings = config.load(folder, **({"database_url": database_url} if database_url else {}))
    open_database(settings.database_url)
    runner = TaskRunner([TaskKind("trial", count)], settings, number, threads=1, lease=LEASE, poll=0.05)
    runner.start()
    signal.pause()


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        work(*sys.argv[2:])
    else:
        numbers = [int(one) for one in sys.argv[1:]]
        report = run(*numbers, database_url=os.environ.get("TRABOULE_TEST_DATABASE", ""))
        print(report)
        sys.exit(0 if report.good else 1)
