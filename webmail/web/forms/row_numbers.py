"""Numbers of rows in addresses: what no row can have is no page, rather than an error of the database."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.routing import IntegerConverter, Map, PathConverter

LARGEST = 2**63 - 1  # of a row, in SQLite and PostgreSQL


class RowNumberConverter(IntegerConverter):
    """`<int:...>` of every rule."""

    def __init__(self, rules: Map, *arguments: Any, **more: Any) -> None:
        super().__init__(rules, *arguments, **{"max": LARGEST, **more})


class AnyPathConverter(PathConverter):
    """Paths with line ends too: a program that asks for one is told in its own language that there is nothing."""

    regex = r"[^/](?:.|\n)*?"


def install(app: Flask) -> None:
    """Before any rule is added."""
    app.url_map.converters["int"] = RowNumberConverter
    app.url_map.converters["any_path"] = AnyPathConverter
