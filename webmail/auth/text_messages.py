"""Text messages to people: how many may be sent in a day, since each costs money, and how many at once. No Flask here."""

from __future__ import annotations

import threading
from datetime import timedelta

from webmail import audit, sms
from webmail.auth import phone_numbers
from webmail.config import Settings
from webmail.database.connection import db
from webmail.database.locks import serialize
from webmail.models import AuditAct, User, now

LONGEST = sms.LONGEST
_AT_ONCE = 4  # a gateway that does not answer holds up no more threads than these
_PATIENCE = 8.0  # seconds to wait for a turn
_slots = threading.BoundedSemaphore(_AT_ONCE)


def may_send(to: User, number: str, settings: Settings, *, network: str = "", by_person: bool = False) -> bool:
    """Count a text message that is about to be sent; False where all of the day were. In the caller's transaction, if any.

    `by_person`: they asked for it themselves, signed in. The audit log knows all that were sent.
    """
    if settings.sms is None or not number:
        return False
    with db.atomic():
        serialize("text-messages")
        if audit.count_of(AuditAct.CODE_TEXTED, None, now() - timedelta(days=1)) >= settings.sms.per_day:
            return False
        actor = to if by_person else None
        audit.record(AuditAct.CODE_TEXTED, actor=actor, target=to.address, network=network, phone=phone_numbers.masked(number))
    return True


def send(number: str, text: str, settings: Settings) -> None:
    """Send one that `may_send` has counted. Outside of transactions: it takes up to twice sms.SECONDS. Raises sms.NotTexted."""
    if settings.sms is None:
        raise sms.NotTexted("there is no gateway any more")
    if not _slots.acquire(timeout=_PATIENCE):
        raise sms.NotTexted("too many text messages wait for the gateway")
    try:
        sms.send(settings.sms, number, text, settings.instance)
    finally:
        _slots.release()
