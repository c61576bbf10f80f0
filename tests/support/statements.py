"""What each integration test asks of the database, so that PostgreSQL hears every statement, and none for the twentieth time.

A plugin of pytest. `make integration` (SQLite) writes down the statements of each test, and `make integration-postgresql` takes those of
its tests that together send all of them. A statement is its words and of what kind its values are: beyond 32 or 64 bits, with a NUL,
long. Always taken is what ALWAYS names, and what is not written down: where `make integration` has not run, that is everything.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
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
_LONG = 255  # characters

Asked = dict[str, tuple[float, set[str]]]  # by test: its seconds, its statements

_asked: Asked = {}
_statements: set[str] = set()  # of the test that runs
_unheard: set[str] = set()  # tests that failed or were skipped


def statement(sql: str, values: Iterable[Any] = ()) -> str:
    """A short name for all statements like this one."""
    words = _NUMBER.sub("0", _LIST.sub("(?)", sql.replace("%s", "?")))
    kinds = sorted({_kind(value) for value in values})
    return hashlib.blake2b(f"{words} {kinds}".encode(), digest_size=8).hexdigest()


def _kind(value: object) -> str:
    if isinstance(value, int):
        return f"int {sum(abs(value) >= 2**bits for bits in (31, 63))}"
    if isinstance(value, str):
        return f"text {chr(0) in value} {len(value) > _LONG}"
    return type(value).__name__


def chosen(asked: Asked) -> set[str]:
    """Tests that together send every statement: those first that send the most in a second."""
    heard: set[str] = set()
    found = set()
    for name, (_seconds, statements) in sorted(asked.items(), key=lambda one: (-len(one[1][1]) / (one[1][0] + 0.05), one[0])):
        if statements - heard:
            found.add(name)
            heard |= statements
    return found


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
