"""What is done once in a process instead of once for each test: compiling templates and routes, reading static files for their checksums,
and migrating an empty SQLite file.

Nothing waits until the disk has it either: a process that is killed loses nothing by that, and nobody pulls the plug of a test.

That is half of the time of a suite in which nearly every test has an application and a database of its own. A third of the rest was
looking for garbage: thousands of routes and rows are made, and nearly all of it is freed without.
"""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import peewee as pw
from playhouse.migrations import Runner
from werkzeug.routing import Rule

from webmail.database import migrate
from webmail.database.connection import Sqlite
from webmail.database.migrate import MIGRATIONS
from webmail.web import setup

_compile = jinja2.Environment.compile
_apply = migrate.apply
_builder = Rule._compile_builder
_compile_rule = Rule.compile
_connect = Sqlite._connect
_compiled: dict[tuple[Any, ...], Any] = {}
_builders: dict[tuple[Any, ...], Any] = {}
_rules: dict[tuple[Any, ...], tuple[Any, ...]] = {}
told = False  # whether each migration that is copied is told too: sixty lines in the log of each application
_migrated: tuple[bytes, list[str]] | None = None


def install() -> None:
    jinja2.Environment.compile = compile_once  # type: ignore[method-assign, assignment]
    migrate.apply = copy_migrated
    Rule._compile_builder = build_once  # type: ignore[method-assign]
    Rule.compile = compile_rule_once  # type: ignore[method-assign]
    Sqlite._connect = connect_without_syncing  # type: ignore[method-assign]
    setup._versions = cache(setup._versions)
    gc.set_threshold(20_000, 20, 20)


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


def compile_rule_once(self: Rule) -> None:
    """`Rule.compile`, whose parts are the same in each application that knows the same converters."""
    assert self.map is not None
    here = (self.map.host_matching, self.merge_slashes, frozenset(self.map.converters.items()))
    key = (self.rule, self.host, self.subdomain, repr(self.defaults), *here)
    if key not in _rules:
        _compile_rule(self)
        builders = (self._compile_builder(False), self._compile_builder(True))
        _rules[key] = (self._parts, self._trace, self._converters, set(self.arguments), *builders)
        return
    self._parts, self._trace, self._converters, arguments, build, build_unknown = _rules[key]
    self.arguments = set(arguments)
    self._build = build.__get__(self, None)
    self._build_unknown = build_unknown.__get__(self, None)


def connect_without_syncing(self: Sqlite) -> sqlite3.Connection:
    connection = _connect(self)
    connection.execute("PRAGMA synchronous = off").close()
    return connection


def copy_migrated(runner: Runner, tell: Callable[[str], object]) -> list[str]:
    """`migrate.apply`, which for an empty SQLite file copies one that is migrated already."""
    global _migrated
    database = runner.database
    plain = isinstance(database, pw.SqliteDatabase) and Path(runner.directory) == MIGRATIONS
    if not plain or database.in_transaction() or database.get_tables():
        return _apply(runner, tell)
    if _migrated is None:
        applied = _apply(runner, tell)
        kept = sqlite3.connect(":memory:")
        database.connection().backup(kept)
        content = bytearray(kept.serialize())
        content[18:20] = b"\2\2"  # read and written by way of a log, as Traboule's files are
        _migrated = (bytes(content), applied)
        return applied
    content, applied = _migrated
    _fill(database, content)
    if told:
        for number, name in enumerate(applied, 1):
            tell(f"applying {name} ({number} of {len(applied)})")
    return list(applied)


def _fill(database: pw.SqliteDatabase, content: bytes) -> None:
    """Write the file itself: by way of SQLite's log each page is written twice. Unless another thread or process has it open."""
    file = Path(database.database)
    database.connection().close()
    alone = file.is_file() and not file.with_name(f"{file.name}-wal").exists()
    if alone:
        with file.open("r+b") as opened:
            opened.write(content)
    database._state.conn = database._connect()  # in the middle of `connection_context`
    if not alone:
        kept = sqlite3.connect(":memory:")
        kept.deserialize(content)
        kept.backup(database.connection())
