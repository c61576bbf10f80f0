"""libical, which is what GNOME, KDE and others expand rules with, in a process of its own: Debian's Python has it (gir1.2-ical-3.0).

`python3 tests/support/libical.py` reads lines of JSON, [DTSTART, RRULE, how many at most, until when], and answers each with
a line: when the rule applies, by the clock, or a word that says why not.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PYTHON = Path("/usr/bin/python3")
FORM = "%Y%m%dT%H%M%S"


class NotHere(RuntimeError):
    """Not installed."""


class Libical(AbstractContextManager["Libical"]):
    """The process, for as long as it is needed. Raises NotHere."""

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None:
        self._end()

    def expand(self, start: datetime, rule: str, most: int, before: datetime) -> list[datetime] | str:
        """When a rule applies, by the clock, at most so often and before a moment; a word if it is refused."""
        told = self._ask(json.dumps([f"{start:{FORM}}", rule, most, f"{before:{FORM}}"]))
        if told is None:  # some rules end it
            self._end()
            self._start()
            return "it ended"
        return told if isinstance(told, str) else [datetime.strptime(one, FORM) for one in told]

    def _start(self) -> None:
        if not PYTHON.exists():
            raise NotHere("libical: no Python of Debian here")
        self._process = subprocess.Popen(
            [str(PYTHON), "-I", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        if (told := self._ask("")) != "ready":
            self._end()
            raise NotHere(f"libical: {told} (apt-get install gir1.2-ical-3.0)")

    def _ask(self, line: str) -> Any:
        """What it answers to a line; None if it has ended."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(line + "\n")
        answer = self._process.stdout.readline()
        return json.loads(answer) if answer else None

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()


def _expanded(library: Any, start: str, rule: str, most: int, before: str) -> list[str] | str:
    try:
        steps = library.RecurIterator.new(library.Recurrence.new_from_string(rule), library.Time.new_from_string(start))
    except TypeError:  # it gives nothing where it can't read or follow a rule
        return "refused"
    found: list[str] = []
    while len(found) < most:
        at = steps.next()
        if at is None or at.is_null_time() or (text := at.as_ical_string()) >= before:
            break
        found.append(text)
    return found


def _serve() -> None:
    sys.stdin.readline()
    try:
        importlib.import_module("gi").require_version("ICalGLib", "3.0")
        library = importlib.import_module("gi.repository.ICalGLib")
    except (ImportError, ValueError) as error:
        print(json.dumps(str(error)), flush=True)
        return
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(_expanded(library, *json.loads(line))), flush=True)


if __name__ == "__main__":
    _serve()
