"""What the worker does for calendars and address books alike."""

from __future__ import annotations

from webmail.collections import leaving, store, trash
from webmail.tasks.periodic import AreaWork, Periodic, swept

WORK = AreaWork(
    periodic=(
        # deleted; they are hidden already
        Periodic("leaving calendars", swept(lambda _settings: leaving.sweep()), pending=lambda _settings: [leaving.pending()]),
    ),
    expire=(trash.expire, store.forget_gone),
)
