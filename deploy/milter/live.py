"""Live settings of the door: read anew when their files change, so that nobody has to restart it.

What can't be read is told in the log once, and what was read before stays in force: mail goes on, by the rules of before.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.milter import colleague, settings
from deploy.milter.owners import Owners
from deploy.milter.settings import Settings, SettingsError

log = logging.getLogger("milter")

_Signature = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """All that a session asks while it decides. `proven`: whether a whole message bears the webmail's proof."""

    settings: Settings
    owners: Owners
    proven: Callable[[bytes], bool]


class LiveRules:
    """The rules of now, for several threads. `arguments`: of the command."""

    def __init__(self, arguments: list[str]) -> None:
        """Raises SettingsError, OSError and ValueError."""
        self._arguments, self._lock = arguments, threading.Lock()
        self._files = settings.files(arguments)
        self._seen = self._signature()  # before they are read: a change meanwhile is seen by the next session
        self._rules = self._read()

    def now(self) -> Rules:
        """As the files are; those of before while they can't be read."""
        with self._lock:
            signature = self._signature()
            if signature != self._seen:
                self._seen = signature
                try:
                    self._rules = self._read()
                    log.info("the settings were read anew")
                except (SettingsError, OSError, ValueError) as error:
                    log.error("the settings of before stay in force: %s", error)
            return self._rules

    def _read(self) -> Rules:
        found = settings.read(self._arguments)
        return Rules(found, Owners(found.senders), colleague.verifier(found.secret))

    def _signature(self) -> _Signature:
        return tuple(_of_file(file) for file in self._files)


def _of_file(file: Path) -> tuple[int, int, int]:
    """Changes with the file; zeros where there is none."""
    try:
        found = file.stat()
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_ctime_ns, found.st_size  # of the inode: so it sees that a file may be read now, too
