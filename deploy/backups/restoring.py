"""Restoring: everything of a backup onto an empty machine, counted at the end."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from deploy.backups import places
from deploy.backups.repository import Repository
from deploy.installer.changes import Changes, InstallError
from deploy.installer.job import CODE, DATA, DATABASE, MAIL
from deploy.installer.steps.services import UNITS

_SERVERS = ("dovecot", "postfix")


def restore(
    repository: Repository, changes: Changes, snapshot: str, install: Callable[[], int], say: Callable[[str], None], over: bool
) -> bool:
    """Bring a whole server back; whether all counts are as in the backup. Raises InstallError."""
    _must_be_empty(over)
    say(f"Bringing back settings and keys from {repository.address}")
    repository.restore(snapshot, "/", *places.FIRST)
    wanted = places.manifest()
    if install():
        raise InstallError("the installation stopped: mend what it says, then type the same command again.")
    on_postgresql = 'database = "postgresql"' in Path("/etc/traboule/install.toml").read_text()
    changes.run("systemctl", "stop", *UNITS, *_SERVERS)
    say("Bringing back accounts, contacts, calendars and files")
    repository.restore(snapshot, "/", *places.THEN)
    _restore_database(changes, on_postgresql)
    say(f"Bringing back {wanted.get('messages', 0)} messages")
    repository.restore(snapshot, MAIL, below=places.MAIL_COPY)
    changes.run("chown", "-R", "vmail:vmail", MAIL)
    changes.run(f"{CODE}/deploy/flask", "migrate", folder=CODE)
    changes.run("systemctl", "start", *_SERVERS, *UNITS)
    changes.tried("doveadm", "force-resync", "-A", "*")
    return _compare(wanted, places.counts(changes, on_postgresql, MAIL), say)


def _must_be_empty(over: bool) -> None:
    if Path(DATABASE).exists() and not over:
        raise InstallError(
            "This machine has accounts already. Restore onto an empty one; or, to replace all that is here by the backup: --over"
        )


def _restore_database(changes: Changes, on_postgresql: bool) -> None:
    if on_postgresql:
        changes.run("bash", "-c", f"cd / && runuser -u postgres -- pg_restore --clean --if-exists -d traboule <{places.DUMP}")
        return
    folder = Path(DATABASE).parent
    for name in ("-wal", "-shm"):
        Path(f"{DATABASE}{name}").unlink(missing_ok=True)
    new = Path(f"{DATABASE}.new")
    shutil.copyfile(places.DUMP, new)
    changes.run("chown", "traboule:traboule", str(new))
    new.chmod(0o660)
    new.replace(DATABASE)
    changes.run("chown", "traboule:traboule", str(folder))
    changes.run("chown", "-R", "traboule:traboule", DATA)


def _compare(wanted: dict[str, int], found: dict[str, int], say: Callable[[str], None]) -> bool:
    """Tell each count, and whether all are as in the backup."""
    same = True
    for name, number in wanted.items():
        equal = found.get(name) == number
        same = same and equal
        say(f"  {'ok     ' if equal else 'PROBLEM'} {name}: {found.get(name, 0)} of {number}")
    return same
