"""A worker in a process of its own, which is killed with SIGKILL at a chosen moment, or tells how much memory it took."""

from __future__ import annotations

import os
import signal
import traceback
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask

from webmail import imap
from webmail.database.connection import db
from webmail.jobs import KINDS
from webmail.models import Task, now
from webmail.storage.local import LocalStorage
from webmail.tasks.runner import TaskRunner


@dataclass(frozen=True)
class Turn:
    """How a worker ended: by SIGKILL or by itself; which files it stored, in order; by how many MiB its memory grew at most."""

    killed: bool
    stored: list[str]
    grown: float


def run_worker(app: Flask, *, kill_at: int = 0) -> Turn:
    """Do all tasks that wait in a new process. With `kill_at` it is killed when it has stored so many files, before that is noted.

    Tasks whose worker died are free afterwards, as when their lease has expired.
    """
    imap.close_all()
    if not db.is_closed():
        db.close()
    told, telling = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _work(app, telling, kill_at)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(telling)
    with os.fdopen(told) as lines:
        words = lines.read().split()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL), f"the worker broke: {code}"
    with db.connection_context():
        Task.update(lease=now() - timedelta(seconds=1)).where(Task.state == "running").execute()
    return Turn(
        code != 0,
        [word for word in words if "=" not in word],
        float(dict(w.split("=") for w in words if "=" in w).get("grown", 0)),
    )


def _work(app: Flask, telling: int, kill_at: int) -> None:
    put, count = LocalStorage.put, 0

    def noted(files: LocalStorage, name: str, chunks: Any, **more: Any) -> int:
        nonlocal count
        size = put(files, name, chunks, **more)
        os.write(telling, (name.rpartition("/")[2] + "\n").encode())
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return size

    LocalStorage.put = noted  # type: ignore[method-assign]
    before = _highest(anew=True)
    with app.app_context(), db.connection_context():
        runner = TaskRunner(KINDS, app.extensions["settings"], "killed")
        while runner.run_one():
            pass
    os.write(telling, f"grown={(_highest() - before) / 1024:.1f}\n".encode())


def _highest(anew: bool = False) -> int:
    """The most memory this process has had, in KiB; `anew`: since now."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
