"""What the worker does for calendars and address books alike."""

from __future__ import annotations

from webmail.collections import leaving, store, trash
from webmail.tasks.periodic import AreaWork, Periodic, swept

WORK = AreaWork(
    periodic=(Periodic("leaving calendars", swept(lambda _settings: leaving.sweep())),),  # deleted; they are hidden already
    expire=(trash.expire, store.forget_gone),
)
