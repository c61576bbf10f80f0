"""Prepared queries: those of every page, whose SQL is built once, since building takes several times as long as running."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import peewee as pw

from webmail.database.connection import db
from webmail.models.base import Table


class _Placeholder:
    """A placeholder for a value that each call supplies."""

    def __init__(self, name: str) -> None:
        self.name = name


_Maker = Callable[[Any], Any]
Slot = Callable[[str], pw.Node]  # makes the placeholder of a named value


def one_of(column: Any, name: str) -> Any:
    """The condition that a column is one of the numbers that each call supplies under this name. They are written out: a
    placeholder for each would take longer than the query."""
    return pw.Expression(column, "IN", pw.SQL(f"({{{name}}})"))


class Prepared:
    """`mine = Prepared(lambda slot: Tag.select().where(Tag.user == slot("user")))`, then `mine(user=3)`: the rows, in one SELECT.

    Values are passed to the database unconverted: numbers, strings, naive UTC times; lists of numbers for
    `one_of`.
    """

    def __init__(self, build: Callable[[Slot], Any]) -> None:
        self._build = build
        self._built: dict[type, tuple[Any, str, list[Any]]] = {}  # by kind of database: their placeholder syntax differs
        self._shapes: dict[type, _Maker] = {}  # by kind of database: the way from a row to an object

    def __call__(self, **values: Any) -> list[Any]:
        query, cursor = self._executed(values)
        rows = cursor.fetchall()
        if not rows:
            return []
        shape = self._shapes.get(type(db.obj))
        if shape is None:  # peewee would find it out anew for each cursor, which takes half of a query's time
            found = query._get_cursor_wrapper(cursor)
            found.initialize()
            found.cursor = None
            shape = self._shapes[type(db.obj)] = _maker(found)
        return [shape(row) for row in rows]

    def first(self, **values: Any) -> Any:
        """The first row, None if there is none."""
        rows = self(**values)
        return rows[0] if rows else None

    def change(self, **values: Any) -> int:
        """Of an UPDATE, a DELETE or an INSERT of several rows: how many it changed."""
        changed: int = self._executed(values)[1].rowcount
        return changed

    def plain(self, **values: Any) -> list[tuple[Any, ...]]:
        """The rows as the database gives them, of numbers and strings: wrapping many would take longer than the query."""
        found: list[tuple[Any, ...]] = self._executed(values)[1].fetchall()
        return found

    def _executed(self, values: dict[str, Any]) -> tuple[Any, Any]:
        """The query, and the cursor of its rows."""
        database = db.obj
        built = self._built.get(type(database))
        if built is None:
            query = self._build(lambda name: pw.AsIs(_Placeholder(name), converter=False))
            built = self._built[type(database)] = (query, *query.sql())
        query, text, parameters = built
        for name, value in values.items():
            if isinstance(value, list):
                text = text.replace(f"({{{name}}})", f"({', '.join(str(int(number)) for number in value) or 'NULL'})")
        return query, database.execute_sql(text, [values[p.name] if isinstance(p, _Placeholder) else p for p in parameters])


class PreparedInsert:
    """`made = PreparedInsert(Outbox)`, then `made(user=user, draft="...")`: a new row as `create` makes it, in one INSERT."""

    def __init__(self, table: type[Table]) -> None:
        self._table = table
        self._built: dict[type, tuple[str, list[pw.Field]]] = {}  # by kind of database, as above

    def __call__(self, **values: Any) -> Any:
        row: Any = self._table(**values)
        database = db.obj
        built = self._built.get(type(database))
        if built is None:
            built = self._built[type(database)] = self._statement(returning=database.returning_clause)
        text, fields = built
        cursor = database.execute_sql(text, [field.db_value(row.__data__.get(field.name)) for field in fields])
        if isinstance(self._table._meta.primary_key, pw.AutoField):
            row.id = cursor.fetchone()[0] if database.returning_clause else cursor.lastrowid
        row._dirty.clear()
        return row

    def _statement(self, *, returning: bool) -> tuple[str, list[pw.Field]]:
        """The SQL, and the fields in the order of its values."""
        fields = [field for field in self._table._meta.sorted_fields if not isinstance(field, pw.AutoField)]
        query = self._table.insert({field: pw.AsIs(_Placeholder(field.name), converter=False) for field in fields})
        text, parameters = (query.returning(self._table._meta.primary_key) if returning else query).sql()
        return text, [self._table._meta.fields[placeholder.name] for placeholder in parameters]


def _is_new_name(column: str, table: type[pw.Model]) -> bool:
    """Whether a column that is no field of the table, such as a sum, can be an attribute of its objects."""
    return column.isidentifier() and not hasattr(table, column)


def _maker(shape: Any) -> _Maker:
    """The way from a row to an object: peewee's own, or, where fields of tables are selected that are all there, one
    that looks at the shape of the row once and not at each value."""
    if type(shape) is pw.ModelObjectCursorWrapper:
        tables, sources, joins = {shape.model: shape.model}, [shape.model] * shape.ncols, []
    elif type(shape) is pw.ModelCursorWrapper:
        tables = {key: table for key, (table, _is_model) in shape.key_to_constructor.items()}
        sources, joins = shape.column_keys, shape.src_to_dest
    else:
        return shape.process_row
    selected = list(zip(sources, shape.columns, strict=True))
    plain = all(isinstance(table, type) and issubclass(table, pw.Model) for table in tables.values()) and all(
        source in tables and (column in tables[source]._meta.fields or _is_new_name(column, tables[source]))
        for source, column in selected
    )
    surely_joined = all(
        not is_dict and (to, tables[to]._meta.primary_key.name) in selected
        for _source, _attribute, to, is_dict, _is_outer, _is_key in joins
    )
    if not (plain and surely_joined):
        return shape.process_row
    at = {key: position for position, key in enumerate(tables)}
    fields = [(at[source], column, converter) for (source, column), converter in zip(selected, shape.converters, strict=True)]
    besides = [(at[source], column) for source, column in selected if column not in tables[source]._meta.fields]
    links = [(at[source], attribute, at[to], tables[to]._meta.primary_key.name) for source, attribute, to, *_kind in joins]
    first, types = at[shape.model], list(tables.values())

    def made(row: Any) -> Any:
        objects = [table(__no_default__=True) for table in types]
        for (position, column, converter), value in zip(fields, row, strict=True):
            objects[position].__data__[column] = value if converter is None else converter(value)
        for position, column in besides:
            setattr(objects[position], column, objects[position].__data__.pop(column))
        for source, attribute, to, key in links:  # an outer join may have found nothing
            setattr(objects[source], attribute, None if objects[to].__data__[key] is None else objects[to])
        for one in objects:
            one._dirty.clear()
        return objects[first]

    return made
