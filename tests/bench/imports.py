"""A message sent while four large imports are under way: `python -m tests.bench.imports [CARDS]`.

One worker process, as `flask jobs` runs it. Measured: from the moment the message is in the outbox and the worker was told, until
the SMTP server has it; first with nothing else to do, then while four people each import CARDS contacts (9,000). Also how long a
short write of a fifth person (an autosave) takes meanwhile. The two are told as ratios to the quiet times.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.fault_server import FaultServer
from tests.bench.faults import BOB, Instance
from tests.support.waiting import eventually

MESSAGES = 12
_CARD = (
    "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u{0}-{1}\r\nFN:Person {0}\r\nEMAIL:p{0}@ailleurs.example\r\n"
    "TEL:+33 4 72 {0:04d}\r\nNOTE:{2}\r\nEND:VCARD\r\n"
)


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: medians and worst of sending, and of a short write."""

    sending: list[float]
    writing: list[float]

    def row(self, name: str) -> str:
        cells = [f"{statistics.median(each) * 1000:.0f} | {max(each) * 1000:.0f}" for each in (self.sending, self.writing)]
        return f"| {name} | {' | '.join(cells)} |"


def run(cards: int = 9_000) -> tuple[Times, Times, int]:
    """Times when quiet, times while importing, and how many cards were imported by the end of the measurement."""
    with tempfile.TemporaryDirectory() as folder, FaultServer() as server:
        here = Instance(Path(folder), server.port)
        from webmail.database.connection import db
        from webmail.models import Contact, Task, TaskState

        command = [sys.executable, "-m", "tests.bench.imports", "worker", folder, str(server.port)]
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            with db.connection_context():
                assert worker.stdout and worker.stdout.readline() == "ready\n"
                measured(here, server, lambda count: count < 3)  # it has begun
                quiet = measured(here, server, lambda count: count < MESSAGES)
                start_imports(here, cards)
                eventually(lambda: Contact.select().count() > 0, 120)
                running = Task.select().where(Task.state.in_([TaskState.RUNNING, TaskState.WAITING]))
                busy = measured(here, server, lambda count: count < MESSAGES and running.exists())
                done = Contact.select().count()
        finally:
            worker.kill()
            worker.wait()
    return quiet, busy, done


def measured(here: Instance, server: FaultServer, more: Callable[[int], bool]) -> Times:
    from webmail import jobs
    from webmail.compose.drafts import drafts
    from webmail.compose.drafts.fields import Fields, fields_of
    from webmail.models import now

    told = jobs.build(here.settings, here.account)
    sending: list[float] = []
    writing: list[float] = []
    while more(len(sending)):
        draft = here.draft((BOB,))
        began = time.perf_counter()
        drafts.store(draft.user, draft.id, Fields(to=BOB, subject="s", body=f"autosaved {began}"), began_from="")
        writing.append(time.perf_counter() - began)
        draft = drafts.load(draft.user, draft.id)
        assert fields_of(draft).body.startswith("autosaved")
        before = server.copies(BOB)
        began = time.perf_counter()
        sent = here.enqueue(draft)
        told.schedule(sent.id, now())
        eventually(lambda seen=before: server.copies(BOB) > seen, 60, step=0.002)
        sending.append(time.perf_counter() - began)
    return Times(sending, writing)


def start_imports(here: Instance, cards: int) -> None:
    from webmail.contacts.imports import import_task
    from webmail.models import User
    from webmail.storage import open_storage
    from webmail.tasks import store

    for name in ("ann", "ben", "cid", "dan"):
        user, _ = User.get_or_create(address=f"{name}@lycee.example", defaults={"local": name, "domain": "lycee.example"})
        task_id = store.new_id()
        text = "".join(_CARD.format(number, name, "x" * 200) for number in range(cards))
        open_storage(here.settings).put(import_task.file_name(task_id), [text.encode()])
        store.start(user, import_task.NAME, {"name": "all.vcf"}, task_id=task_id)


def work(folder: str, port: str) -> None:
    from webmail import jobs

    here = Instance(Path(folder), int(port))
    print("ready", flush=True)
    jobs.build(here.settings, here.account).work()


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        work(*sys.argv[2:])
    else:
        quiet, busy, done = run(*map(int, sys.argv[1:]))
        print("| | sending, median ms | worst | writing, median ms | worst |\n|---|---|---|---|---|")
        print(quiet.row("quiet"))
        print(busy.row(f"four imports ({len(busy.sending)} messages, {done} cards by then)"))
        print(f"sending takes {statistics.median(busy.sending) / statistics.median(quiet.sending):.1f} times as long")
