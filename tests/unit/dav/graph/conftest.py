"""A mailbox of Microsoft 365 and Alice's twin of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.support.fakes.graph_mailbox import GraphMailbox
from tests.support.graph_pair import GraphPair
from webmail.collections.store import CALENDAR
from webmail.dav.remote import side
from webmail.models import User


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long round lets others write in between: here there are none."""
    monkeypatch.setattr(side, "give_way", lambda _seconds: None)


@pytest.fixture
def mailbox() -> GraphMailbox:
    return GraphMailbox()


@pytest.fixture
def pair(app: Flask, mailbox: GraphMailbox, alice: User) -> Callable[..., GraphPair]:
    return lambda kind=CALENDAR: GraphPair(mailbox, app.extensions["settings"], alice, kind)
