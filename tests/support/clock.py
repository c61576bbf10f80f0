"""Tests on days that are not today: `make days`, or `make days DAYS=leap-day TESTS=tests/unit/calendar`.

Every program that the tests start has the clock of such a day, Dovecot and the web server too; it goes on from there. Debian's
libfaketime moves it, from outside. Files keep the machine's dates, so tests of their age and of what waits for PostgreSQL are not for
this. Chromium keeps the machine's clock, and its pages get the moved one from their context (browser/conftest.py).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

DAYS = {
    "leap-day": "2028-02-29T12:00",
    "clocks-forward": "2028-03-26T01:20",
    "holiday-monday": "2028-05-01T00:20",  # still Sunday in UTC
    "clocks-back": "2028-10-29T02:30",  # the first of two
    "last-of-month": "2028-11-30T21:10",
    "new-years-eve": "2028-12-31T23:40",
}  # in the establishment's time zone; all to come for some time, since a browser keeps nothing that was sent long ago
ZONE = ZoneInfo("Europe/Paris")
# what reads a clock; the rest of a level would only take longer
TESTS = [
    *(
        f"tests/unit/calendar/test_{name}.py"
        for name in ("today", "quick_entry", "quick_phrases", "periods", "daily_agenda", "dates_in_text")
    ),
    "tests/unit/calendar/test_reminder_push.py",
    "tests/unit/compose/outbox/test_send_later.py",
    "tests/unit/filters/test_absence.py",
    "tests/unit/filters/test_absence_times.py",
    "tests/unit/imap/test_search.py",
    "tests/unit/mailbox/test_search_query.py",
    "tests/unit/mailbox/test_snooze.py",
    "tests/browser/calendar/test_days.py",
]
# what names its own days, and so errs at most where this year has a day that others lack
NAMED_DAYS = {
    "leap-day": ["tests/unit/calendar/test_calendar_pages.py"],
    # an hour before midnight the event's form proposes an end on the day after
    "new-years-eve": ["tests/unit/admin/test_rooms.py", "tests/unit/calendar/test_rooms.py"],
}
_SCRIPT = """{ const real = Date, now = () => real.now() + %d;
  globalThis.Date = new Proxy(real, {
    construct: (of, all, as) => Reflect.construct(of, all.length ? all : [now()], as),
    apply: () => new Date().toString(),
    get: (of, name) => name === "now" ? now : Reflect.get(of, name),
  }); }"""
_MOVED = ("LD_PRELOAD", "FAKETIME", "DONT_FAKE_MONOTONIC", "FAKETIME_DISABLE_SHM")


def library() -> Path | None:
    """libfaketime for programs with threads, where Debian's package is installed."""
    return next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)


def moved_to(moment: datetime, faketime: Path) -> dict[str, str]:
    """The environment of programs for which it is `moment` now. A distance, since they begin one after the other."""
    return {
        "LD_PRELOAD": str(faketime),
        "FAKETIME": f"{moment.timestamp() - time.time():+.0f}",
        "DONT_FAKE_MONOTONIC": "1",  # nobody waits longer or shorter
        "FAKETIME_DISABLE_SHM": "1",  # its lock outlives the program that another replaces
    }


def is_moved() -> bool:
    return "FAKETIME" in os.environ


def real() -> dict[str, Any]:
    """This environment with the clock of the machine: for Chromium, which measures by its clock what it draws."""
    return {name: value for name, value in os.environ.items() if name not in _MOVED}


def script() -> str:
    """What moves the clock of a page as far as that of the servers."""
    return _SCRIPT % int(1000 * float(os.environ["FAKETIME"]))


def install() -> None:
    """Where the clock is moved, Dovecot's processes have it too, which it starts with an empty environment."""
    if not is_moved():
        return
    from deploy.demo import dovecot
    from deploy.demo.services import Services

    moved = {name: os.environ[name] for name in _MOVED if name in os.environ}
    prepare, start = dovecot.prepare, Services._start

    def prepare_moved(root: Path, *words: Any, **named: Any) -> None:
        prepare(root, *words, **named)
        lines = [f"  {name} = {value}\n" for name, value in moved.items()]
        with (root / "etc" / "dovecot.conf").open("a") as file:
            file.writelines(["\nimport_environment {\n", *lines, "}\n"])

    def start_moved(self: Services, name: str, command: list[str], port: int = 0) -> Any:
        words = [f"{key}={value}" for key, value in moved.items()]
        return start(self, name, ["/usr/bin/env", *words, *command] if name == "dovecot" else command, port)

    dovecot.prepare = prepare_moved
    Services._start = start_moved  # type: ignore[method-assign]


def _run(day: str, tests: list[str], faketime: Path) -> tuple[str, int, str]:
    moment = datetime.fromisoformat(DAYS.get(day, day)).replace(tzinfo=ZONE)
    command = [sys.executable, "-m", "pytest", "--no-header", "-p", "no:cacheprovider", "-rfE", *tests]
    done = subprocess.run(command, env=os.environ | moved_to(moment, faketime), capture_output=True, text=True, check=False)
    return day, done.returncode, done.stdout + done.stderr


def main(days: list[str], tests: list[str]) -> int:
    """Runs these tests, or those of dates, on each day, two days at a time; prints a line for each, and all of one that failed."""
    faketime = library()
    if faketime is None:
        print("no libfaketime: the tests of dates ran today only")
        return 1 if os.environ.get("CI") == "true" else 0
    failed = 0
    with ThreadPoolExecutor(2) as pool:
        for day, code, said in pool.map(lambda day: _run(day, tests or [*TESTS, *NAMED_DAYS.get(day, ())], faketime), days):
            lines = said.rstrip().splitlines() or [""]
            print(f"{day}: {lines[-1]}", flush=True)
            if code:
                failed += 1
                print(said, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main((os.environ.get("DAYS") or "").split() or list(DAYS), sys.argv[1:]))
