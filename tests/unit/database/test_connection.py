"""What PostgreSQL would refuse never gets there."""

import peewee as pw
import pytest

from webmail.database import connection


def test_no_text_with_a_nul_reaches_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []
    monkeypatch.setattr(pw.PostgresqlDatabase, "execute_sql", lambda _self, _sql, params=None: given.append(params))
    database = connection.connect_url("postgresql://nobody@127.0.0.1:1/none")
    database.execute_sql("SELECT %s", ["a\0b", b"\0whole", 3, None])
    database.execute_sql("SELECT 1")
    assert given == [["ab", b"\0whole", 3, None], None]
