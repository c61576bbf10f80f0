"""A page killed with SIGKILL while it puts a large message into the outbox, and the person who then presses "Send" again.

What `faults.py` prints beside its own table. Until the row is there nothing was promised and the draft has it all; from then on
the second click finds it. What is left of files that no row names goes with the sweep.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench import faults
from tests.bench.faults import Outcome, Tally
from webmail.storage.local import MARK

LARGE = 3_000_000
MOMENTS = {
    "as the file is begun": ("webmail.compose.drafts.draft_message", "pieces"),
    "as the file is written": ("webmail.mime.builder", "_attach"),
    "before the disk has the file": ("os", "fsync"),
    "before the disk has its name": ("webmail.storage.local", "_sync"),
    "after the file, before the row": ("webmail.compose.outbox.recipient_limits", "check"),
    "after the row, before it is answered": ("webmail.compose.outbox.queue", "enqueue"),
}


def tallies() -> Iterator[Tally]:
    for name, (module, function) in MOMENTS.items():
        tally = Tally(f"page killed -9 {name}, then Send again")
        tally.add(killed(name, module, function))
        yield tally


def killed(name: str, module: str, function: str) -> Outcome:
    """A process dies there with the draft's message; another one sends it. Raises where files stay behind."""
    from webmail.compose.outbox import spool

    with faults.instance("ok") as (here, server):
        row = here.draft(size=LARGE)
        command = [sys.executable, "-m", "tests.bench.pages_killed", str(here.folder), str(here.port), row.id, module, function]
        died = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert died.returncode == -signal.SIGKILL, died.stderr
        sent = here.enqueue(row)
        for _ in range(faults.TURNS):
            here.turn(sent.id)
        for file in _spooled(here):
            os.utime(file, (time.time() - 7200,) * 2)
        spool.sweep(here.settings)
        left = len(_spooled(here))
        assert left == 1, f"{name}: {left} files for one message whose copy is still to be made"
        return here.outcome(name, sent.id, server)


def _spooled(here: faults.Instance) -> list[Path]:
    """Files of messages, those half written too."""
    found = Path(here.settings.uploads_folder).iterdir()
    return [file for file in found if file.is_file() and file.name != MARK]


def page(folder: str, port: str, draft_id: str, module: str, function: str) -> None:
    """The process that is killed: where the function would begin, or, for the whole of `enqueue`, after it."""
    from webmail.database.connection import db
    from webmail.models import DraftRow

    here = faults.Instance(Path(folder), int(port))
    with db.connection_context():
        row = DraftRow.get(DraftRow.id == draft_id)
        if function != "enqueue":
            target = importlib.import_module(module)
            assert hasattr(target, function), f"{module} has no {function} any more"
            setattr(target, function, lambda *_args, **_named: os.kill(os.getpid(), signal.SIGKILL))
        here.enqueue(row)
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    page(*sys.argv[1:])
