"""Owners of an address: who may write from it, by the query of Postfix's own map (traboule-senders.cf of deploy/postfix.sh)."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

SECONDS = 5
_UNREADABLE = ("42501", "42P01", "42703")  # of PostgreSQL: no privilege, no such table, no such column
# whose mail an administrator refuses, for everybody or for the people of an establishment: the domains of those
_REFUSED = """SELECT r.establishment_id, d.domain FROM refused_senders r
    LEFT JOIN establishment_domains d ON d.establishment_id = r.establishment_id WHERE r.entry = '%s'"""
# from whose addresses somebody writes as a substitute or successor, and not by a right of their own
_HANDED_OVER = """SELECT o.address FROM mailbox_handovers h JOIN accounts o ON o.id = h.owner_id
    JOIN accounts p ON p.id = h.person_id WHERE p.address = '%s' AND h.state = 'active' AND h.answers = 1 AND h.allowed = 1"""
_ENDED = "SELECT credential_ended FROM accounts WHERE address = '%s'"


class OwnersAwayError(Exception):
    """The database does not answer."""


class NotReadableError(Exception):
    """A table or column is not there yet, or the role may not read it."""


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

    def handed_over(self, login: str) -> set[str]:
        """The addresses from which this account writes on behalf of others. Raises OwnersAwayError and NotReadableError."""
        return {str(row[0]).lower() for row in self.ask(_HANDED_OVER, login)}

    def ended(self, login: str) -> int:
        """When a credential of this account ended last, in seconds since 1970; 0 for never. Raises OwnersAwayError."""
        try:
            rows = self._ask(_ENDED, login)
        except Exception as error:
            raise OwnersAwayError(f"the database of the accounts does not answer: {error}") from error
        return int(rows[0][0] or 0) if rows else 0

    def ask(self, query: str, value: str) -> list[Any]:
        """The rows of a query, in which each '%s' is this value. Raises OwnersAwayError and NotReadableError."""
        try:
            return self._ask(query, value)
        except Exception as error:
            if "no such " in str(error) or getattr(error, "pgcode", None) in _UNREADABLE:
                raise NotReadableError(str(error).splitlines()[0]) from error
            raise OwnersAwayError(f"the database of the accounts does not answer: {error}") from error

    def refused(self, entry: str) -> tuple[bool, set[str]]:
        """Whether mail of this sender is refused for everybody, and for the people of which domains. Raises OwnersAwayError and
        NotReadableError."""
        rows = self.ask(_REFUSED, entry)
        return any(row[0] is None for row in rows), {str(row[1]).lower() for row in rows if row[1]}

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
