"""Fixes: what the doctor may mend by itself, since it takes nothing away: who may read files, folders that are missing, what an
update left to do. All else it only tells.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import peewee as pw
from playhouse.migrations import Runner

from webmail import translations
from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.database.migrate import MIGRATIONS
from webmail.doctor import machine

_PATIENCE = 300.0  # seconds


@dataclass(frozen=True, slots=True)
class Fix:
    """`words`: what would be done, beginning with a verb. `do` raises OSError, or pw.DatabaseError."""

    words: str
    do: Callable[[], None]


def found(settings: Settings) -> Iterator[Fix]:
    """What there is to mend, in the order in which it is done. Looks only."""
    yield from _folders(settings)
    yield from _modes(settings)
    yield from _commands()


def _folders(settings: Settings) -> Iterator[Fix]:
    place = Path(settings.uploads_folder)
    if not place.exists() and place.parent.is_dir():
        yield Fix(f"make the folder {place}, for its owner and group alone", lambda place=place: place.mkdir(mode=0o770))  # type: ignore[misc]


def _modes(settings: Settings) -> Iterator[Fix]:
    """Files that others may read or write, and should not."""
    for file, mode in machine.exposed_files(settings):
        yield Fix(f"chmod {mode:o} {file}", lambda file=file, mode=mode: file.chmod(mode))  # type: ignore[misc]


def _commands() -> Iterator[Fix]:
    """What an update does, and somebody forgot."""
    here = Path(__file__).resolve().parents[2]
    try:
        with db.connection_context():
            pending = [one.name for one in Runner(db.obj, str(MIGRATIONS)).status() if not one.applied]
    except (*DATABASE_AWAY, pw.DatabaseError):
        pending = []
    if pending:
        yield Fix(
            f"bring the database up to date ({len(pending)} migrations)", lambda: _run(here, "flask", "--app", "wsgi", "migrate")
        )
    if translations.to_build():
        yield Fix("build what pages say in French", lambda: _run(here, "webmail.translations"))


def _run(folder: Path, *module: str) -> None:
    """A Python module in a process of its own. Raises OSError."""
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", *module], cwd=folder, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"it took longer than {_PATIENCE:.0f} s") from error
    if done.returncode:
        raise OSError(((done.stderr or done.stdout).strip().splitlines() or ["it failed"])[-1])
