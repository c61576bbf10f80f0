"""The process that a WSGI server starts: what it keeps in memory before anybody has asked for a page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LOOK = "import gc, sys, wsgi; print(gc.get_freeze_count() > len(gc.get_objects()), gc.isenabled(), *sorted({'%s'} & set(sys.modules)))"
HEAVY = ("icalendar", "obstore", "pysequoia", "recurring_ical_events", "vobject", "webauthn", "zxcvbn")  # 3 to 15 MiB each


MODULES = 1460  # of `import wsgi`; where there are fewer, the number is to follow
MARGIN = 1.05
MEMORY = 73  # MiB of its own, after the migrations of a new database
ROUGHLY = 1.1  # machines and their libraries differ
COUNT = """
import wsgi, sys
from pathlib import Path
sizes = dict(line.split()[:2] for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:])
print(len(sys.modules), int(sizes["Private_Dirty:"]) / 1024)
"""


def test_a_process_begins_with_what_the_first_pages_need(tmp_path: Path) -> None:
    """Commands, what the worker does and the driver of PostgreSQL come when they are asked for."""
    settings = {"WEBMAIL_INSTANCE": str(tmp_path), "WEBMAIL_SECRET_KEY": "x" * 48}
    command = [sys.executable, "-c", COUNT]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(CHECKOUT), **settings}, cwd=CHECKOUT, capture_output=True, text=True
    )
    modules, memory = done.stdout.split()
    assert int(modules) <= MODULES * MARGIN and float(memory) <= MEMORY * ROUGHLY, (modules, memory, done.stderr)


def test_what_few_pages_need_is_not_there_yet_and_the_rest_is_out_of_the_collectors_way(tmp_path: Path) -> None:
    settings = {"WEBMAIL_INSTANCE": str(tmp_path), "WEBMAIL_SECRET_KEY": "x" * 48}
    look = LOOK % "', '".join(HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", look],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), **settings},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["True", "True"], done.stderr
