"""What is done once in a process instead of once for each test: compiling templates, the map of routes, reading static files for their
checksums, and migrating an empty SQLite file.

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
from flask import Flask
from playhouse.migrations import Runner
from werkzeug.routing import Map, Rule

from webmail import application
from webmail.database import migrate
from webmail.database.migrate import MIGRATIONS
from webmail.web import setup

_Route = tuple[str, str, str]
_compile = jinja2.Environment.compile
_apply = migrate.apply
_make = application.make
_add_url_rule = application._Application.add_url_rule
_builder = Rule._compile_builder
_compile_rule = Rule.compile
_compiled: dict[tuple[Any, ...], Any] = {}
_builders: dict[tuple[Any, ...], Any] = {}
_rules: dict[tuple[Any, ...], tuple[Any, ...]] = {}
told = False  # whether what is copied is told too, as it was the first time
_migrated: tuple[bytes, list[str], list[str]] | None = None
_making: _Routes | None = None
_map: tuple[list[_Route], Map] | None = None  # of an application with all areas


def install() -> None:
    jinja2.Environment.compile = compile_once  # type: ignore[method-assign, assignment]
    migrate.apply = copy_migrated
    application.make = make_with_known_routes
    application._Application.add_url_rule = add_url_rule_unless_known  # type: ignore[method-assign]
    Rule._compile_builder = build_once  # type: ignore[method-assign]
    Rule.compile = compile_rule_once  # type: ignore[method-assign]
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


class _Routes:
    """Those of one application: as long as they are those of the one before, in this order, they are not added, since its map has them."""

    def __init__(self) -> None:
        self.added: list[_Route] = []
        self.left_out: list[dict[str, Any]] = []

    def are_known(self, route: _Route) -> bool:
        at = len(self.added)
        return _map is not None and len(self.left_out) == at < len(_map[0]) and _map[0][at] == route

    def add_left_out(self, app: Flask) -> None:
        """It goes its own way from here."""
        left_out, self.left_out = self.left_out, []
        for arguments in left_out:
            _add_url_rule(app, **arguments)


def make_with_known_routes(settings: Any, start: str) -> Flask:
    """`application.make`: of applications with all areas, all have the map of the first one."""
    global _making, _map
    if start != "all":
        return _make(settings, start)
    _making = routes = _Routes()
    try:
        app = _make(settings, start)
    finally:
        _making = None
    if _map is None:
        _map = routes.added, app.url_map
    elif len(routes.left_out) == len(_map[0]):
        app.extensions["own_map"] = routes, app.url_map
        app.url_map = _map[1]
    else:
        routes.add_left_out(app)
    return app


def add_url_rule_unless_known(
    self: Flask, rule: str, endpoint: str | None = None, view_func: Any = None, *more: Any, **options: Any
) -> None:
    routes = _making
    if routes is None:
        if "own_map" in self.extensions:  # a route of a test's own
            later, self.url_map = self.extensions.pop("own_map")
            later.add_left_out(self)
        _add_url_rule(self, rule, endpoint, view_func, *more, **options)
        return
    name = endpoint or view_func.__name__
    told = [getattr(view_func, word, None) for word in ("methods", "required_methods", "provide_automatic_options")]
    route = rule, name, repr((more, sorted(options.items()), told))
    if not more and routes.are_known(route) and self.view_functions.get(name, view_func) is view_func:
        routes.left_out.append({"rule": rule, "endpoint": name, "view_func": view_func, **options})
        if view_func is not None:
            self.view_functions[name] = view_func
    else:
        routes.add_left_out(self)
        _add_url_rule(self, rule, endpoint, view_func, *more, **options)
    routes.added.append(route)


def copy_migrated(runner: Runner, tell: Callable[[str], object]) -> list[str]:
    """`migrate.apply`, which for an empty SQLite file copies one that is migrated already."""
    global _migrated
    database = runner.database
    plain = isinstance(database, pw.SqliteDatabase) and Path(runner.directory) == MIGRATIONS
    if not plain or database.in_transaction() or database.get_tables():
        return _apply(runner, tell)
    if _migrated is None:
        words: list[str] = []

        def heard(text: str) -> None:
            words.append(text)
            tell(text)

        applied = _apply(runner, heard)
        kept = sqlite3.connect(":memory:")
        database.connection().backup(kept)
        content = bytearray(kept.serialize())
        content[18:20] = b"\2\2"  # read and written by way of a log, as Traboule's files are
        _migrated = (bytes(content), applied, words)
        return applied
    content, applied, words = _migrated
    _fill(database, content)
    if told:
        for text in words:
            tell(text)
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
