"""What becomes of a message when the submission server misbehaves or the worker is killed: lost, delivered, or twice?

As a command, `python -m tests.bench.faults`, this module sends messages through each fault of `fault_server.py` and prints a
table; `sending.py` adds what needs the real servers.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.bench.fault_server import FaultServer

TOKENS = ("AUTH OAUTHBEARER", "8BITMIME", "SMTPUTF8")  # what a server offers that takes our tokens
BOB, CARL, DORA = "bob@lycee.example", "carl@lycee.example", "dora@lycee.example"
TIMES = 6  # through each fault, every second one with a large message
SIZES = (5_000, 400_000)  # bytes: a large message is a file beside its row (compose/outbox/spool.py)
UNBUFFERED = 12_000_000  # bytes, more than what the network holds in between: the sender has to wait in mid-content
TURNS = 3  # times that the worker comes back, its waits jumped over
SCENARIOS: list[tuple[str, tuple[str, ...]]] = [
    ("no fault", ("ok",)),
    ("421 at connect, then well", ("421@connect", "ok")),
    ("450 at MAIL, then well", ("450@mail", "ok")),
    ("451 at RCPT, then well", ("451@rcpt", "ok")),
    ("452 at DATA, then well", ("452@data", "ok")),
    ("451 at the dot, then well", ("451@dot", "ok")),
    ("454 at AUTH, then well", ("454@auth", "ok")),
    ("535 at AUTH", ("535@auth",)),
    ("550 at RCPT, all", ("550@rcpt",)),
    ("552 at the dot", ("552@dot",)),
    ("554 at the dot", ("554@dot",)),
    ("every second recipient 550", ("mix@rcpt", "ok")),
    ("every second recipient 450, then well", ("mix4@rcpt", "ok")),
    ("every second recipient 450, always", ("mix4@rcpt", "450@rcpt")),
    ("hangs at connect, then well", ("hang@connect", "ok")),
    ("hangs at DATA, then well", ("hang@data", "ok")),
    ("hangs at the dot, not kept", ("hang@dot", "ok")),
    ("hangs at the dot, kept", ("hang@answer", "ok")),
    ("drops in mid-content, then well", ("drop@content", "ok")),
    ("drops at the dot, not kept", ("drop@dot", "ok")),
    ("drops at the dot, kept", ("drop@answer", "ok")),
]
KILLS = ("connect", "auth", "mail", "rcpt", "data", "content", "dot", "answer")
CRASHES = {
    "just before the final dot, noted": ("webmail.smtp", "_final_dot"),
    "after the 250, before it is noted": ("webmail.compose.outbox.delivery", "_accepted"),
    "after SENT, before filing": ("webmail.compose.outbox.filing", "_copy_to_sent"),
}


@dataclass(frozen=True)
class Outcome:
    """`copies` by recipient, as the server has them; `kept`: the text is still there for the person to send."""

    name: str
    state: str
    copies: dict[str, int]
    refused: list[str]
    kept: bool

    @property
    def lost(self) -> bool:
        """Somebody was promised a copy, or the writer his text, and it is nowhere."""
        missing = [r for r, count in self.copies.items() if not count and r not in self.refused]
        return bool(missing) and (self.state == "sent" or not self.kept)

    @property
    def twice(self) -> bool:
        return any(count > 1 for count in self.copies.values())

    @property
    def told(self) -> str:
        """What the outbox tells the person."""
        words = {"failed": "not sent, text kept", "uncertain": "may have been sent", "waiting": "tried again", "sent": "sent"}
        return words.get(self.state, self.state) + (f", {len(self.refused)} named" if self.refused else "")

    @property
    def honest(self) -> bool:
        """Whether that is so."""
        reached = {recipient for recipient, count in self.copies.items() if count}
        if self.state == "sent":
            return set(self.copies) <= reached | set(self.refused)
        if self.state == "failed":
            return not reached and self.kept
        return self.kept if self.state in ("uncertain", "waiting") else False


class Tally:
    """The outcomes of one fault, several times."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.outcomes: list[Outcome] = []
        self.in_sent: list[int] = []
        self._began = time.monotonic()

    def add(self, outcome: Outcome, in_sent: int | None = None) -> None:
        """`in_sent`: copies in the Sent mailbox, where there is one."""
        self.outcomes.append(outcome)
        if in_sent is not None:
            self.in_sent.append(in_sent)
        self.seconds = time.monotonic() - self._began

    @property
    def bad(self) -> int:
        filed_twice = sum(count > 1 for count in self.in_sent)
        return filed_twice + sum(o.lost or o.twice or not o.honest for o in self.outcomes)

    def row(self) -> str:
        """A line of the table, Markdown."""
        found = self.outcomes
        told = " / ".join(f"{words} ({n})" for words, n in Counter(o.told for o in found).items())
        numbers = [sum(o.lost for o in found), sum(o.twice for o in found), max(max(o.copies.values()) for o in found)]
        numbers.append(sum(not o.honest for o in found))
        filed = f"{min(self.in_sent)}-{max(self.in_sent)}" if self.in_sent else ""
        filed = filed.split("-")[0] if len(set(self.in_sent)) == 1 else filed
        cells = [self.name, str(len(found)), *map(str, numbers), filed, told, f"{self.seconds:.1f}"]
        return "| " + " | ".join(cells) + " |"


