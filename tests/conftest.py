"""For all levels. The real servers are in integration/conftest.py and browser/conftest.py."""

from __future__ import annotations

import os

import pytest

# settings of the developer's own shell are not the tests' business
for _name in [name for name in os.environ if name.startswith("WEBMAIL_")]:
    del os.environ[_name]


@pytest.fixture(autouse=True)
def _fresh_memory() -> None:
    """No test sees what another left in the process's memory of rows, folders and servers."""
    from webmail.imap import circuit_breaker, mailboxes, summary_cache

    summary_cache.forget_all()
    mailboxes._overviews.clear()
    circuit_breaker.forget_all()
