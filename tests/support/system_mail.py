"""A message of the establishment, and the worker's turn at it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from webmail import system_mail
from webmail.models import OutboxState, SystemMessage, now

SOPHIE = "sophie@ailleurs.example"


def queued(recipient: str = SOPHIE, subject: str = "Rentrée", body: str = "À lundi.\n", dedup: str = "") -> SystemMessage:
    row = system_mail.send(recipient, "notice", subject, body, "fr", dedup)
    assert row is not None
    return row


def again(row: SystemMessage) -> SystemMessage:
    """The row as it is now."""
    return SystemMessage.get_by_id(row.id)


def turn(here: Any, row: SystemMessage) -> SystemMessage:
    """What a worker does that comes by long after the row's due time and lease."""
    past = now() - timedelta(days=365)
    SystemMessage.update(due=past).where(SystemMessage.id == row.id).execute()
    SystemMessage.update(lease=past).where((SystemMessage.id == row.id) & SystemMessage.lease.is_null(False)).execute()
    for due in system_mail.sweep():
        system_mail.deliver(due, here.settings)
    return again(row)


def is_over(row: SystemMessage) -> bool:
    return again(row).state not in (OutboxState.WAITING, OutboxState.SENDING)