class Instance:
    """An instance of its own in `folder`, whose submission server is `server`. Nothing answers for IMAP."""

    def __init__(self, folder: Path, port: int, patience: float = 1.0) -> None:
        """`patience`: how many seconds a server may be silent."""
        from webmail import smtp
        from webmail.config import settings
        from webmail.database.connection import open_database
        from webmail.database.migrate import migrate

        smtp.FINAL_ANSWER_SECONDS = patience
        self.folder, self.port = folder, port
        self.settings = settings.load(
            folder, smtp_port=port, smtp_security="none", imap_port=1, imap_security="none", undo_seconds=0,
            server_timeout=patience,
        )  # fmt: skip
        open_database(self.settings.database_url)
        migrate()

    def account(self, _row: object = None):
        return self.settings.account("alice@lycee.example", password="demo")

    def draft(self, recipients: tuple[str, ...] = (BOB, CARL, DORA), size: int = 5_000):
        from webmail.compose.attachments import attachments
        from webmail.compose.drafts import drafts
        from webmail.compose.drafts.fields import Fields
        from webmail.models import User

        address = "alice@lycee.example"
        user, _ = User.get_or_create(address=address, defaults={"local": "alice", "domain": "lycee.example", "name": "Alice"})
        body = "Hello\n" * (min(size, 60_000) // 6)
        row = drafts.new(user, Fields(to=", ".join(recipients), subject="faults", body=body))
        if size > len(body) + 6:
            attachments.add(row, [os.urandom(size * 3 // 4)], "large.bin", "application/octet-stream", self.settings)
        return row

    def identity(self):
        from webmail.mail import Identity

        return Identity("Alice", "alice@lycee.example")

    def enqueue(self, row, credential=None, **options):
        from webmail.compose.drafts import draft_message
        from webmail.compose.outbox import queue

        return queue.enqueue(
            row, draft_message.as_draft(row, self.identity(), self.settings), self.settings, credential, **options
        )

    def turn(self, outbox_id: int) -> None:
        """What the worker does when it comes by, long after the row's due time and lease."""
        from webmail.compose.outbox import delivery
        from webmail.models import Outbox, now

        past = now() - timedelta(days=365)
        Outbox.update(due=past).where(Outbox.id == outbox_id).execute()
        Outbox.update(lease=past).where((Outbox.id == outbox_id) & Outbox.lease.is_null(False)).execute()
        delivery.recover()
        delivery.deliver(outbox_id, self.settings, self.account)

    def outcome(self, name: str, outbox_id: int, server: FaultServer) -> Outcome:
        from webmail.models import DraftRow, Outbox

        row = Outbox.get(Outbox.id == outbox_id)
        everyone = (BOB, CARL, DORA)
        kept = DraftRow.select().where(DraftRow.id == row.draft).exists() or bool(row.content)
        return Outcome(name, str(row.state), {r: server.copies(r) for r in everyone}, list(json.loads(row.refused)), kept)


@contextlib.contextmanager
def instance(*faults: str) -> Iterator[tuple[Instance, FaultServer]]:
    from webmail.database.connection import db

    with tempfile.TemporaryDirectory() as folder, FaultServer(*faults) as server:
        here = Instance(Path(folder), server.port)
        with db.connection_context():
            yield here, server


def through(name: str, faults: tuple[str, ...], size: int = SIZES[0]) -> Outcome:
    with instance(*faults) as (here, server):
        sent = here.enqueue(here.draft(size=_reaching(faults[0], size)))
        for _ in range(TURNS):
            here.turn(sent.id)
        return here.outcome(name, sent.id, server)


def _reaching(fault: str, size: int) -> int:
    """The size of a message for this fault: in mid-content there has to be more to come, else its final dot is on the way."""
    return UNBUFFERED if "content" in fault else size


def killed(name: str, fault: str = "ok", crash: tuple[str, str] = ("", ""), size: int = SIZES[0]) -> Outcome:
    """A worker killed with SIGKILL, where the server keeps it waiting or where a function would begin; then another one."""
    with instance(fault, "ok") as (here, server):
        sent = here.enqueue(here.draft(size=_reaching(fault, size)))
        command = [sys.executable, "-m", "tests.bench.faults", "worker", str(here.folder), str(here.port), str(sent.id), *crash]
        worker = subprocess.Popen(command)
        if fault != "ok":
            assert server.reached.wait(60), f"the worker never got to {fault}"
            worker.send_signal(signal.SIGKILL)
        assert worker.wait(60) == -signal.SIGKILL, "the worker ended by itself"
        for _ in range(TURNS):
            here.turn(sent.id)
        return here.outcome(name, sent.id, server)


def clicks(count: int = 20, workers: int = 4, size: int = SIZES[0]) -> Outcome:
    """As many clicks on "Send" at the same moment, and several workers after the same row."""
    from webmail.compose.outbox import delivery
    from webmail.database.connection import db

    with instance("ok") as (here, server):
        row = here.draft(size=size)
        ids: list[int] = []
        start = threading.Barrier(count)

        def click() -> None:
            with db.connection_context():
                start.wait()
                ids.append(here.enqueue(row).id)

        def deliver() -> None:
            with db.connection_context():
                delivery.deliver(ids[0], here.settings, here.account)

        for job, times in ((click, count), (deliver, workers)):
            threads = [threading.Thread(target=job) for _ in range(times)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(ids) == count
        assert len(set(ids)) == 1
        return here.outcome(f"{count} clicks, {workers} workers", ids[0], server)


def worker(folder: str, port: str, outbox_id: str, module: str = "", function: str = "") -> None:
    """The process that gets killed; by itself where `function` would begin."""
    import importlib

    from webmail.compose.outbox import delivery
    from webmail.database.connection import db

    here = Instance(Path(folder), int(port), patience=60.0)  # it is to be killed, not to give up by itself
    if module:
        setattr(importlib.import_module(module), function, lambda *_args: os.kill(os.getpid(), signal.SIGKILL))
    with db.connection_context():
        delivery.deliver(int(outbox_id), here.settings, here.account)


def tallies() -> Iterator[Tally]:
    from tests.bench import pages_killed, sending

    for name, faults in SCENARIOS:
        tally = Tally(name)
        for number in range(TIMES):
            tally.add(through(name, faults, SIZES[number % 2]))
        yield tally
    for stage in KILLS:
        tally = Tally(f"killed -9 while the server is at {stage}")
        for size in SIZES:
            tally.add(killed(tally.name, f"hang@{stage}", size=size))
        yield tally
    for name, crash in CRASHES.items():
        tally = Tally(f"killed -9 {name}")
        for size in SIZES:
            tally.add(killed(name, crash=crash, size=size))
        yield tally
    tally = Tally("20 clicks in one moment, 4 workers")
    for size in SIZES:
        tally.add(clicks(size=size))
    yield tally
    yield from pages_killed.tallies()
    yield from sending.tallies()


def main() -> int:
    bad = total = 0
    began = time.monotonic()
    print("| fault | times | lost | twice | most copies | told wrongly | copies in Sent | what the person is told | s |")
    print("| --- | --: | --: | --: | --: | --: | --: | --- | --: |")
    for tally in tallies():
        print(tally.row(), flush=True)
        bad, total = bad + tally.bad, total + len(tally.outcomes)
    print(f"\n{total} messages in {time.monotonic() - began:.0f} s; lost, delivered or filed twice, or told wrongly: {bad}")
    return 1 if bad else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        worker(*sys.argv[2:])
    else:
        import logging

        logging.disable(logging.WARNING)
        sys.exit(main())
