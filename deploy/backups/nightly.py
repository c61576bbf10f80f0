"""Nightly: a backup of everything, and once a week a sample of it brought back and compared."""

from __future__ import annotations

import hashlib
import random
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from deploy.backups import asked, contents, mail_copy, places
from deploy.backups.repository import Repository, Snapshot
from deploy.installer.changes import Changes, InstallError
from deploy.installer.job import CODE, MAIL

TAG = "traboule"
_SAMPLE = 25  # messages that are brought back and compared


def make(repository: Repository, changes: Changes, on_postgresql: bool) -> Snapshot:
    """A backup, now. Raises InstallError; the doctor is told only of one that was made."""
    repository.ready()
    places.dump(changes, on_postgresql)
    copied = Path(places.MAIL_COPY)
    try:
        mail_copy.copy(Path(MAIL), copied)
        counted = contents.of(contents.rows_of_copy(Path(places.DUMP), on_postgresql), copied)
        Path(places.MANIFEST).write_text(counted.as_text())
        wanted = (*places.FIRST, *places.THEN, *places.ALSO, places.MAIL_COPY)
        paths = [path for path in wanted if changes.path(path).exists()]
        made = repository.add(paths, list(places.LEFT_OUT), TAG)
    finally:
        shutil.rmtree(copied, ignore_errors=True)
        Path(places.DUMP).unlink(missing_ok=True)
    changes.run(f"{CODE}/deploy/flask", "backup", "--made-elsewhere", folder=CODE)
    repository.forget()
    asked.tell_nights(repository, changes)
    return made


def verify(repository: Repository, on_postgresql: bool) -> str:
    """Bring back the database and some messages of the last backup, and compare them; what was well. Raises InstallError."""
    repository.check("3%")
    last = repository.snapshots()[-1]
    with tempfile.TemporaryDirectory(prefix="traboule-verify-", dir="/var/tmp") as folder:
        place = Path(folder)
        repository.one_file(last.id, places.DUMP, place / "database")
        repository.one_file(last.id, places.MANIFEST, place / "manifest")
        counted = contents.read(place / "manifest").rows
        if contents.rows_of_copy(place / "database", on_postgresql) != counted:
            raise InstallError(f"The database of the backup {last.id} has other rows than were counted when it was made.")
        if not on_postgresql:
            with closing(sqlite3.connect(place / "database")) as database:
                if (said := database.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                    raise InstallError(f"The database of the backup {last.id} is broken: {said}")
        compared = _compare_messages(repository, last, place)
    rows = sum(counted.values())
    return f"the backup of {last.time} ({last.id}): the database is whole ({rows} rows), {compared} messages are as they are here"


def _compare_messages(repository: Repository, snapshot: Snapshot, place: Path) -> int:
    """Messages that are still here, byte for byte; how many were compared."""
    here = places.messages(Path(MAIL))
    compared = 0
    for message in random.sample(here, min(_SAMPLE, len(here))):
        kept = str(message).replace(MAIL, places.MAIL_COPY, 1)
        try:
            repository.one_file(snapshot.id, kept, place / "message")
        except InstallError:
            continue  # it came later, or its flags were other ones
        if _digest(place / "message") != _digest(message):
            raise InstallError(f"{kept} is another one in the backup {snapshot.id} than here.")
        compared += 1
    return compared


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
