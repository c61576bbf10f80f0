"""Commands while the database, the queue or a folder can't be used: one sentence and exit code 1. And what root leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support import auth_app, servers
from tests.support.broken_database import FAULTS
from tests.unit.cli.test_main import typing
from webmail.config import settings as config
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate

ROOT = Path(__file__).resolve().parents[3]
READING = ("accounts list", "accounts allowed", "groups list", "groups list maths", "audit", "accounts name alice Alice")
WRITING = (
    "accounts add new@lycee.example --password-stdin",
    "accounts password alice --password-stdin",
    "accounts name alice 'Alice Leroy'",
    "accounts limits alice --hour 5",
    "accounts disable alice",
    "accounts enable alice",
    "accounts allow alice info@lycee.example",
    "groups add maths alice",
)


@pytest.fixture
def settings(tmp_path):
    loaded = config.load(
        tmp_path / "instance", sign_in="accounts", domain="lycee.example", server_timeout=1, imap_port=9, smtp_port=9
    )
    open_database(loaded.database_url)
    migrate()
    auth_app.add("alice@lycee.example")
    yield loaded
    db.obj.close()


@pytest.fixture
def file(settings) -> Path:
    return Path(settings.database_url.removeprefix("sqlite:///"))


def is_a_sentence(result: tuple[int, str]) -> bool:
    code, printed = result
    return code == 1 and printed.startswith("Error: the database ") and printed.count("\n") == 1 and printed.endswith(".\n")


@pytest.mark.parametrize("fault", ["damaged", "no_database", "removed"])
@pytest.mark.parametrize("line", [*READING, *WRITING, "migrate"])
def test_a_database_that_cannot_be_read_is_a_sentence(settings, file, fault, line):
    run = typing(settings)
    FAULTS[fault](file)
    if fault == "removed":
        db.close()
    result = run(line, "a long password\n")
    assert is_a_sentence(result), result


@pytest.mark.parametrize("line", WRITING)
def test_a_database_that_cannot_be_written_is_a_sentence(settings, file, line):
    run = typing(settings)
    FAULTS["read_only"](file)
    result = run(line, "a long password\n")
    assert is_a_sentence(result), result
    assert "can’t be written" in result[1]


def test_a_full_disk_is_a_sentence(settings, file):
    run = typing(settings)
    FAULTS["full"](file)
    results = [run(f"groups add 'group {number} {'x' * 60}'") for number in range(60)]  # a page has room for some
    assert is_a_sentence(results[-1]), results[-1]
    assert "free up space" in results[-1][1]


def test_a_server_that_is_down_is_a_sentence(settings):
    pytest.importorskip("psycopg")
    usual, run = db.obj, typing(settings)
    open_database(f"postgresql://nobody@127.0.0.1:{servers.closed_port()}/none")
    try:
        results = [run(line, "a long password\n") for line in ("accounts list", "groups list", "audit", "migrate")]
        doctor = run("doctor")
    finally:
        db.initialize(usual)
    assert all(map(is_a_sentence, results)), results
    assert all("is it running? Check database_url" in printed for _code, printed in (*results, doctor))
    assert doctor[0] == 1


@pytest.mark.parametrize("fault", ["damaged", "no_database", "removed"])
def test_the_doctor_tells_of_it(settings, file, fault):
    run = typing(settings)
    FAULTS[fault](file)
    if fault == "removed":
        db.close()
    code, printed = run("doctor")
    told = [line for line in printed.splitlines() if line.startswith("problem") and "Database" in line]
    assert (code, len(told)) == (1, 1)
    assert "restore a backup" in told[0]


# --- whole processes -------------------------------------------------------------------------------------------------


@pytest.fixture
def instance():
    """A folder of another user's, that root may enter and everybody read."""
    with tempfile.TemporaryDirectory(prefix="traboule-cli-") as folder:
        place = Path(folder, "instance")
        place.mkdir(mode=0o750)
        text = 'sign_in = "accounts"\ndomain = "lycee.example"\nimap_port = 9\nsmtp_port = 9\nserver_timeout = 1\n'
        (place / "config.toml").write_text(text)
        (place / "config.toml").chmod(0o600)
        yield place


def flask(instance: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
    environment = {**os.environ, "WEBMAIL_INSTANCE": str(instance)}
    return subprocess.run(command, cwd=ROOT, env=environment, input=typed, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("what", "command"), [("the queue", "accounts list"), ("the uploads folder", "jobs"), ("the database", "jobs")]
)
def test_a_start_with_something_else_in_its_place_is_a_sentence(instance, what, command):
    place = instance / {"the queue": "jobs.sqlite", "the uploads folder": "uploads", "the database": "traboule.sqlite"}[what]
    place.write_bytes(b"This is a shopping list.\n" * 500)
    done = flask(instance, *command.split())
    assert done.returncode == 1
    assert "Traceback" not in done.stderr and done.stdout == ""
    [line] = [line for line in done.stderr.splitlines() if line.startswith(("Error: ", "Traboule can't start: "))]
    assert place.name in line or what == "the database"


def test_what_root_types_leaves_nothing_of_roots(instance):
    if os.geteuid():
        pytest.skip("only root makes files of others")
    os.chown(instance, 12345, 12346)
    os.chown(instance / "config.toml", 12345, 12346)
    (instance / "db").mkdir(mode=0o770)
    os.chown(instance / "db", 12345, 12347)
    with open(instance / "config.toml", "a") as out:
        out.write(
            f'database_url = "sqlite:///{instance}/db/traboule.sqlite"\nuploads_folder = "drafts/files"\njobs_file = "q/jobs.sqlite"\n'
        )
    assert flask(instance, "accounts", "add", "alice", "--password-stdin", typed="a long password\n").returncode == 0
    doctor = flask(instance, "doctor")
    assert "can be written" in doctor.stdout, doctor
    owners = {path.relative_to(instance).as_posix(): path.stat().st_uid for path in instance.rglob("*")}
    assert {name for name, owner in owners.items() if owner != 12345} == set()
    made = {
        "db/traboule.sqlite",
        "db/locks/migrations",
        "secret_key",
        "drafts/files",
        "q/jobs.sqlite",
        "storage/.traboule-storage",
    }
    assert made <= set(owners)
    assert (instance / "db" / "traboule.sqlite").stat().st_gid == 12347
