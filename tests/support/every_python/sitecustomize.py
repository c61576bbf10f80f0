"""For every Python that tests start, servers, workers and commands: hashes cost a millisecond, and no commit waits for the disk.

A browser's test signs in three times, and had a real hash made for each person who is new. Python itself imports a module of this
name, from PYTHONPATH; nothing else is imported until the program asks for it.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


def _light() -> None:
    from tests.support import light_passwords

    light_passwords.install()


def _tables() -> None:
    from tests.support import unsynced

    unsynced.tables()


def _queue() -> None:
    from tests.support import unsynced

    unsynced.queue()


_AFTER = {"webmail.auth.passwords.hashing": _light, "webmail.database.connection": _tables, "huey.storage": _queue}


class _Finder(MetaPathFinder):
    """Does something once these modules are there."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        then = _AFTER.pop(fullname, None)
        spec = importlib.util.find_spec(fullname) if then else None
        if spec is not None and spec.loader is not None and then is not None:
            spec.loader.exec_module = _followed_by(spec.loader.exec_module, then)  # type: ignore[method-assign]
        return spec


def _followed_by(run: Callable[[ModuleType], None], then: Callable[[], None]) -> Callable[[ModuleType], None]:
    def both(module: ModuleType) -> None:
        run(module)
        then()

    return both


sys.meta_path.insert(0, _Finder())
