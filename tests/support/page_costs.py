"""What a page costs: calls of Python (`total_calls` of cProfile, C included) and SELECTs, neither of which a busy machine changes."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Iterable
from statistics import median
from typing import NamedTuple, cast

import pytest
from werkzeug.test import EnvironBuilder

from tests.support.visits import Visitor
from webmail.database.connection import db

_WARM = 8  # visits before: templates, caches and connections are there
_TIMES = 5


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


def _calls(visitor: Visitor, path: str) -> int:
    where, _mark, query = path.partition("?")
    environ = EnvironBuilder(where, query_string=query, environ_base=visitor.client.environ_base).get_environ()
    visitor.client._add_cookies_to_wsgi(environ)
    profile = cProfile.Profile()
    profile.enable()
    body = visitor.client.application.wsgi_app(environ, lambda *_given: lambda _piece: None)
    b"".join(cast("Iterable[bytes]", body))
    body.close()
    profile.disable()
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def _selects(visitor: Visitor, path: str) -> int:
    asked: list[str] = []
    execute = type(db.obj).execute_sql

    def noted(self: object, sql: str, *values: object, **more: object) -> object:
        asked.append(sql)
        return execute(self, sql, *values, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(db.obj), "execute_sql", noted)
        visitor.client.get(path)
    return sum(sql.lstrip("(").startswith("SELECT") for sql in asked)
