"""For all levels. The real servers are in integration/conftest.py and browser/conftest.py."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.s3_server import S3Server

_HERE = Path(__file__).parent
_EVERY_PYTHON = _HERE / "support" / "every_python"
# settings of the developer's own shell are not the tests' business
for _name in [name for name in os.environ if name.startswith("WEBMAIL_")]:
    del os.environ[_name]


def pytest_configure() -> None:
    from deploy.demo import child
    from tests.support import clock, light_passwords, once, unsynced
    from webmail import translations
    from webmail.web import late_areas

    translations.build()  # before any worker, and for who types pytest without make
    clock.install()
    once.install()
    light_passwords.install()
    unsynced.tables()
    unsynced.queue()
    # what tests start does so too
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([str(_EVERY_PYTHON), str(_HERE.parent), *filter(None, given)]))
    late_areas.build()  # for the servers that tests start
    # workers that begin at the same moment pick no port alike
    worker, workers = os.environ.get("PYTEST_XDIST_WORKER", "gw0"), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    child.PORTS = child.PORTS[int(worker.removeprefix("gw")) % workers :: workers]


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is there now stays to the end: the collector of rubbish need not go through it each time."""
    gc.collect()
    gc.freeze()


_MISSING = ("no PostgreSQL", "not installed")  # reasons of tests that skip for want of a server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Continuous integration has all servers: a test that skips there for want of one has failed."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and any(words in str(report.longrepr) for words in _MISSING):
        report.outcome, report.longrepr = "failed", f"skipped, though CI=true: {report.longrepr}"
    return report


_LONGEST = [
    f"test_{name}.py"
    for name in (
        "every_page", "attacks", "life", "panes", "settings", "factors", "weights", "calendar_views", "w3m", "journeys", "clicks",
        "milter", "absence", "kept_drafts", "selection", "postfix", "nginx", "huge_messages", "full_text_index", "locks", "oidc",
        "jobs", "route_table", "backup", "managers", "event_pages", "database_trouble", "runner",
    )
]  # fmt: skip


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest first, so that no worker begins one when the others have done."""
    items.sort(key=lambda item: _LONGEST.index(item.path.name) if item.path.name in _LONGEST else len(_LONGEST))


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server; `s3.bucket()` is a place of its own in it. TRABOULE_TEST_S3=rclone: the other one."""
    from tests.support.s3_server import running

    with running(tmp_path_factory.mktemp("s3"), os.environ.get("TRABOULE_TEST_S3") or "nanio") as server:
        yield server


@pytest.fixture(autouse=True)
def _fresh_memory() -> None:
    """No test sees what another left in the process's memory of rows, folders and servers."""
    from webmail.imap.connections import circuit_breaker, pool
    from webmail.imap.lists import summary_cache
    from webmail.imap.mailbox_list import overviews, recount
    from webmail.imap.reading import earlier_messages

    summary_cache.forget_all()
    earlier_messages.forget_all()
    overviews._overviews.clear()
    recount._next.clear()
    recount._away.clear()
    circuit_breaker.forget_all()
    pool._pool.silent.clear()
