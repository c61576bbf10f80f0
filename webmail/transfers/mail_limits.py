"""Mail limits: how many people somebody may still mail links to, or ask for files.

They are the hourly and daily numbers of those whom one may write to at all.

What was sent as mail counts with the links. The limit of mail itself does not count links: it stands above this area.
"""

from __future__ import annotations

from datetime import timedelta

import peewee as pw

from webmail.config.settings import Settings
from webmail.models import FileRequest, FileRequestInvite, Outbox, OutboxState, Transfer, TransferRecipient, User, now
from webmail.people import policies

UNLIMITED = 1_000_000


def people_left(owner: User, settings: Settings) -> int:
    """The number of people; UNLIMITED without a limit. Three SELECTs for each limit that is set."""
    hour, day = policies.recipient_limits(owner, settings)
    left = [most - _written_to(owner, span) for most, span in ((hour, timedelta(hours=1)), (day, timedelta(days=1))) if most > 0]
    return max(min(left, default=UNLIMITED), 0)


def _written_to(owner: User, span: timedelta) -> int:
    since = now() - span
    sent = (Outbox.user == owner) & (Outbox.created > since) & Outbox.state.not_in([OutboxState.CANCELLED, OutboxState.FAILED])
    mailed = TransferRecipient.select(pw.fn.COUNT(TransferRecipient.id)).join(Transfer)
    links = mailed.where((Transfer.owner == owner) & (TransferRecipient.notified > since)).scalar()
    lately = (FileRequestInvite.invited > since) | (FileRequestInvite.reminded > since)
    asked = FileRequestInvite.select().join(FileRequest).where((FileRequest.owner == owner) & lately).count()
    return int(Outbox.select(pw.fn.SUM(Outbox.people)).where(sent).scalar() or 0) + int(links or 0) + asked
