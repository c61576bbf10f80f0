"""Owners of an address: who may write from it, by the query of Postfix's own map (traboule-senders.cf of deploy/postfix.sh)."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

SECONDS = 5
_ENDED = "SELECT credential_ended FROM accounts WHERE address = '%s'"


class OwnersAwayError(Exception):
    """The database does not answer."""


class Owners:
    """Asks the database anew each time: an address given or taken back counts from the next message on."""

    def __init__(self, file: Path) -> None:
        """`file` is in the form of sqlite_table(5) or pgsql_table(5). Raises OSError and ValueError."""
        self._values = _values(file.read_text(encoding="utf-8"))
        if not self._values.get("query") or not ({"dbpath", "hosts"} & self._values.keys()):
            raise ValueError(f"{file} is not a map of Postfix with a query")

    def of(self, address: str) -> set[str]:
        """The accounts, in lower case, that may write from this address. Raises OwnersAwayError."""
        try:
            rows = self._ask(self._values["query"], address)
        except OwnersAwayError:
            raise
        except Exception as error:  # of either database, whose modules have exceptions of their own
            raise OwnersAwayError(f"the database of the accounts does not answer: {error}") from error
        return {str(row[0]).lower() for row in rows}

    def ended(self, login: str) -> int:
        """When a credential of this account ended last, in seconds since 1970; 0 for never. Raises OwnersAwayError."""
        try:
            rows = self._ask(_ENDED, login)
        except Exception as error:
            raise OwnersAwayError(f"the database of the accounts does not answer: {error}") from error
        return int(rows[0][0] or 0) if rows else 0

    def _ask(self, query: str, value: str) -> list[Any]:
        return self._sqlite(query, value) if "dbpath" in self._values else self._postgresql(query, value)

    def _sqlite(self, query: str, address: str) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self._values['dbpath']}?mode=ro", uri=True, timeout=SECONDS)) as database:
            return database.execute(query.replace("'%s'", "?"), [address] * query.count("'%s'")).fetchall()

    def _postgresql(self, query: str, address: str) -> list[Any]:
        import psycopg2

        names = {"user": "user", "password": "password", "dbname": "dbname"}
        given: dict[str, Any] = {ours: self._values[theirs] for theirs, ours in names.items() if theirs in self._values}
        failure: Exception = OwnersAwayError("no host is named")
        for host in self._values["hosts"].split():
            kind, _, where = host.partition(":") if re.match("unix:|inet:", host) else ("inet", "", host)
            name, _, port = (where, "", "") if kind == "unix" else where.partition(":")
            try:
                connection = psycopg2.connect(host=name, port=port or 5432, connect_timeout=SECONDS, **given)
            except psycopg2.Error as error:
                failure = error
                continue
            with closing(connection), connection.cursor() as cursor:
                cursor.execute(query.replace("'%s'", "%s"), [address] * query.count("'%s'"))
                return list(cursor.fetchall())
        raise failure


def _values(text: str) -> dict[str, str]:
    """The lines NAME = VALUE; a line that begins with white space continues the one before."""
    joined = re.sub(r"\n[ \t]+", " ", text)
    pairs = (line.partition("=") for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, _equals, value in pairs}
