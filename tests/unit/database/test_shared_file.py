"""The SQLite file that Dovecot and Postfix open too: by processes of other users, as on a mail server."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from webmail.database import shared_file
from webmail.database.connection import DATABASE_AWAY, advice, db, open_database
from webmail.models import User

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be other users")
TRABOULE, POSTFIX = 12345, 12346  # each with a group of that number; Postfix is in Traboule's too


@pytest.fixture
def file() -> Iterator[Path]:
    """A database of Traboule's in a folder that its group may write to."""
    with tempfile.TemporaryDirectory(prefix="traboule-shared-") as place:
        Path(place).chmod(0o755)
        folder = Path(place) / "db"
        folder.mkdir()
        os.chown(folder, TRABOULE, TRABOULE)
        folder.chmod(0o770)
        open_database(f"sqlite:///{folder}/traboule.sqlite")
        User.create_table(safe=True)
        db.obj.close()
        (folder / "traboule.sqlite").chmod(0o660)
        yield folder / "traboule.sqlite"


@contextmanager
def being(user: int, groups: list[int]) -> Iterator[None]:
    before = os.getgroups()
    os.setgroups(groups)
    os.setegid(user)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)


def traboule(file: Path) -> str:
    """Start and end Traboule; returns what its log says if the database can't be used."""
    with being(TRABOULE, []):
        open_database(f"sqlite:///{file}")
        try:
            User.create(address=f"{User.select().count()}@lycee.example", local="a", domain="lycee.example")
        except DATABASE_AWAY as error:
            return advice(error)
        finally:
            db.obj.close()
    return ""


@contextmanager
def postfix(file: Path) -> Iterator[None]:
    """Postfix's proxymap has read the table. At the end it goes without closing the database."""
    reads, writes = os.pipe()
    with being(POSTFIX, [TRABOULE]):
        if not (child := os.fork()):
            try:
                kept = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
                kept.execute("SELECT address FROM accounts").fetchall()
                os.write(writes, b"open")
                signal.pause()
            finally:
                os._exit(1)
    os.close(writes)
    try:
        assert os.read(reads, 10) == b"open"
        yield
    finally:
        os.close(reads)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def as_before(file: Path) -> None:
    """The folder does not pass its group on, and Postfix was there first."""
    file.parent.chmod(0o770)
    with postfix(file):
        assert file.with_name("traboule.sqlite-wal").stat().st_gid == POSTFIX


def test_who_opens_it_first_shuts_nobody_out(file):
    """Traboule has set the folder right at its start; then Postfix is there while Traboule is not."""
    assert traboule(file) == ""
    assert file.parent.stat().st_mode & 0o7777 == 0o2770
    with postfix(file):
        assert traboule(file) == ""
    with postfix(file):
        pass
    left = file.with_name("traboule.sqlite-wal").stat()
    assert (left.st_uid, left.st_gid, left.st_mode & 0o777) == (POSTFIX, TRABOULE, 0o660)
    assert traboule(file) == ""


def test_what_postfix_left_empty_is_removed_at_the_start(file):
    as_before(file)
    assert traboule(file) == ""
    assert file.parent.stat().st_mode & 0o7777 == 0o2770


def test_while_postfix_has_it_open_nothing_is_removed_and_the_words_are_right(file):
    file.parent.chmod(0o770)
    with postfix(file):
        told = traboule(file)
        mine = f"{file}-wal belongs to {POSTFIX}:{POSTFIX} (-rw-rw----), so this user can’t write to it"
        assert told.startswith(
            f"can’t be used: {mine}: as root, `chown {TRABOULE}:{TRABOULE} {file} {file}-wal {file}-shm && chmod "
        )
        assert "backup" not in told
        assert file.with_name("traboule.sqlite-wal").exists()
        subprocess.run(told.split("`")[1], shell=True, check=True)
        assert traboule(file) == "", "while Postfix has it open"


def test_what_is_in_a_log_is_never_removed(file):
    as_before(file)
    log = file.with_name("traboule.sqlite-wal")
    log.write_bytes(b"something of somebody's")
    assert "belongs to" in traboule(file)
    assert log.read_bytes() == b"something of somebody's"


def test_a_command_of_root_gives_the_files_to_their_owner(file):
    as_before(file)
    shared_file.prepare(file)
    assert {one.stat().st_gid for one in file.parent.glob("traboule.sqlite*")} == {TRABOULE}
    assert file.parent.stat().st_mode & 0o7777 == 0o2770
    assert traboule(file) == ""


def test_a_link_beside_it_leads_root_nowhere(file, tmp_path):
    (tmp_path / "shadow").write_text("root's")
    file.with_name("traboule.sqlite-wal").symlink_to(tmp_path / "shadow")
    shared_file.prepare(file)
    assert (tmp_path / "shadow").stat().st_uid == 0


def test_a_database_made_with_a_narrow_umask_is_opened_to_the_group(file):
    """As by a command typed without the umask of the services."""
    file.chmod(0o644)
    assert traboule(file) == ""
    assert file.stat().st_mode & 0o777 == 0o664


def test_a_folder_of_nobody_else_stays_closed(tmp_path):
    file = tmp_path / "own" / "traboule.sqlite"
    file.parent.mkdir(mode=0o700)
    open_database(f"sqlite:///{file}")
    try:
        assert not User.table_exists()
        assert (file.parent.stat().st_mode & 0o7777, file.stat().st_mode & 0o777) == (0o700, 0o600)
        assert shared_file.shut_out(file) == shared_file.may_shut_out(file) == ""
    finally:
        db.obj.close()


def test_other_trouble_has_its_own_words(file):
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert "no space left" in advice(error)
