"""Backup: the commands that docs/administrator/backup.md gives for copies of everything, typed as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from webmail.config import settings as config
from webmail.database import backup
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.models import User
from webmail.storage import StorageArea, open_storage

ROOT = Path(__file__).resolve().parents[2]


def commands() -> list[str]:
    """The blocks of commands of the chapter: to copy, to put back."""
    chapter = (ROOT / "docs" / "administrator" / "backup.md").read_text()
    return re.findall(r"```\n(.*?)```", chapter, re.DOTALL)


@pytest.fixture
def instance(tmp_path) -> Path:
    (tmp_path / "instance" / "db").mkdir(parents=True)
    database = f"sqlite:///{tmp_path}/instance/db/traboule.sqlite"
    (tmp_path / "instance" / "config.toml").write_text(f'database_url = "{database}"\n')
    return tmp_path / "instance"


@pytest.fixture
def settings(instance):
    loaded = config.load(instance)
    open_database(loaded.database_url)
    migrate()
    yield loaded
    db.obj.close()


@pytest.fixture
def type_in(instance, tmp_path):
    """Types commands as root would on that machine, whose places are here."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "systemctl").write_text('#!/bin/sh\necho "systemctl $@"\n')
    (tmp_path / "bin" / "systemctl").chmod(0o755)

    def run(block: str) -> str:
        places = {
            "/var/lib/traboule": instance, "/var/backups": tmp_path / "backups", "/opt/traboule": ROOT,
            ".venv/bin/flask": f"{sys.executable} -m flask",
        }  # fmt: skip
        for there, here in places.items():
            assert there in block
            block = block.replace(there, str(here))
        environment = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
        done = subprocess.run(["sh", "-e"], input=block, env=environment, capture_output=True, text=True, cwd="/", timeout=60)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    return run


def test_what_is_copied_by_the_documented_commands_comes_back_by_them(settings, instance, type_in, tmp_path):
    to_copy, _of_the_mail_server, to_put_back = commands()
    files = open_storage(settings, StorageArea.UPLOADS)
    files.put("a" * 32 + "/" + "b" * 32, [b"an attachment"])
    User.create(address="alice@lycee.example", local="alice", domain="lycee.example")
    assert (instance / "db" / "traboule.sqlite-wal").stat().st_size > 0, "not in the file itself yet"
    type_in(to_copy)
    copied = {path.relative_to(tmp_path / "backups").as_posix() for path in (tmp_path / "backups").rglob("*.*")}
    assert copied == {"traboule/traboule.sqlite", "traboule/files.tar"}
    listed = subprocess.run(["tar", "-tf", tmp_path / "backups/traboule/files.tar"], capture_output=True, text=True).stdout
    assert "secret_key" not in listed and "sqlite" not in listed
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "backups" / "traboule").iterdir()}
    assert modes == {0o600}, "there are secrets and people's files in them"

    User.create(address="later@lycee.example", local="later", domain="lycee.example")
    files.delete("a" * 32 + "/" + "b" * 32)
    db.close()
    (instance / "db" / "traboule.sqlite").write_bytes(b"rubbish" * 5000)
    said = type_in(to_put_back)
    assert said.splitlines()[0] == "systemctl stop traboule-web traboule-bodies traboule-jobs"
    assert said.splitlines()[-1] == "systemctl start traboule-web traboule-bodies traboule-jobs"
    assert [user.address for user in User.select()] == ["alice@lycee.example"]
    assert b"".join(files.get("a" * 32 + "/" + "b" * 32)) == b"an attachment"
    assert (instance / "db" / "traboule.sqlite").stat().st_mode & 0o777 == 0o660


def test_the_mail_server_is_copied_with_its_keys_and_without_indexes(tmp_path):
    """Typed as it stands, in a root of its own."""
    _to_copy, of_the_mail_server, _to_put_back = commands()
    for file in (
        "etc/dovecot/oauth/traboule/ES256/wm1", "etc/postfix/main.cf", "etc/dkimkeys/mail2026.private", "etc/opendkim.conf",
        "var/vmail/lycee.example/alice/Maildir/cur/1", "var/vmail/lycee.example/alice/sieve/main.sieve",
        "var/vmail/lycee.example/alice/index/dovecot.index", "var/vmail/shared-mailboxes.db", "var/backups/traboule/files.tar",
    ):  # fmt: skip
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(file)
    block = re.sub(r"(?<=[ =])/(?=var|[ &]|$)", f"{tmp_path}/", of_the_mail_server)
    copying = shutil.which("rsync") is not None
    lines = [line for line in block.splitlines() if copying or "rsync" not in line]
    done = subprocess.run(["sh", "-e"], input="umask 077\n" + "\n".join(lines), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), block
    listed = subprocess.run(
        ["tar", "-tf", tmp_path / "var/backups/traboule/mail-server.tar"], capture_output=True, text=True
    ).stdout
    for file in (
        "etc/dovecot/oauth/traboule/ES256/wm1",
        "etc/postfix/main.cf",
        "etc/dkimkeys/mail2026.private",
        "etc/opendkim.conf",
    ):
        assert file in listed.splitlines()
    if copying:
        kept = tmp_path / "var/backups/vmail"
        found = {path.relative_to(kept).as_posix() for path in kept.rglob("*") if path.is_file()}
        assert found == {
            "lycee.example/alice/Maildir/cur/1", "lycee.example/alice/sieve/main.sieve", "shared-mailboxes.db",
        }  # fmt: skip


def test_a_copy_is_whole_while_others_write(settings, tmp_path):
    User.create(address="alice@lycee.example", local="alice", domain="lycee.example")
    with db.atomic():
        User.create(address="half@lycee.example", local="half", domain="lycee.example")
        assert backup.copy_to(tmp_path / "copy.sqlite") > 4096
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.sqlite", "instance"]
    with sqlite3.connect(f"file:{tmp_path}/copy.sqlite?mode=ro", uri=True) as copy:
        assert copy.execute("SELECT address FROM accounts").fetchall() == [("alice@lycee.example",)]
    assert (tmp_path / "copy.sqlite").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("what", "words"), [("missing", "missing"), ("damaged", "damaged|malformed")])
def test_nothing_in_the_place_of_a_copy(settings, instance, tmp_path, what, words):
    """Neither an empty one of a database that is not there, nor one of a database that is damaged; the old copy stays."""
    (tmp_path / "copy.sqlite").write_text("yesterday's")
    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    db.close()
    file = instance / "db" / "traboule.sqlite"
    if what == "missing":
        file.rename(tmp_path / "instance" / "elsewhere")
    else:
        with open(file, "r+b") as out:
            out.seek(4096)
            out.write(os.urandom(4096 * 20))
    with pytest.raises(backup.NoBackupError, match=words):
        backup.copy_to(tmp_path / "copy.sqlite")
    assert (tmp_path / "copy.sqlite").read_text() == "yesterday's"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.sqlite", "instance"]
    assert what == "damaged" or not file.exists()


def test_a_copy_that_has_no_place_is_refused_in_words(settings, tmp_path):
    settings_file = tmp_path / "instance" / "config.toml"
    for place in (tmp_path / "none", settings_file):
        with pytest.raises(backup.NoBackupError) as raised:
            backup.copy_to(place / "copy.sqlite")
        assert str(raised.value) == f"{place}/copy.sqlite was not written: there is no folder {place}"
    with pytest.raises(backup.NoBackupError, match="was not written: it is a folder") as raised:
        backup.copy_to(tmp_path / "instance")
