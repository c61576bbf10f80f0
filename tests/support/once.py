"""What is done once in a process instead of once for each test: compiling templates and routes, and migrating an empty SQLite file.

That is half of the time of a suite in which nearly every test has an application and a database of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import peewee as pw
from playhouse.migrations import Runner
from werkzeug.routing import Rule

from webmail.database import migrate
from webmail.database.migrate import MIGRATIONS

_compile = jinja2.Environment.compile
_apply = migrate.apply
_builder = Rule._compile_builder
_compiled: dict[tuple[Any, ...], Any] = {}
_builders: dict[tuple[Any, ...], Any] = {}
_migrated: tuple[sqlite3.Connection, list[str]] | None = None


def install() -> None:
    jinja2.Environment.compile = compile_once  # type: ignore[method-assign, assignment]
    migrate.apply = copy_migrated
    Rule._compile_builder = build_once  # type: ignore[method-assign]


def compile_once(
    self: jinja2.Environment, source: Any, name: Any = None, filename: Any = None, raw: bool = False, defer_init: bool = False
) -> Any:
    """`Environment.compile`, whose code is the same for environments that know the same filters, tests and extensions."""
    if not isinstance(source, str):
        return _compile(self, source, name, filename, raw, defer_init)
    options = (self.trim_blocks, self.lstrip_blocks, *map(frozenset, (self.filters, self.tests, self.extensions)))
    key = (source, name, filename, raw, options)
    if key not in _compiled:
        _compiled[key] = _compile(self, source, name, filename, raw, defer_init)
    return _compiled[key]


def build_once(self: Rule, append_unknown: bool = True) -> Any:
    """`Rule._compile_builder`: the function that makes a rule's addresses, which takes the rule as its first argument."""
    key = (self.rule, tuple(self._trace), repr(self.defaults), append_unknown)
    if key not in _builders:
        _builders[key] = _builder(self, append_unknown)
    return _builders[key]


def copy_migrated(runner: Runner, tell: Callable[[str], object]) -> list[str]:
    """`migrate.apply`, which for an empty SQLite file copies one that is migrated already."""
    global _migrated
    database = runner.database
    plain = isinstance(database, pw.SqliteDatabase) and Path(runner.directory) == MIGRATIONS
    if not plain or database.in_transaction() or database.get_tables():
        return _apply(runner, tell)
    if _migrated is None:
        applied = _apply(runner, tell)
        kept = sqlite3.connect(":memory:", check_same_thread=False)
        database.connection().backup(kept)
        _migrated = (kept, applied)
        return applied
    kept, applied = _migrated
    kept.backup(database.connection())
    for number, name in enumerate(applied, 1):
        tell(f"applying {name} ({number} of {len(applied)})")
    return list(applied)
