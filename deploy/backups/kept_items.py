"""Kept items: calendars and books of one person out of the database of a backup, SQLite's file or PostgreSQL's dump.

Whose they are is told by the account's number and the moment it was made: SQLite gives the numbers of deleted accounts again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from deploy.installer.changes import Changes, InstallError

_SQLITE = b"SQLite format 3\0"
_TABLES = ("accounts", "collections", "calendar_objects", "contacts")
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
Row = dict[str, Any]


def collections_of(changes: Changes, dump: Path, user: int, created: str, kind: str, wanted: str) -> list[str]:
    """A line of JSON for each calendar or book of a person; `wanted`: the one with this `id` alone. Raises InstallError.

    `kind`: "calendar" or "addressbook". What another program makes from others, such as birthdays, is left out.
    """
    with dump.open("rb") as opened:
        on_sqlite = opened.read(len(_SQLITE)) == _SQLITE
    read = _of_sqlite if on_sqlite else _of_postgresql
    kept = {table: [] for table in _TABLES}  # type: dict[str, list[Row]]
    numbers: set[str] = set()
    for table, row in read(changes, dump):
        if table == "accounts" and str(row["id"]) == str(user) and _moment(row["created"]) == _moment(created):
            kept[table].append(row)
        elif table == "collections" and str(row["user_id"]) == str(user) and row["kind"] == kind and not row["derived"]:
            if wanted in ("", str(row["id"])):
                kept[table].append(row)
                numbers.add(str(row["id"]))
        elif table in ("calendar_objects", "contacts") and str(row["collection_id"]) in numbers:
            kept[table].append(row)
    if not kept["accounts"]:
        return []
    return [json.dumps(_told(row, kept), ensure_ascii=False) for row in kept["collections"]]


def _told(row: Row, kept: dict[str, list[Row]]) -> Row:
    mine = str(row["id"])
    items = [(one["href"], one["text"]) for one in kept["calendar_objects"] if str(one["collection_id"]) == mine]
    items += [(one["href"], one["vcard"]) for one in kept["contacts"] if str(one["collection_id"]) == mine]
    return {"kind": row["kind"], "components": row["components"], "props": row["props"], "items": items}


def _moment(text: Any) -> datetime:
    try:
        return datetime.fromisoformat(str(text)).replace(microsecond=0)
    except ValueError as error:
        raise InstallError(f"{text!r} is no time") from error


def _of_sqlite(_changes: Changes, dump: Path) -> Iterator[tuple[str, Row]]:
    """Rows, those of collections before those that are in them."""
    try:
        with closing(sqlite3.connect(f"file:{dump}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            for table in _TABLES:
                for row in database.execute(f"SELECT * FROM {table}"):  # noqa: S608 - of the list above
                    yield table, dict(row)
    except sqlite3.Error as error:
        raise InstallError(f"the database of the backup can't be read: {error}") from error


def _of_postgresql(changes: Changes, dump: Path) -> Iterator[tuple[str, Row]]:
    for table in _TABLES:  # one by one: pg_restore has an order of its own
        text = dump.with_name(f"{table}.sql")
        changes.run("pg_restore", "--data-only", "-t", table, "-f", str(text), str(dump))
        try:
            with text.open(encoding="utf-8", newline="\n") as lines:
                for row in copied_rows(lines):
                    yield table, row
        finally:
            text.unlink()


def copied_rows(lines: Iterator[str]) -> Iterator[Row]:
    """The rows of the COPY of a dump, as texts (PostgreSQL, "COPY", "Text Format")."""
    columns: list[str] | None = None
    for line in lines:
        if columns is None:
            if line.startswith("COPY ") and line.endswith(" FROM stdin;\n"):
                columns = [name.strip().strip('"') for name in line[line.index("(") + 1 : line.rindex(")")].split(",")]
        elif line == "\\.\n":
            columns = None
        else:
            values = [None if value == "\\N" else _unescaped(value) for value in line.removesuffix("\n").split("\t")]
            yield dict(zip(columns, values, strict=True))


def _unescaped(value: str) -> str:
    if "\\" not in value:
        return value
    parts = iter(value.split("\\"))
    made = [next(parts)]
    for part in parts:
        if not part:  # a backslash for itself, with what follows
            made.append("\\" + next(parts, ""))
        else:
            made.append(_ESCAPED.get(part[0], part[0]) + part[1:])
    return "".join(made)
