"""Places: what is in a backup, where it comes from, and what is counted so that a restore can be compared."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from deploy.installer.changes import Changes, InstallError
from deploy.installer.job import CODE, DATA, DATABASE, MAIL

STAGING = "/var/lib/traboule-backup"  # the database and the counts, made for each backup
MAIL_COPY = f"{MAIL}/.backup"  # on the disk of mail, since messages are linked
SECRET = "/etc/traboule/secrets/backup"  # the password of the repository
MANIFEST = f"{STAGING}/manifest.json"
DUMP = f"{STAGING}/database"

# restored before the installer runs: it makes none of these anew then
FIRST = (
    "/etc/traboule", "/etc/letsencrypt", "/etc/dkimkeys", "/etc/dovecot/oauth", "/etc/dovecot/traboule.key",
    "/etc/dovecot/mail-crypt", "/etc/dovecot/local.conf", "/etc/aliases", "/etc/nginx/traboule.d", "/etc/nftables.d", STAGING,
)  # fmt: skip
# after it, with everything stopped
THEN = (DATA,)
# never brought back by itself, but there to be looked at
ALSO = ("/etc/dovecot", "/etc/postfix", "/etc/rspamd/local.d")
LEFT_OUT = (f"{DATA}/db", f"{DATA}/images", f"{DATA}/*.sqlite*", "*.pyc")

_COUNTED = (
    "accounts", "contacts", "calendars", "calendar_objects", "address_books", "transfers", "app_passwords", "outbox", "drafts",
)  # fmt: skip


def dump(changes: Changes, on_postgresql: bool) -> None:
    """The database as it is now, and the counts, into STAGING. Raises InstallError."""
    changes.folder(STAGING, "root", 0o700)
    if on_postgresql:
        changes.run(
            "bash", "-c", f"umask 077 && cd / && runuser -u postgres -- pg_dump -Fc traboule >{DUMP}.new && mv {DUMP}.new {DUMP}"
        )  # fmt: skip
    else:
        # Traboule's own command: nobody waits, and what SQLite keeps in a second file is in it
        made = f"{DATA}/db/.backup.sqlite"
        changes.run(f"{CODE}/deploy/flask", "backup", made, folder=CODE)
        changes.run("mv", made, DUMP)
        changes.run("chown", "root:root", DUMP)
    Path(DUMP).chmod(0o600)


def counts(changes: Changes, on_postgresql: bool, mail: str) -> dict[str, int]:
    """How many rows each table that matters has, and how many messages are below a folder of mail."""
    found = {}
    for table in _COUNTED:
        number = _rows(changes, table, on_postgresql)
        if number is not None:
            found[table] = number
    found["messages"] = sum(1 for _message in messages(Path(mail)))
    return found


def _rows(changes: Changes, table: str, on_postgresql: bool) -> int | None:
    """None: there is no such table."""
    if on_postgresql:
        command = ("runuser", "-u", "postgres", "--", "psql", "-qtA", "traboule", "-c", f"SELECT count(*) FROM {table}")  # noqa: S608 - of the list above
        done = changes.tried(*command, folder="/")
        return int(done.stdout) if done.returncode == 0 else None
    with sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True) as database:
        try:
            counted = database.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - of the list above
            return int(counted.fetchone()[0])
        except sqlite3.OperationalError:
            return None


def messages(mail: Path) -> list[Path]:
    """The files of all messages below a folder of mailboxes."""
    return [file for folder in ("cur", "new") for file in mail.glob(f"[!.]*/*/**/{folder}/*") if file.is_file()]


def write_manifest(told: dict[str, int]) -> None:
    Path(MANIFEST).write_text(json.dumps(told, indent=1))


def manifest() -> dict[str, int]:
    """What was counted when the backup was made. Raises InstallError."""
    try:
        return {str(name): int(number) for name, number in json.loads(Path(MANIFEST).read_text()).items()}
    except (OSError, ValueError, AttributeError) as error:
        raise InstallError(f"{MANIFEST} can't be read: {error}") from error
