"""What a page costs: calls of Python (`total_calls` of cProfile, C included), SELECTs, and what is asked of the mail server, none of
which a busy machine changes."""

from __future__ import annotations

import cProfile
import pstats
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any, NamedTuple, cast

import peewee as pw
import pytest
from werkzeug.test import EnvironBuilder

from tests.support.visits import Page, Visitor
from webmail.database.connection import db
from webmail.imap.connections.connection import Connection

_WARM = 8  # visits before: templates, caches and connections are there
_TIMES = 5
_COMMIT = "COMMIT"


class PressCost(NamedTuple):
    """Of a button: what it asks, and how often the database has to keep something for good."""

    selects: int
    kept: int


class PageCost(NamedTuple):
    """Of one warm visit."""

    calls: int
    selects: int


def page_cost(visitor: Visitor, path: str) -> PageCost:
    """Raises AssertionError where the page is not there; an address that leads to another (a new draft's) is that one."""
    for _visit in range(_WARM):
        answer = visitor.client.get(path)
        if answer.status_code == 303:
            path = answer.headers["Location"]
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    return PageCost(round(median(_calls(visitor, path) for _visit in range(_TIMES))), _selects(visitor, path))


class MailCost(NamedTuple):
    """Of visits, before their answers: round trips to the mail server, and bytes that came back."""

    round_trips: int
    size: int


def mail_cost(visitor: Visitor, *paths: str) -> MailCost:
    """Raises AssertionError where a page is not there."""
    here, sizes, taken = threading.get_ident(), [], Connection._taken

    def counted(self: Connection, commands: Any, answers: list[Any]) -> dict[str, list[Any]]:
        told = taken(self, commands, answers)
        if threading.get_ident() == here:  # others ask after the answer
            sizes.append(sum(_size(line) for lines in told.values() for line in lines))
        return told

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "_taken", counted)
        for path in paths:
            answer = visitor.client.get(path)
            assert answer.status_code == 200, f"{path}: {answer.status_code}"
    return MailCost(len(sizes), sum(sizes))


def _size(line: Any) -> int:
    return sum(map(_size, line)) if isinstance(line, tuple) else len(line or b"")


def _calls(visitor: Visitor, path: str) -> int:
    where, _mark, query = path.partition("?")
    environ = EnvironBuilder(where, query_string=query, environ_base=visitor.client.environ_base).get_environ()
    visitor.client._add_cookies_to_wsgi(environ)

    def answer() -> None:
        body = visitor.client.application.wsgi_app(environ, lambda *_given: lambda _piece: None)
        b"".join(cast("Iterable[bytes]", body))
        body.close()

    return python_calls(answer)


def python_calls(act: Callable[[], object]) -> int:
    profile = cProfile.Profile()
    profile.enable()
    act()
    profile.disable()
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def _selects(visitor: Visitor, path: str) -> int:
    with _asked() as asked:
        visitor.client.get(path)
    return sum(map(_is_select, asked))


def press_cost(press: Callable[[], Page]) -> PressCost:
    """Raises AssertionError where the button leads nowhere."""
    with _asked() as asked:
        answer = press()
    assert answer.status == 303, answer.text
    return PressCost(sum(map(_is_select, asked)), sum(sql.startswith((_COMMIT, "INSERT", "UPDATE", "DELETE")) for sql in asked))


def _is_select(sql: str) -> bool:
    return sql.lstrip("(").startswith("SELECT")


@contextmanager
def _asked() -> Iterator[list[str]]:
    """What this thread asks the database meanwhile; of a transaction its SELECTs and its end."""
    asked: list[str] = []
    here, kind = threading.get_ident(), type(db.obj)
    execute, commit = kind.execute_sql, kind.commit

    def noted(self: pw.Database, sql: str, *values: object, **more: object) -> object:
        if threading.get_ident() == here and (_is_select(sql) or not self.in_transaction()):
            asked.append(sql)
        return execute(self, sql, *values, **more)

    def ended(self: pw.Database) -> object:
        if threading.get_ident() == here:
            asked.append(_COMMIT)
        return commit(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "execute_sql", noted)
        patch.setattr(kind, "commit", ended)
        yield asked
