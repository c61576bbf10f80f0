"""What is counted in a backup is found again, and whatever differs is told."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from deploy.backups import contents, mail_copy, places
from deploy.installer.changes import Changes, InstallError
from deploy.installer.job import DATA, ETC
from deploy.installer.steps import dovecot, postfix, settings_file
from tests.unit.deploy.test_mail_copy import maildir
from tests.unit.test_table_owners import tables


def database(file: Path, **tables: int) -> Path:
    with closing(sqlite3.connect(file)) as made:
        for name, rows in tables.items():
            made.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY)")
            made.executemany(f"INSERT INTO {name} VALUES (?)", [(number,) for number in range(rows)])
        made.commit()
    return file


def test_what_people_know_is_in_tables_that_are_there():
    """A name that no table has would count nothing, and nobody would see it."""
    named = {table for held in contents._CALLED.values() for table in held}
    assert not named - tables().keys()


def test_rows_of_every_table_are_counted(tmp_path):
    copy = database(tmp_path / "copy", accounts=2, contacts=3, some_later_table=1)
    assert contents.rows_of_copy(copy, on_postgresql=False) == {"accounts": 2, "contacts": 3, "some_later_table": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["copy"], "nothing is made beside a copy"


def test_a_broken_copy_is_no_copy(tmp_path):
    (tmp_path / "copy").write_bytes(b"no database" * 500)
    with pytest.raises(InstallError, match="can't be read"):
        contents.rows_of_copy(tmp_path / "copy", on_postgresql=False)
    with pytest.raises(InstallError, match="broken"):
        contents.rows_of_copy(tmp_path / "copy", on_postgresql=True)


def test_mail_is_the_same_in_its_copy(tmp_path):
    home = maildir(tmp_path / "mail", "1.a:2,S", "2.b:2,")
    (home.parent / "sieve").mkdir()
    (home.parent / "sieve/holidays.sieve").write_text("keep;")
    os.utime(home / "cur/1.a:2,S", (1_000_000_000, 1_000_000_000))
    mail_copy.copy(tmp_path / "mail", tmp_path / "mail/.backup")
    here, copied = contents.of({}, tmp_path / "mail"), contents.of({}, tmp_path / "mail/.backup")
    assert here == copied and (here.messages, here.filters) == (2, 1)
    assert not contents.differences(here, copied)


@pytest.mark.parametrize("change", ["flag", "date", "size", "gone"])
def test_each_change_of_mail_is_seen(tmp_path, change):
    home = maildir(tmp_path / "mail", "1.a:2,S", "2.b:2,")
    before, message = contents.of({}, tmp_path / "mail"), home / "cur/2.b:2,"
    if change == "flag":
        message.rename(home / "cur/2.b:2,F")
    elif change == "date":
        os.utime(message, (1_000_000_000, 1_000_000_000))
    elif change == "size":
        known = message.stat()
        message.write_text("another text")
        os.utime(message, ns=(known.st_atime_ns, known.st_mtime_ns))
    else:
        message.unlink()
    after = contents.of({}, tmp_path / "mail")
    words = "messages: 1 of 2" if change == "gone" else "mail: names, sizes or dates of some files differ"
    assert contents.differences(before, after) == [words]


def test_all_is_told_and_what_differs_named():
    wanted = contents.Contents({"accounts": 2, "calendar_objects": 5, "schema_migration": 10, "drafts": 0}, 7, 1, "sum")
    found = contents.Contents({"accounts": 2, "calendar_objects": 4, "schema_migration": 12, "drafts": 0}, 7, 1, "sum")
    said: list[str] = []
    assert not contents.tell(wanted, found, said.append)
    assert "  events: 4 of 5" in said and said[-1] == "  PROBLEM calendar_objects: 4 rows of 5"
    assert contents.tell(wanted, wanted, said.append)


def test_what_was_counted_is_read_again(tmp_path):
    counted = contents.Contents({"accounts": 2}, 7, 1, "sum")
    (tmp_path / "manifest").write_text(counted.as_text())
    assert contents.read(tmp_path / "manifest") == counted
    (tmp_path / "manifest").write_text('{"accounts": 2}')
    with pytest.raises(InstallError, match="can't be read"):
        contents.read(tmp_path / "manifest")


def test_tables_that_serve_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "DATABASE", str(database(tmp_path / "db", accounts=2, contacts=1)))
    changes = Changes(tmp_path, lambda _words: None)
    assert contents.rows_that_serve(changes, False, ["accounts", "of_before"]) == {"accounts": 2}


@pytest.mark.parametrize(
    "made_once",
    [
        f"{DATA}/token.pem", f"{ETC}/certificates/authority.key", f"{ETC}/install.toml", f"{ETC}/secrets/database-dovecot", postfix.LOCAL,
        settings_file.LOCAL, dovecot.LOCAL, "/etc/dovecot/traboule.key", "/etc/dkimkeys/lycee.example.traboule.key",
    ],
)  # fmt: skip
def test_what_the_installer_makes_once_is_there_before_it_runs(made_once):
    """It would make another, and tell Dovecot or DNS of that one: the pages of a server that was brought back got no mail."""
    assert any(made_once == path or made_once.startswith(f"{path}/") for path in places.FIRST)
