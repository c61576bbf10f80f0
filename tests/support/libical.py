"""libical, which is what GNOME, KDE and others read calendars with, in a process of its own: Debian's Python has it (gir1.2-ical-3.0).

`python3 tests/support/libical.py` reads lines of JSON, the name of a question and what it is about, and answers each with a line.
`rule` [DTSTART, RRULE, how many at most, until when]: when the rule applies, by the clock, or a word that says why not. `faults`
[text]: what breaks the rules of a method (RFC 5546, 3). `moments` [text]: when its events take place, seconds since 1970.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
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
        told = self._ask(json.dumps(["rule", f"{start:{FORM}}", rule, most, f"{before:{FORM}}"]))
        if told is None:  # some rules end it
            self._end()
            self._start()
            return "it ended"
        return told if isinstance(told, str) else [datetime.strptime(one, FORM) for one in told]

    def faults(self, text: str) -> list[str]:
        """What breaks the rules of a method in a message: none is right. RFC 5546, 3."""
        return list(self._ask(json.dumps(["faults", text])))

    def moments(self, text: str) -> list[int]:
        """When what is not cancelled takes place until 2040, seconds since 1970."""
        return list(self._ask(json.dumps(["moments", text])))

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


def _faults(library: Any, text: str) -> list[str]:
    calendar = library.Component.new_from_string(text)
    if calendar is None:
        return ["it can't be read"]
    library.restriction_check(calendar)
    unfolded = calendar.as_ical_string().replace("\r\n ", "")
    return [line.partition(":")[2] for line in unfolded.splitlines() if line.startswith("X-LIC-ERROR")]


def _moments(library: Any, text: str) -> list[int]:
    calendar = library.Component.new_from_string(text)
    kind = library.ComponentKind.VEVENT_COMPONENT
    events, event = [], calendar.get_first_component(kind)
    while event is not None:
        events.append(event)
        event = calendar.get_next_component(kind)
    from_, until = (library.Time.new_from_string(at) for at in ("20000101T000000Z", "20400101T000000Z"))
    replaced, found = set(), []
    for event in events:
        times = _expanded_moments(event, from_, until)
        original = event.get_recurrenceid()
        if original is None or original.is_null_time():
            found += [(at, True, event) for at in times]
        else:
            zone = calendar.get_timezone(
                event.get_first_property(library.PropertyKind.RECURRENCEID_PROPERTY)
                .get_first_parameter(library.ParameterKind.TZID_PARAMETER)
                .get_tzid()
            )
            replaced.add(original.as_timet_with_zone(zone))
            found += [(at, False, event) for at in times]
    return sorted(
        at for at, is_master, event in found if not (is_master and at in replaced) and not _is_cancelled(library, event)
    )


def _expanded_moments(event: Any, from_: Any, until: Any) -> list[int]:
    found: list[int] = []
    event.foreach_recurrence(from_, until, lambda _event, span, *_more: found.append(span.get_start()), None)
    return found


def _is_cancelled(library: Any, event: Any) -> bool:
    status = event.get_first_property(library.PropertyKind.STATUS_PROPERTY)
    return status is not None and status.get_value_as_string() == "CANCELLED"


_QUESTIONS: dict[str, Callable[..., Any]] = {"rule": _expanded, "faults": _faults, "moments": _moments}


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
        question, *about = json.loads(line)
        print(json.dumps(_QUESTIONS[question](library, *about)), flush=True)


if __name__ == "__main__":
    _serve()
