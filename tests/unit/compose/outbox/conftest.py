"""What became of one message."""

from __future__ import annotations

import pytest

from tests.support.outbox import deliver, row_of
from webmail.models import OutboxState


@pytest.fixture
def uncertain(here):
    """A message of which nobody knows whether it arrived."""
    here.server.faults = ["drop@answer", "ok"]
    sent = here.enqueue(here.draft())
    deliver(here, sent)
    assert row_of(sent).state == OutboxState.UNCERTAIN
    return sent
