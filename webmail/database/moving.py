"""Moving: all rows of the database into another one, from SQLite to PostgreSQL or back, counted and compared.

The source is read as it is at one moment, while nobody can write to it, and is not changed. All that the target gets is one
transaction: whoever stops it half way leaves an empty target.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import peewee as pw

from webmail.database import migrate
from webmail.database.connection import DATABASE_AWAY, Postgresql, Sqlite, db, open_database

_AT_ONCE = 1_000  # rows that are in memory
_HISTORY = "schema_migration"
_BY_MIGRATIONS = {"index_fills", _HISTORY}  # tables that migrations put rows into: the only ones that an empty database has
_TELL_EVERY = 50_000  # rows
_WHOLE = 1 << 128
_FAULTS = (*DATABASE_AWAY, pw.DatabaseError, ImportError)
Row = tuple[Any, ...]


class MoveError(Exception):
    """Nothing was moved, for the reason in words."""


@dataclass(frozen=True, slots=True)
class TableSum:
    """`digest`: of all rows, whatever their order."""

    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class TableShape:
    """`kinds`: columns in the order in which they are read and written, each with what PostgreSQL calls its type."""

    kinds: dict[str, str]
    refers_to: frozenset[str]

    @property
    def columns(self) -> str:
        return ", ".join(f'"{name}"' for name in self.kinds)


def move(target_url: str, tell: Callable[[str], object]) -> dict[str, TableSum]:
    """Copy the database that is open into the one at `target_url`, of the other kind; returns what each table holds there.

    Afterwards the source is the one that is open, as before. Raises MoveError.
    """
    source = db.obj
    to_sqlite = isinstance(source, Postgresql)
    if not target_url.startswith("sqlite:///" if to_sqlite else ("postgresql:", "postgres:")):
        raise MoveError(f"{target_url!r} is no address of a database of {'SQLite' if to_sqlite else 'PostgreSQL'}")
    target = None
    try:
        with source.connection_context():
            target = open_database(target_url)
            with target.connection_context():
                if not target.get_tables():
                    migrate.migrate()
                return _moved(source, target, tell)
    except Exception as error:
        if not isinstance(error, _FAULTS) and type(error).__module__.split(".")[0] != "psycopg":  # COPY is not by peewee
            raise
        raise MoveError(" ".join(str(error).split())) from error
    finally:
        db.initialize(source)
        if target is not None and not target.is_closed():
            target.close()


def _moved(source: pw.Database, target: pw.Database, tell: Callable[[str], object]) -> dict[str, TableSum]:
    on_postgresql = source if isinstance(source, Postgresql) else target
    with _held_still(source), target.atomic():
        _same_tables(source, target)
        shapes = _shapes(on_postgresql)
        _must_be_empty(target, shapes)
        if isinstance(target, Sqlite):
            target.execute_sql("PRAGMA defer_foreign_keys = ON")  # a row may refer to a later one of its own table
        sums = {}
        for table in _in_order(shapes):
            shape = shapes[table]
            try:
                sent = _copy(source, target, table, shape, tell)
            except (ValueError, TypeError, OverflowError) as error:
                raise MoveError(f"{table} has a value that the other database can't hold: {error}") from error
            sums[table] = _sum(_read(target, table, shape))
            if sums[table] != sent:
                raise MoveError(f"{table} came out as another one: {sent.rows} rows were read, {sums[table].rows} are there")
            tell(f"{table}: {sent.rows}")
        if isinstance(target, Postgresql):
            _set_sequences(target, shapes)
        elif broken := target.execute_sql("PRAGMA foreign_key_check").fetchall():
            raise MoveError(f"{len(broken)} rows refer to what is not there, the first in {broken[0][0]}")
        return sums


@contextmanager
def _held_still(source: pw.Database) -> Iterator[None]:
    """One moment of the source, and nobody who writes to it meanwhile."""
    tables = ", ".join(f'"{table}"' for table in sorted(source.get_tables()))
    with source.atomic():  # on SQLite nobody else writes from here
        if isinstance(source, Postgresql):
            source.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            source.execute_sql(f"LOCK TABLE {tables} IN SHARE MODE")
        yield


def _same_tables(source: pw.Database, target: pw.Database) -> None:
    there, here = _history(target), _history(source)
    if here != there:
        first = sorted(here ^ there)[0]
        raise MoveError(
            f"the two databases are of different migrations ({first} is in one alone): bring both up to date with `migrate`"
        )


def _history(database: pw.Database) -> set[str]:
    if _HISTORY not in database.get_tables():
        return set()
    return {name for (name,) in database.execute_sql(f'SELECT name FROM "{_HISTORY}"').fetchall()}  # noqa: S608 - the name above


def _must_be_empty(target: pw.Database, shapes: Mapping[str, TableShape]) -> None:
    for table in shapes:
        if table not in _BY_MIGRATIONS and target.execute_sql(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone():  # noqa: S608 - of the catalogue
            raise MoveError(f"the target is not empty: {table} has rows. Name a database that nobody has used")
    for table in sorted(_BY_MIGRATIONS):
        target.execute_sql(f'DELETE FROM "{table}"')  # noqa: S608 - of the list above


def _shapes(database: pw.Database) -> dict[str, TableShape]:
    kinds: dict[str, dict[str, str]] = {}
    columns = database.execute_sql(
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema()"
        " AND is_generated = 'NEVER' ORDER BY table_name, ordinal_position"
    )
    for table, column, kind in columns.fetchall():
        kinds.setdefault(table, {})[column] = kind
    refers: dict[str, set[str]] = {}
    keys = database.execute_sql(
        "SELECT a.relname, b.relname FROM pg_constraint c"
        " JOIN pg_class a ON a.oid = c.conrelid JOIN pg_class b ON b.oid = c.confrelid"
        " WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace"
    )
    for table, other in keys.fetchall():
        refers.setdefault(table, set()).add(other)
    return {table: TableShape(its, frozenset(refers.get(table, ()))) for table, its in kinds.items()}


def _in_order(shapes: Mapping[str, TableShape]) -> list[str]:
    """Each after those that its rows refer to. Raises MoveError where two refer to each other."""
    ordered: list[str] = []
    left = sorted(shapes)
    while left:
        ready = [table for table in left if shapes[table].refers_to - {table} <= set(ordered)]
        if not ready:
            raise MoveError(f"these tables refer to each other: {', '.join(left)}")
        ordered += ready
        left = [table for table in left if table not in ready]
    return ordered


def _copy(
    source: pw.Database, target: pw.Database, table: str, shape: TableShape, tell: Callable[[str], object]
) -> TableSum:  # fmt: skip
    counted = _Sum()
    rows = _told(counted.passing(_read(source, table, shape)), table, tell)
    if isinstance(target, Postgresql):
        copying = f'COPY "{table}" ({shape.columns}) FROM STDIN'
        with target.connection().cursor() as cursor, cursor.copy(copying) as copy:
            for row in rows:
                copy.write_row(row)
    else:
        marks = ", ".join("?" * len(shape.kinds))
        adding = f'INSERT INTO "{table}" ({shape.columns}) VALUES ({marks})'  # noqa: S608 - of the catalogue
        target.connection().executemany(adding, (tuple(map(_for_sqlite, row)) for row in rows))
    return counted.made()


def _told(rows: Iterator[Row], table: str, tell: Callable[[str], object]) -> Iterator[Row]:
    for number, row in enumerate(rows, 1):
        yield row
        if number % _TELL_EVERY == 0:
            tell(f"{table}: {number} so far")


def _read(database: pw.Database, table: str, shape: TableShape) -> Iterator[Row]:
    """All rows, as PostgreSQL has their values."""
    query = f'SELECT {shape.columns} FROM "{table}"'  # noqa: S608 - of the catalogue
    if isinstance(database, Postgresql):
        with database.connection().cursor(name="moving") as cursor:
            cursor.itersize = _AT_ONCE
            for row in cursor.execute(query):
                yield tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
        return
    found = database.connection().execute(query)
    readers = [_READERS.get(kind, _as_it_is) for kind in shape.kinds.values()]
    for row in found:
        yield tuple(None if value is None else reader(value) for reader, value in zip(readers, row, strict=True))


def _as_it_is(value: Any) -> Any:
    return value


def _text(value: Any) -> str:
    """PostgreSQL holds no NUL: it is left out, as wherever Traboule writes there."""
    return str(value).replace("\0", "")


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _moment(value: Any) -> datetime:
    return datetime.fromisoformat(str(value))


def _day(value: Any) -> date:
    return date.fromisoformat(str(value)[:10])


_READERS: dict[str, Callable[[Any], Any]] = {
    "boolean": bool,
    "bytea": _bytes,
    "character varying": _text,
    "text": _text,
    "timestamp without time zone": _moment,
    "date": _day,
    "integer": int,
    "bigint": int,
    "smallint": int,
    "real": float,
    "double precision": float,
}


def _for_sqlite(value: Any) -> Any:
    """As peewee writes it."""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, bool) else value


class _Sum:
    """The sum of the rows that pass."""

    def __init__(self) -> None:
        self._rows, self._total = 0, 0

    def passing(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            self._rows += 1
            digest = hashlib.blake2b(repr(row).encode("utf-8", "surrogatepass"), digest_size=16).digest()
            self._total = (self._total + int.from_bytes(digest, "big")) % _WHOLE
            yield row

    def made(self) -> TableSum:
        return TableSum(self._rows, f"{self._total:032x}")


def _sum(rows: Iterator[Row]) -> TableSum:
    counted = _Sum()
    for _row in counted.passing(rows):
        pass
    return counted.made()


def _set_sequences(target: pw.Database, shapes: Mapping[str, TableShape]) -> None:
    """New rows get numbers after those that came."""
    for table, shape in shapes.items():
        if "id" not in shape.kinds:
            continue
        [sequence] = target.execute_sql("SELECT pg_get_serial_sequence(%s, 'id')", (f'"{table}"',)).fetchone()
        if sequence:
            highest = f'(SELECT max(id) FROM "{table}")'  # noqa: S608 - of the catalogue
            target.execute_sql(f"SELECT setval(%s, coalesce({highest}, 1), {highest} IS NOT NULL)", (sequence,))
