"""Old messages archived by a worker that is killed in the middle of a MOVE: `python -m tests.bench.archiving [MESSAGES]`.

Two people, with a tenth of MESSAGES (50,000) and with all of them. Told: how many messages are lost or doubled, how long it took,
and how much the worker's memory grew at most (VmHWM). Fails if a message is lost or doubled, if the log does not know where all
of them are, if undo does not bring all back, or if ten times the messages need more than twice the memory and 16 MiB.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from imapclient import IMAPClient

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support import killed_archiving as trial
from tests.support.passing_folder import passing_folder
from tests.support.task_work import work_all

MOST = 50_000


def run(total: int) -> bool:
    with passing_folder() as folder, Services(folder / "demo", web=False) as services:
        from webmail import create_app

        people = {size: f"rangee{size}@{accounts.DOMAIN}" for size in (total // 10, total)}
        for size, address in people.items():
            services.add_account(address, "Rangée", 100 * 1024**3)
            local, domain = address.split("@")
            trial.fill(services.owner, services.base / "mail" / domain / local / "Maildir", size)
        values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
        app = create_app(values.pop("instance"), **values)
        told = {size: _archive(app, services, address, size) for size, address in people.items()}
    whole = all(good for good, _grown in told.values())
    return whole and told[total][1] <= 2 * told[total // 10][1] + 16


def _archive(app: Any, services: Services, address: str, size: int) -> tuple[bool, float]:
    """(whether nothing is lost or doubled, growth in MiB)"""
    from webmail.database.connection import db
    from webmail.filters.archiving import archive_undo
    from webmail.models import ArchiveRun, User

    settings = app.extensions["settings"]
    with db.connection_context():
        user = User.get(User.address == address)
        trial.add_rule(user)
    account = settings.account(address)
    mail = IMAPClient("127.0.0.1", services.ports.imap, ssl=False, timeout=120)
    mail.login(address, services.password)
    began = time.monotonic()
    first = trial.take_turn(user, account, settings, kill_at=max(2, size // 1000))
    trial.let_settle(user, mail)
    second = trial.take_turn(user, account, settings)
    took = time.monotonic() - began
    found = trial.numbers(mail)
    with db.connection_context():
        night = ArchiveRun.get(ArchiveRun.user == user)
        counted = night.archived
        archive_undo.begin(user, night, settings)
    began = time.monotonic()
    work_all(app)
    back = mail.folder_status(trial.SOURCE, ["MESSAGES"])[b"MESSAGES"]
    print(
        f"{size} messages, worker {'killed' if first.killed else 'not killed'}: lost {size - len(set(found))}, "
        f"doubled {len(found) - len(set(found))}, in the log {counted}; {took:.0f} s; memory grew by {second.grown:.0f} MiB; "
        f"undo brought back {back} in {time.monotonic() - began:.0f} s",
        flush=True,
    )
    mail.logout()
    return first.killed and found == list(range(size)) and counted == back == size, second.grown


if __name__ == "__main__":
    sys.exit(not run(int(sys.argv[1]) if len(sys.argv) > 1 else MOST))
