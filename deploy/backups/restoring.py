"""Restoring: everything of a backup onto an empty machine, counted at the end."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from deploy.backups import contents, places
from deploy.backups.repository import Repository
from deploy.installer.changes import Changes, InstallError
from deploy.installer.job import CODE, DATA, DATABASE, MAIL
from deploy.installer.steps.services import UNITS
from deploy.updates import switching

_SERVERS = ("dovecot", "postfix")


def restore(
    repository: Repository, changes: Changes, snapshot: str, install: Callable[[], int], say: Callable[[str], None], over: bool
) -> bool:
    """Bring a whole server back; whether all counts are as in the backup. Raises InstallError."""
    _must_be_empty(changes, over)
    say(f"Bringing back settings and keys from {repository.address}")
    repository.restore(snapshot, "/", *places.FIRST)
    wanted = contents.read(Path(places.MANIFEST))
    if install():
        raise InstallError("the installation stopped: mend what it says, then type the same command again.")
    on_postgresql = 'database = "postgresql"' in Path("/etc/traboule/install.toml").read_text()
    changes.run("systemctl", "stop", *UNITS, *_SERVERS)
    say("Bringing back accounts, contacts, calendars and files")
    repository.restore(snapshot, "/", *places.THEN)
    _restore_database(changes, on_postgresql)
    changes.run("chown", "-R", "traboule:traboule", DATA)  # users have other numbers on another machine
    _move_mail_aside(changes)
    say(f"Bringing back {wanted.messages} messages")
    repository.restore(snapshot, MAIL, below=places.MAIL_COPY)
    changes.run("chown", "-R", "vmail:vmail", MAIL)
    changes.run(f"{CODE}/deploy/flask", "migrate", folder=CODE)
    # before anything starts, which would go on writing
    same = contents.tell(wanted, contents.of(contents.rows_that_serve(changes, on_postgresql, wanted.rows), Path(MAIL)), say)
    changes.run("systemctl", "start", *_SERVERS, *UNITS)
    changes.tried("doveadm", "force-resync", "-A", "*")
    switching.check(changes)  # who is told that everything is there finds it
    return same


def _must_be_empty(changes: Changes, over: bool) -> None:
    if over:
        return
    asked = ("runuser", "-u", "postgres", "--", "psql", "-qtA", "traboule", "-c", "SELECT count(*) FROM accounts")
    if Path(DATABASE).exists() or changes.tried(*asked, folder="/").stdout.strip() not in ("", "0"):
        raise InstallError(
            "This machine has accounts already. Restore onto an empty one; or, to replace all that is here by the backup: --over"
        )


def _restore_database(changes: Changes, on_postgresql: bool) -> None:
    if on_postgresql:
        changes.run("bash", "-c", f"cd / && runuser -u postgres -- pg_restore --clean --if-exists -d traboule <{places.DUMP}")
        return
    for name in ("-wal", "-shm"):
        Path(f"{DATABASE}{name}").unlink(missing_ok=True)
    new = Path(f"{DATABASE}.new")
    shutil.copyfile(places.DUMP, new)
    changes.run("chown", "traboule:traboule", str(new))
    new.chmod(0o660)
    new.replace(DATABASE)


def _move_mail_aside(changes: Changes) -> None:
    """Mail of this machine is not mixed with that of the backup: it goes into a folder of its own, unless there is none."""
    domains = [each for each in Path(MAIL).iterdir() if each.is_dir() and not each.name.startswith(".")]
    number = len(places.messages(Path(MAIL)))
    aside = Path(MAIL) / f".before-restore-{datetime.now(UTC):%Y-%m-%d-%H%M%S}"
    if number:
        aside.mkdir(mode=0o700)
        changes.tell(f"{number} messages of this machine are in {aside} now")
    for domain in domains:
        if number:
            domain.rename(aside / domain.name)
        else:
            shutil.rmtree(domain)
