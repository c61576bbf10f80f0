"""Locks shared by processes: one holder at a time, a killed one keeps nobody waiting, migrations are applied once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from webmail.database.connection import db, open_database
from webmail.database.locks import LockBusyError, lock, serialize
from webmail.database.migrate import migrate

COUNT = """
import sys
from pathlib import Path

from webmail.database.connection import db, open_database
from webmail.database.locks import lock
open_database(sys.argv[1])
counter = Path(sys.argv[2])
with db.connection_context():
    for _ in range(200):
        with lock("counter", 30):
            counter.write_text(str(int(counter.read_text()) + 1))
"""
HOLD = """
import sys, time
from webmail.database.connection import db, open_database
from webmail.database.locks import lock
open_database(sys.argv[1])
with db.connection_context(), lock("held"):
    print("held", flush=True)
    time.sleep(60)
"""
MIGRATE = """
import sys
from webmail.database.connection import open_database
from webmail.database.migrate import migrate
open_database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(",".join(migrate()), flush=True)
"""


@pytest.fixture
def url(tmp_path: Path, empty_database):
    open_database(empty_database)
    yield empty_database
    db.obj.close()


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_second_holder_waits_or_is_refused(url):
    with db.connection_context(), lock("one"):
        refused = []

        def other():
            with db.connection_context():
                began = time.monotonic()
                try:
                    with lock("one", 0.2):
                        refused.append(False)
                except LockBusyError:
                    refused.append(time.monotonic() - began >= 0.2)
                with lock("two"):
                    refused.append("another name is another lock")

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert refused == [True, "another name is another lock"]
    with db.connection_context(), lock("one"):
        pass


def test_processes_take_turns(url, tmp_path):
    counter = tmp_path / "counter"
    counter.write_text("0")
    workers = [start(COUNT, url, str(counter)) for _ in range(3)]
    assert [worker.wait(120) for worker in workers] == [0, 0, 0]
    assert counter.read_text() == "600"


def test_transactions_of_one_name_take_turns(url):
    with db.connection_context():
        db.execute_sql("CREATE TABLE counter (number INTEGER)")
        db.execute_sql("INSERT INTO counter VALUES (0)")

    def count() -> None:
        with db.connection_context():
            for _ in range(20):
                with db.atomic():
                    serialize("counter")
                    number = db.execute_sql("SELECT number FROM counter").fetchone()[0]
                    time.sleep(0.001)
                    db.execute_sql(f"UPDATE counter SET number = {number + 1}")

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.connection_context():
        assert db.execute_sql("SELECT number FROM counter").fetchone()[0] == 120


def test_a_killed_holder_keeps_nobody_waiting(url):
    holder = start(HOLD, url)
    assert holder.stdout.readline() == "held\n"
    with db.connection_context():
        with pytest.raises(LockBusyError), lock("held"):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with lock("held", 10):
            pass


def test_an_error_inside_gives_the_lock_back(url):
    with db.connection_context():
        with pytest.raises(RuntimeError), lock("one"):
            raise RuntimeError
        with lock("one"):
            pass


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", "ü", "x" * 100, "-a"])
def test_what_is_no_name_is_refused(url, name):
    with pytest.raises(ValueError, match="no name"), lock(name):
        pass


def test_four_processes_migrate_once(url):
    workers = [start(MIGRATE, url) for _ in range(4)]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    applied = [worker.communicate()[0].strip() for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 4
    assert sorted(map(bool, applied)) == [False] * 3 + [True], "one of them applied everything"


def test_the_lock_files_of_root_belong_to_who_owns_the_database(tmp_path):
    if os.geteuid():
        pytest.skip("only root makes files of others")
    folder = tmp_path / "db"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    open_database(f"sqlite:///{folder / 'x.sqlite'}")
    with db.connection_context(), lock("one"):
        pass
    about = (folder / "locks" / "one").stat()
    assert (about.st_uid, about.st_gid) == (12345, 12345)
    db.obj.close()


def test_a_database_whose_folder_cannot_be_written_is_a_database_error(tmp_path):
    import peewee

    open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    (tmp_path / "locks").write_text("in the way")
    with db.connection_context(), pytest.raises(peewee.OperationalError), lock("one"):
        pass
    db.obj.close()


def test_migrating_an_up_to_date_database_does_nothing(url):
    assert migrate()
    assert migrate() == []
