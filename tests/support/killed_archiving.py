"""A worker that archives in a process of its own and is killed in the middle of a MOVE; what became of each message; its memory."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from imapclient import IMAPClient

from deploy.demo.place import Owner
from tests.bench.fill import write_letters
from tests.bench.letters import Letter
from webmail import imap
from webmail.account import Account
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.filters.archiving.archive_task import ArchiveTurn
from webmail.imap.connections.connection import Connection
from webmail.models import ArchiveBatch, ArchiveRule, BatchState, User, now

SOURCE = "Vieux"
YEARS = (2019, 2020, 2021, 2022)


def fill(owner: Owner, maildir: Path, total: int) -> None:
    """Old messages in SOURCE, spread over YEARS, each with a Message-ID of its own that says its number."""
    write_letters(owner, maildir / SOURCE, _letters(total))


def _letters(total: int) -> Iterator[Letter]:
    for number in range(total):
        when = datetime(YEARS[number * len(YEARS) // total], 1 + number % 12, 1 + number % 28, 9, number % 60, tzinfo=UTC)
        text = f"From: Bob <bob@lycee.example>\r\nSubject: n{number}\r\nMessage-ID: <{number}@old.example>\r\n\r\nBonjour\r\n"
        yield Letter(text.encode(), when, seen=True, attachment=False)


def add_rule(user: User) -> None:
    ArchiveRule.create(user=user, position=1, mailbox=SOURCE, unit="months", amount=6, action="archive")


@dataclass(frozen=True, slots=True)
class ArchivingTurn:
    """How it ended: by SIGKILL or by itself; by how many MiB its memory grew at most."""

    killed: bool
    grown: float


def take_turn(user: User, account: Account, settings: Settings, kill_at: int = 0, delay: float = 0.01) -> ArchivingTurn:
    """Archive in a new process. With `kill_at` it is killed so many seconds after it sent its nth MOVE: while the server moves."""
    imap.close_all()
    if not db.is_closed():
        db.close()
    told, telling = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(told)
            _work(user, account, settings, telling, kill_at, delay)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(telling)
    with os.fdopen(told) as lines:
        grown = lines.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGALRM), f"the worker broke: {code}"
    return ArchivingTurn(code != 0, float(grown or 0))


def _work(user: User, account: Account, settings: Settings, telling: int, kill_at: int, delay: float) -> None:
    if kill_at:
        _kill_at(kill_at, delay)
    with db.connection_context():
        Path("/proc/self/clear_refs").write_text("5")
        before = _highest()
        ArchiveTurn(user, account, settings, now().date().isoformat()).take()
        os.write(telling, f"{(_highest() - before) / 1024:.1f}".encode())


def _kill_at(which: int, delay: float) -> None:
    run: Callable[..., Any] = Connection.run
    count = 0
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process as SIGKILL does: nothing is cleaned up

    def watched(one: Connection, *commands: Any) -> Any:
        nonlocal count
        if any(each[0] == b"UID MOVE" for each in commands):
            count += 1
            if count == which:
                signal.setitimer(signal.ITIMER_REAL, delay)
        return run(one, *commands)

    Connection.run = watched  # type: ignore[method-assign]


def _highest() -> int:
    """The most memory this process has had, in KiB."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def let_settle(user: User, mail: IMAPClient) -> None:
    """Wait until the mail server is no longer at the interrupted command, and go on as if that had taken its time."""
    with db.connection_context():
        batch = ArchiveBatch.get((ArchiveBatch.user == user) & (ArchiveBatch.state == BatchState.PENDING))
    end = time.monotonic() + 10  # perhaps it was killed before it asked
    mail.select_folder(SOURCE, readonly=True)
    while mail.search(["UID", batch.uids]) and time.monotonic() < end:
        mail.noop()
        time.sleep(0.05)
    with db.connection_context():
        ArchiveBatch.update(began=now() - timedelta(minutes=2)).where(ArchiveBatch.user == user).execute()


def numbers(mail: IMAPClient) -> list[int]:
    """Of the messages that are somewhere, the numbers in their Message-IDs: a lost one is missing, a doubled one there twice."""
    found: list[int] = []
    for name in (SOURCE, *(f"Archive/{year}" for year in YEARS)):
        if mail.folder_exists(name):
            mail.select_folder(name, readonly=True)
            uids = mail.search()
            for at in range(0, len(uids), 1000):
                rows = mail.fetch(uids[at : at + 1000], ["ENVELOPE"])
                found += [int(row[b"ENVELOPE"].message_id.decode().strip("<>").partition("@")[0]) for row in rows.values()]
    return sorted(found)
