"""Counts of the outbox, for administrators: numbers alone, of nobody's messages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import peewee as pw

from webmail.models import Outbox, OutboxState

TOLD = (OutboxState.WAITING, OutboxState.SENDING, OutboxState.FAILED, OutboxState.UNCERTAIN)


def by_state() -> dict[str, int]:
    """How many messages are in each state of TOLD. 1 SELECT."""
    found: Any = Outbox.select(Outbox.state, pw.fn.COUNT(Outbox.id)).where(Outbox.state.in_(TOLD)).group_by(Outbox.state)
    return {str(state): 0 for state in TOLD} | dict(found.tuples())


def sent_since(when: datetime) -> int:
    """How many the mail server accepted since then. 1 SELECT."""
    return Outbox.select().where(Outbox.sent_at >= when).count()
