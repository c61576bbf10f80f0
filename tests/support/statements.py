"""What each integration test asks of the database, so that PostgreSQL hears every statement, and none for the twentieth time.

A plugin of pytest. `make integration` (SQLite) writes down the statements of each test, and `make integration-postgresql` takes those of
its tests that together send all of them. A statement is its words and of what kind its values are: beyond 32 or 64 bits, with a NUL,
long. Always taken is what ALWAYS names, and what is not written down: where `make integration` has not run, that is everything.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import os
import re
import time
from collections import Counter
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import peewee as pw
import pytest

PLACE = Path(".pytest_cache/integration/statements")  # forgotten with the rest of that run
ALWAYS = (
    # several at the same moment
    "dav/test_concurrency.py", "collection_pages/test_managers.py", "mailbox/test_double_clicks.py", "test_twice.py",
    "compose/test_rate_limits.py", "compose/test_two_windows.py", "mailbox/test_snooze.py", "compose/test_send_later.py",
    # Dovecot and Postfix ask too, which nobody writes down
    "accounts/test_groups.py", "auth/test_app_passwords.py", "postfix/test_app_passwords.py",
)  # fmt: skip
_LIST = re.compile(r"\(\?(, \?)*\)(, \(\?(, \?)*\))*")
_NUMBER = re.compile(r"\b\d+\b")
_SAVEPOINT = re.compile(r'(?<=SAVEPOINT ")\w+')  # another name for each
_LONG = 255  # characters

Asked = dict[str, tuple[float, set[str]]]  # by test: its seconds, its statements

_asked: Asked = {}
_statements: set[str] = set()  # of the test that runs
_unheard: set[str] = set()  # tests that failed or were skipped


def statement(sql: str, values: Iterable[Any] = ()) -> str:
    """A short name for all statements like this one."""
    words = _NUMBER.sub("0", _LIST.sub("(?)", _SAVEPOINT.sub("", sql.replace("%s", "?"))))
    kinds = sorted({_kind(value) for value in values})
    return hashlib.blake2b(f"{words} {kinds}".encode(), digest_size=8).hexdigest()


def _kind(value: object) -> str:
    if isinstance(value, int):
        return f"int {sum(abs(value) >= 2**bits for bits in (31, 63))}"
    if isinstance(value, str):
        return f"text {chr(0) in value} {len(value) > _LONG}"
    return type(value).__name__


def chosen(asked: Asked) -> set[str]:
    """Tests that together send every statement: always the one that adds the most in a second, then without those that others replace."""
    heard: Counter[str] = Counter()
    found = []
    # the first is as good as it was when it was last looked at, at most: what it adds only becomes less
    waiting = [(-len(statements) / (seconds + 0.05), name) for name, (seconds, statements) in asked.items()]
    heapq.heapify(waiting)
    while waiting:
        _worth, name = heapq.heappop(waiting)
        seconds, statements = asked[name]
        new = statements - heard.keys()
        again = (-len(new) / (seconds + 0.05), name)
        if new and waiting and waiting[0] < again:
            heapq.heappush(waiting, again)
        elif new:
            heard.update(statements)
            found.append(name)
    kept = set(found)
    for name in sorted(found, key=lambda name: (-asked[name][0], name)):
        statements = asked[name][1]
        if all(heard[one] > 1 for one in statements):
            heard.subtract(statements)
            kept.remove(name)
    return kept


def written_down() -> Asked:
    found: Asked = {}
    for file in sorted(PLACE.glob("*.json")):
        found |= {name: (seconds, set(statements)) for name, (seconds, statements) in json.loads(file.read_text()).items()}
    return found


def _on_postgresql() -> bool:
    return os.environ.get("TRABOULE_TEST_DATABASE") == "postgresql"


def pytest_configure() -> None:
    real = pw.Database.execute_sql

    def execute_sql(self: pw.Database, sql: str, params: Any = None, *more: Any, **options: Any) -> Any:
        _statements.add(statement(sql, params or ()))
        return real(self, sql, params, *more, **options)

    if not _on_postgresql():
        pw.Database.execute_sql = execute_sql


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    _statements.clear()
    began = time.monotonic()
    result = yield
    if item.nodeid not in _unheard:
        _asked[item.nodeid] = (round(time.monotonic() - began, 2), set(_statements))
    return result


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if not report.passed:
        _unheard.add(report.nodeid)


def pytest_sessionfinish() -> None:
    if _asked and not _on_postgresql():
        PLACE.mkdir(parents=True, exist_ok=True)
        file = PLACE / f"{os.environ.get('PYTEST_XDIST_WORKER', 'again')}.json"
        file.write_text(json.dumps({name: (seconds, sorted(statements)) for name, (seconds, statements) in _asked.items()}))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not _on_postgresql():
        return
    names, known = {item.nodeid for item in items}, written_down()
    taken = chosen({name: one for name, one in known.items() if name in names}) | (names - known.keys())
    rest = [
        item
        for item in items
        if item.nodeid not in taken and not item.nodeid.startswith(tuple(f"tests/integration/{file}" for file in ALWAYS))
    ]
    if rest:
        items[:] = [item for item in items if item not in set(rest)]
        config.hook.pytest_deselected(items=rest)
