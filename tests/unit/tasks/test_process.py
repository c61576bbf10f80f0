"""The process that does tasks: what is left of it when parts of it are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from tests.support.auth_app import add
from tests.support.waiting import eventually
from webmail import health
from webmail.models import Task, TaskState, User, now
from webmail.tasks import heartbeat, store

ROOT = Path(__file__).resolve().parents[3]


def children(process: int) -> list[int]:
    """Of its main thread; none of one that is gone."""
    listed = Path(f"/proc/{process}/task/{process}/children")
    return [int(number) for number in listed.read_text().split()] if listed.exists() else []


def test_a_worker_whose_task_process_is_killed_for_good_begins_again(tmp_path):
    """First the supervisor, so that nobody is left who would start the process that works again."""
    settings = {
        "WEBMAIL_INSTANCE": str(tmp_path),
        "WEBMAIL_IMAP_PORT": "1",
        "WEBMAIL_SMTP_PORT": "1",
        "WEBMAIL_SIGN_IN": "accounts",
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "jobs"]
    worker = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}, stderr=subprocess.DEVNULL)
    try:
        [supervisor] = eventually(lambda: children(worker.pid), 30, what="a supervisor")
        [working] = eventually(lambda: children(supervisor), 60, what="a process that works")
        os.kill(supervisor, signal.SIGKILL)
        os.kill(working, signal.SIGKILL)
        [another] = eventually(
            lambda: [one for one in children(worker.pid) if one != supervisor and children(one)], 40, what="another"
        )
        assert worker.poll() is None and another != supervisor
    finally:
        worker.terminate()
        assert worker.wait(30) in (0, -signal.SIGTERM), "the latter where it does not listen to signals yet"


def test_tasks_that_nobody_takes_are_told(settings):
    heartbeat.beat("worker", now())
    add("alice@lycee.example")
    task = store.start(User.get(), "export", {})
    assert not heartbeat.tasks_are_left()
    Task.update(due=now() - timedelta(minutes=3)).execute()
    assert heartbeat.tasks_are_left()
    [told] = [check for check in health.examine(settings) if check.name == "tasks"]
    assert not told.good and "nobody works on them" in told.message
    other = store.start(User.get(), "export", {})
    Task.update(state=TaskState.RUNNING, lease=now() + timedelta(minutes=1)).where(Task.id == other.id).execute()
    assert not heartbeat.tasks_are_left(), "they wait for their turn"
    Task.update(lease=now() - timedelta(minutes=3)).where(Task.id == other.id).execute()
    Task.delete().where(Task.id == task.id).execute()
    assert heartbeat.tasks_are_left(), "its worker is dead, and no other took it over"
