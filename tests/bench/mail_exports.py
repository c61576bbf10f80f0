"""Mail exports: a large folder saved as one file by a worker: `python -m tests.bench.mail_exports [MESSAGES]`.

Two folders, of a tenth of MESSAGES (100,000) and of all of them, each as mbox and as zip. Told: how many messages the file lacks, how
long it took, and how much the worker's memory grew at most (VmHWM). Fails if a message is missing, or if ten times the messages
need more than twice the memory and 16 MiB.
"""

from __future__ import annotations

import os
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.bench import fill
from tests.support.passing_folder import passing_folder
from webmail.imap.searching.search import EVERYTHING

_PERSON = f"sortante@{accounts.DOMAIN}"


def run(total: int) -> bool:
    with passing_folder() as folder, Services(folder / "demo", web=False) as services:
        from webmail import create_app

        services.add_account(_PERSON, "Sortante", 100 * 1024**3)
        sizes = (total // 10, total)
        for size in sizes:
            fill.write(services.owner, _maildir(services) / f"Tout{size}", _PERSON, size)
        values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
        app = create_app(values.pop("instance"), **values)
        told = {(size, kind): _export(app, size, kind) for kind in ("mbox", "zip") for size in sizes}
    complete = all(missing == 0 for missing, _grown in told.values())
    return complete and all(told[total, kind][1] <= 2 * told[total // 10, kind][1] + 16 for kind in ("mbox", "zip"))


def _maildir(services: Services) -> Path:
    local, domain = _PERSON.split("@")
    return services.base / "mail" / domain / local / "Maildir"


def _export(app: Any, size: int, kind: str) -> tuple[int, float]:
    """(messages missing, growth in MiB)"""
    from webmail import imap
    from webmail.database.connection import db
    from webmail.mailbox import export_task, selection
    from webmail.mailbox.list_request import ListRequest
    from webmail.models import Task, User
    from webmail.storage import open_file, open_storage
    from webmail.tasks import store

    settings, name = app.extensions["settings"], f"Tout{size}"
    with db.connection_context():
        user = User.get(User.address == _PERSON)
        with imap.connect(settings.account(_PERSON), name) as connection:
            chosen = selection.matching(connection, ListRequest(name), EVERYTHING, 0)
        task = store.start(user, export_task.NAME, {"name": name, "kind": kind})
        files = open_storage(settings)
        files.put(f"tasks/{task.id}/{export_task.SELECTION}", [export_task.packed(chosen)])
    began = time.monotonic()
    grown = _worker(settings, task.id)
    took = time.monotonic() - began
    with db.connection_context():
        task = Task.get_by_id(task.id)
        result = store.result_of(task)
        with open_file(files, result["file"]) as file:
            found = len(zipfile.ZipFile(file).namelist()) if kind == "zip" else sum(line.startswith(b"From ") for line in file)
    megabytes = result["size"] / 1e6
    told = f"{task.state}, missing {size - found}; {megabytes:.0f} MB, {took:.0f} s; memory grew by {grown:.0f} MiB"
    print(f"{size} messages as {kind}: {told}", flush=True)
    return size - found, grown


def _worker(settings: Any, task_id: str) -> float:
    """Run a worker in a process of its own until the task has ended; by how many MiB its memory grew at most."""
    from webmail.database.connection import db
    from webmail.jobs import KINDS
    from webmail.models import Task
    from webmail.tasks import store
    from webmail.tasks.runner import TaskRunner

    db.close()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        before = _highest(anew=True)
        TaskRunner(KINDS, settings, "trial", threads=1, poll=0.2).start()
        state = next(iter(store.OPEN))
        while state in store.OPEN:
            time.sleep(0.2)
            with db.connection_context():
                state = Task.get_by_id(task_id).state
        os.write(write, str((_highest() - before) / 1024).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        grown = float(told.read())
    os.waitpid(child, 0)
    return grown


def _highest(anew: bool = False) -> int:
    """The most memory this process has had, in KiB; `anew`: since now."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


if __name__ == "__main__":
    sys.exit(not run(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
