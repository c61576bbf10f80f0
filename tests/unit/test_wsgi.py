"""The process that a WSGI server starts: what it keeps in memory before anybody has asked for a page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LOOK = "import gc, sys, wsgi; print(gc.get_freeze_count() > len(gc.get_objects()), *sorted({'%s'} & set(sys.modules)))"
HEAVY = ("icalendar", "obstore", "pysequoia", "recurring_ical_events", "vobject", "webauthn", "zxcvbn")  # 3 to 15 MiB each


def test_what_few_pages_need_is_not_there_yet_and_the_rest_is_out_of_the_collectors_way(tmp_path: Path) -> None:
    settings = {"WEBMAIL_INSTANCE": str(tmp_path), "WEBMAIL_SECRET_KEY": "x" * 48}
    look = LOOK % "', '".join(HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", look], env={**os.environ, **settings}, cwd=CHECKOUT, capture_output=True, text=True
    )
    assert done.stdout.split() == ["True"], done.stderr
