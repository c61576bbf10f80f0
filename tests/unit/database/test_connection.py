"""What PostgreSQL would refuse never gets there; what keeps a database from being used is told from mistakes of ours."""

from contextlib import suppress
from pathlib import Path

import peewee as pw
import pytest

from tests.support.broken_database import full
from webmail.database import connection
from webmail.database.trouble import DatabaseTrouble, trouble_of


def test_no_text_with_a_nul_reaches_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []
    monkeypatch.setattr(pw.PostgresqlDatabase, "execute_sql", lambda _self, _sql, params=None: given.append(params))
    database = connection.connect_url("postgresql://nobody@127.0.0.1:1/none")
    database.execute_sql("SELECT %s", ["a\0b", b"\0whole", 3, None])
    database.execute_sql("SELECT 1")
    assert given == [["ab", b"\0whole", 3, None], None]


@pytest.fixture
def opened(empty_database):
    connection.open_database(empty_database)
    with connection.db.connection_context():
        yield connection.db
    connection.db.obj.close()


def test_a_table_that_is_missing_is_trouble_of_the_database(opened) -> None:
    with pytest.raises(connection.DATABASE_AWAY) as caught:
        opened.execute_sql("SELECT * FROM accounts").fetchall()
    assert trouble_of(caught.value) is DatabaseTrouble.MISSING


def test_a_database_that_takes_no_writes_is_trouble_of_the_database(opened) -> None:
    opened.execute_sql("CREATE TABLE one (number integer)")
    for sql in ("SET default_transaction_read_only = on", "PRAGMA query_only = 1"):
        if sql.startswith("PRAGMA") == isinstance(opened.obj, pw.SqliteDatabase):
            opened.execute_sql(sql)
    with pytest.raises(connection.DATABASE_AWAY) as caught:
        opened.execute_sql("INSERT INTO one VALUES (1)")
    assert trouble_of(caught.value) is DatabaseTrouble.READ_ONLY


def test_a_mistake_of_ours_is_no_trouble_of_the_database(opened) -> None:
    opened.execute_sql("CREATE TABLE one (number integer PRIMARY KEY)")
    opened.execute_sql("INSERT INTO one VALUES (1)")
    with pytest.raises(pw.IntegrityError):
        opened.execute_sql("INSERT INTO one VALUES (1)")


def test_what_sqlite_rolled_back_by_itself_goes_on_with_nothing(tmp_path: Path) -> None:
    """On a full disk it does: what follows in the block would be written alone."""
    connection.open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with connection.db.connection_context():
        connection.db.execute_sql("CREATE TABLE one (words text)")
        with pytest.raises(connection.DATABASE_AWAY) as caught, connection.db.atomic():
            connection.db.execute_sql("INSERT INTO one VALUES ('first')")
            full(tmp_path / "x.sqlite")
            with suppress(*connection.DATABASE_AWAY):
                connection.db.execute_sql("INSERT INTO one VALUES (?)", ("x" * 100_000,))
            connection.db.execute_sql("INSERT INTO one VALUES ('last')")
        assert "rolled back" in str(caught.value)
        assert connection.db.execute_sql("SELECT count(*) FROM one").fetchall() == [(0,)]
    connection.db.obj.close()


def test_damage_met_while_rows_are_read_is_trouble_of_the_database(tmp_path: Path) -> None:
    file = tmp_path / "x.sqlite"
    connection.open_database(f"sqlite:///{file}")
    with connection.db.connection_context():
        connection.db.execute_sql("CREATE TABLE one (words text)")
        for _ in range(300):
            connection.db.execute_sql("INSERT INTO one VALUES (?)", ("x" * 1000,))
        connection.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    content = file.read_bytes()
    good = len(content) // 2 // 4096 * 4096  # bytes of whole pages
    file.write_bytes(content[:good] + b"\xff" * (len(content) - good))
    with connection.db.connection_context(), pytest.raises(connection.DATABASE_AWAY) as caught:
        list(connection.db.execute_sql("SELECT words FROM one"))
    assert trouble_of(caught.value) is DatabaseTrouble.DAMAGED
    connection.db.obj.close()
