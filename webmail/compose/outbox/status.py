"""Outbox status: how many messages are waiting or need the user's attention, shown on every page."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from webmail.database.prepared import Slot
from webmail.models import Outbox, OutboxState, User
from webmail.tasks import heartbeat


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """How many messages are waiting, and how many need attention: failed, uncertain, or refused for some recipients."""

    waiting: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.waiting + self.failed


@dataclass(frozen=True, slots=True)
class TroubledMessage:
    """A message that needs attention: its subject, shortened, and how many of its recipients (0 if unknown) were refused."""

    subject: str
    state: str
    refused: int
    people: int


_LONGEST = 60  # characters of a subject in a notice
_COUNTED = [OutboxState.WAITING, OutboxState.SENDING, OutboxState.FAILED, OutboxState.UNCERTAIN]
_REFUSED = (Outbox.state == OutboxState.SENT) & (Outbox.refused != "{}")


def of_person(placeholder: Slot) -> Any:
    """The condition for the messages that the status counts, by an index. Every page asks for it."""
    return (Outbox.user == placeholder("user")) & (Outbox.state.in_(_COUNTED) | _REFUSED)


def is_stopped() -> bool:
    """Whether nothing is sent at the moment, because no worker is alive. 1 query, for the pages about sending."""
    return not heartbeat.is_alive(heartbeat.last_seen())


def of_counts(found: Iterable[tuple[str, int]]) -> OutboxStatus:
    """The status, from the number of those messages in each state."""
    counts = dict(found)
    waiting = counts.get(OutboxState.WAITING, 0) + counts.get(OutboxState.SENDING, 0)
    return OutboxStatus(waiting, sum(counts.values()) - waiting)


def troubled_message(user: User) -> TroubledMessage | None:
    """The latest message that needs attention. 1 query, only for pages that tell of one."""
    troubled = Outbox.state.in_([OutboxState.FAILED, OutboxState.UNCERTAIN]) | _REFUSED
    columns = (Outbox.subject, Outbox.state, Outbox.refused, Outbox.people)
    row = Outbox.select(*columns).where((Outbox.user == user) & troubled).order_by(Outbox.created.desc()).first()
    if row is None:
        return None
    subject = row.subject if len(row.subject) <= _LONGEST else row.subject[: _LONGEST - 1].rstrip() + "…"
    return TroubledMessage(subject, row.state, len(json.loads(row.refused)), row.people or 0)
