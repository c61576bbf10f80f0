"""All of one's data, made by a worker that is killed on its way: `python -m tests.bench.own_data [MESSAGES]`.

Two people, with a tenth of MESSAGES (20,000) and with all of them. Each export is killed with SIGKILL in the middle and goes on in a
new process. Told: how many messages the file lacks, how long both took, and how much the worker's memory grew at most (VmHWM).
Fails if a message is missing, if a part is stored twice (but the one that was not noted yet), or if ten times the messages need
more than twice the memory and 16 MiB.
"""

from __future__ import annotations

import sys
import time
import zipfile
from typing import Any

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.bench import fill
from tests.support.killed_worker import run_worker
from tests.support.passing_folder import passing_folder

MOST = 20_000
_PER_PART = 500  # messages: tasks/mail_parts.py


def run(total: int) -> bool:
    with passing_folder() as folder, Services(folder / "demo", web=False) as services:
        from webmail import create_app

        people = {size: f"sortante{size}@{accounts.DOMAIN}" for size in (total // 10, total)}
        for size, address in people.items():
            services.add_account(address, "Sortante", 100 * 1024**3)
            local, domain = address.split("@")
            fill.write(services.owner, services.base / "mail" / domain / local / "Maildir" / "Tout", address, size)
        values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
        app = create_app(values.pop("instance"), **values)
        told = {size: _export(app, address, size) for size, address in people.items()}
    whole = all(missing == 0 and again <= 1 for missing, again, _grown in told.values())
    return whole and told[total][2] <= 2 * told[total // 10][2] + 16


def _export(app: Any, address: str, size: int) -> tuple[int, int, float]:
    """(messages missing, parts stored twice, growth in MiB)"""
    from webmail.accounts import data_export
    from webmail.database.connection import db
    from webmail.models import Task, User
    from webmail.storage import open_file, open_storage
    from webmail.tasks import store

    with db.connection_context():
        task = store.start(User.get(User.address == address), data_export.NAME, {"mail": True})
    began = time.monotonic()
    first = run_worker(app, kill_at=max(2, size // _PER_PART // 2))
    second = run_worker(app)
    took = time.monotonic() - began
    with db.connection_context():
        task = Task.get_by_id(task.id)
        result = store.result_of(task)
        with open_file(open_storage(app.extensions["settings"]), result["file"]) as file, zipfile.ZipFile(file) as archive:
            broken = archive.testzip()
            with archive.open("mail/Tout.mbox") as mbox:
                found = sum(line.startswith(b"From ") for line in mbox)
    again = len(set(first.stored) & set(second.stored))
    print(
        f"{size} messages: {task.state}{f', {broken} is broken' if broken else ''}, missing {size - found}; "
        f"killed after {len(first.stored)} files, {again} of them made again; "
        f"{result['size'] / 1e6:.0f} MB, {took:.0f} s; memory grew by {second.grown:.0f} MiB",
        flush=True,
    )
    return size - found, again, second.grown


if __name__ == "__main__":
    sys.exit(not run(int(sys.argv[1]) if len(sys.argv) > 1 else MOST))
