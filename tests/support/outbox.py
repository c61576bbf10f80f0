"""A message's row in the outbox, and the worker's turn at it."""

from datetime import UTC, datetime
from typing import Any

import peewee as pw

from webmail.compose.outbox import delivery, status
from webmail.mail import Draft
from webmail.mime import builder
from webmail.models import Outbox, User


def row_of(sent):
    return Outbox.get(Outbox.id == sent.id)


def deliver(here, sent):
    return delivery.deliver(sent.id, here.settings, here.account)


def bytes_of(draft: Draft, *, include_bcc: bool = False) -> bytes:
    """The message, dated now."""
    return builder.build(draft, date=datetime.now(UTC), include_bcc=include_bcc)


def pending(user: User) -> status.OutboxStatus:
    """What pages tell of a person's outbox."""
    mine = status.of_person(lambda _name: user.id)
    found: Any = Outbox.select(Outbox.state, pw.fn.COUNT(Outbox.id)).where(mine).group_by(Outbox.state).tuples()
    return status.of_counts(found)
