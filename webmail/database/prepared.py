"""SELECTs that every page asks, their text built once: building it takes several times as long as running it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import peewee as pw

from webmail.database.connection import db


class _Slot:
    """Stands in the text for a value that each run gives."""

    def __init__(self, name: str) -> None:
        self.name = name


Slot = Callable[[str], pw.Node]  # makes the place of a named value


class Prepared:
    """`mine = Prepared(lambda slot: Tag.select().where(Tag.user == slot("user")))`, then `mine(user=3)`: the rows, in one SELECT.

    Values go to the database as they are given: numbers, strings, naive UTC times.
    """

    def __init__(self, build: Callable[[Slot], Any]) -> None:
        self._build = build
        self._built: dict[type, tuple[Any, str, list[Any]]] = {}  # by kind of database: they write placeholders differently

    def __call__(self, **values: Any) -> list[Any]:
        database = db.obj
        built = self._built.get(type(database))
        if built is None:
            query = self._build(lambda name: pw.AsIs(_Slot(name), converter=False))
            built = self._built[type(database)] = (query, *query.sql())
        query, text, parameters = built
        cursor = database.execute_sql(text, [values[p.name] if isinstance(p, _Slot) else p for p in parameters])
        return list(query._get_cursor_wrapper(cursor))
