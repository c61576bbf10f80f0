"""Contents: what is counted in a backup when it is made, and again when it is verified or brought back.

Rows are counted in the copy of the database and not in the one that serves, which goes on meanwhile. Of mail everything is in one
sum: names (which carry flags), sizes and dates of all files; their bytes are compared by restic itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import subprocess
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.installer.changes import Changes, InstallError
from deploy.installer.job import DATABASE

# what people know, by the tables that hold it; all others are told as one number
_CALLED = {
    "accounts": ("accounts",),
    "events": ("calendar_objects",),
    "tasks": ("todos",),
    "cards": ("contacts",),
    "calendars and books": ("collections",),
    "transfers": ("transfers",),
    "keys": ("own_keys", "keyrings", "known_certificates", "security_keys", "authenticators", "app_passwords"),
    "drafts": ("drafts",),
    "messages to be sent": ("outbox",),
}
_HISTORY = "schema_migration"  # newer code adds to it
_COPY = re.compile(rb"COPY (?:public\.)?\"?([a-z_0-9]+)\"? \(")
_NAME = re.compile(r"[a-z_0-9]+")


@dataclass(frozen=True, slots=True)
class Contents:
    """`rows`: of each table; `mail`: the sum over all files of mail."""

    rows: dict[str, int]
    messages: int
    filters: int
    mail: str

    def as_text(self) -> str:
        return json.dumps(asdict(self), indent=1, sort_keys=True)


def read(file: Path) -> Contents:
    """What was counted when a backup was made. Raises InstallError."""
    try:
        found = json.loads(file.read_text())
        rows = {str(name): int(number) for name, number in found["rows"].items()}
        return Contents(rows, int(found["messages"]), int(found["filters"]), str(found["mail"]))
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise InstallError(f"{file} can't be read: {error}") from error


def of(rows: dict[str, int], mail: Path) -> Contents:
    """What is in a database and below a folder of mailboxes."""
    total, messages, filters = hashlib.sha256(), 0, 0
    for file in sorted(_files(mail)):
        known = file.lstat()
        told = f"leads to {os.readlink(file)}" if file.is_symlink() else f"{known.st_size}\0{known.st_mtime_ns}"
        total.update(f"{file.relative_to(mail)}\0{told}\n".encode("utf-8", "surrogateescape"))
        messages += file.parent.name in ("cur", "new")
        filters += file.suffix == ".sieve" and file.parent.name == "sieve"
    return Contents(rows, messages, filters, total.hexdigest())


def _files(mail: Path) -> Iterable[Path]:
    """All files and links of mailboxes; what begins with a dot at the top is no mailbox."""
    for domain in mail.iterdir():
        if domain.name.startswith(".") or not domain.is_dir():
            continue
        for folder, folders, names in os.walk(domain):
            yield from (Path(folder, name) for name in (*names, *(name for name in folders if Path(folder, name).is_symlink())))


def rows_of_copy(copy: Path, on_postgresql: bool) -> dict[str, int]:
    """Rows of each table of a copy of the database, all of which is read. Raises InstallError."""
    return _rows_of_dump(copy) if on_postgresql else _rows_of_sqlite(copy)


def rows_that_serve(changes: Changes, on_postgresql: bool, tables: Iterable[str]) -> dict[str, int]:
    """Rows of these tables in the database itself; those that are not there are left out. Raises InstallError."""
    if not on_postgresql:
        found = _rows_of_sqlite(Path(DATABASE), immutable=False)
        return {name: found[name] for name in tables if name in found}
    there = set(_psql(changes, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'").split())
    names = [name for name in tables if name in there and _NAME.fullmatch(name)]
    counted = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in names)  # noqa: S608 - names by _NAME
    lines = (line.partition("|") for line in _psql(changes, counted).split()) if names else ()
    return {name: int(number) for name, _bar, number in lines}


def differences(wanted: Contents, found: Contents) -> list[str]:
    """Where they differ, in words."""
    told = [
        f"{name}: {found.rows.get(name, 0)} rows of {number}"
        for name, number in wanted.rows.items()
        if name != _HISTORY and found.rows.get(name) != number
    ]
    if found.messages != wanted.messages:
        told.append(f"messages: {found.messages} of {wanted.messages}")
    elif found.mail != wanted.mail:
        told.append("mail: names, sizes or dates of some files differ")
    if found.filters != wanted.filters:
        told.append(f"filters: {found.filters} of {wanted.filters}")
    return told


def tell(wanted: Contents, found: Contents, say: Callable[[str], None]) -> bool:
    """Say what people know by its number, then all that differs; whether nothing does."""
    others = set(wanted.rows)
    for words, tables in _CALLED.items():
        number, there = (sum(each.rows.get(table, 0) for table in tables) for each in (wanted, found))
        say(f"  {words}: {there} of {number}")
        others -= set(tables)
    more, there = (sum(each.rows.get(table, 0) for table in others) for each in (wanted, found))
    say(f"  {len(others)} further tables: {there} rows of {more}")
    say(f"  messages: {found.messages} of {wanted.messages}; filters: {found.filters} of {wanted.filters}")
    told = differences(wanted, found)
    for words in told:
        say(f"  PROBLEM {words}")
    return not told


def _rows_of_sqlite(file: Path, immutable: bool = True) -> dict[str, int]:
    """`immutable`: nobody writes it, so nothing is made beside it either."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro{'&immutable=1' if immutable else ''}", uri=True)) as database:
            names = database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND sql LIKE 'CREATE TABLE%'"
            ).fetchall()
            return {
                name: int(database.execute(f"SELECT count(*) FROM {name}").fetchone()[0])  # noqa: S608 - names by _NAME
                for (name,) in names
                if _NAME.fullmatch(name)
            }
    except sqlite3.Error as error:
        raise InstallError(f"The database {file} can't be read: {error}") from error


def _rows_of_dump(file: Path) -> dict[str, int]:
    """As pg_restore would write them, line by line: no server is asked."""
    found: dict[str, int] = {}
    table = ""
    with subprocess.Popen(
        ["pg_restore", "--data-only", "--file=-", str(file)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as restoring:
        assert restoring.stdout
        for line in restoring.stdout:
            if table:
                if line == b"\\.\n":
                    table = ""
                else:
                    found[table] += 1
            elif begins := _COPY.match(line):
                table = begins[1].decode()
                found[table] = 0
    if restoring.returncode:
        raise InstallError(f"pg_restore can't read {file}: the copy of the database is broken.")
    return found


def _psql(changes: Changes, command: str) -> str:
    return changes.run("runuser", "-u", "postgres", "--", "psql", "-qtA", "traboule", typed=command, folder="/")
