"""Timetable of a worker: when which periodic work is due, and a thread for each that is under way, so that what waits for a slow
server delays nothing else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from webmail.database.connection import DATABASE_AWAY, advice, db
from webmail.tasks import heartbeat
from webmail.tasks.periodic import Periodic

log = logging.getLogger(__name__)

LONGEST = timedelta(minutes=1)  # until it looks again, whatever it knows: somebody may have changed the table
_BUSY = timedelta(seconds=5)  # until it looks again for what is still under way


class Timetable:
    """`look` again and again, from one thread: it begins what is due. Between two times it knows that nothing is, and asks
    nobody."""

    def __init__(self, works: Iterable[Periodic], do: Callable[[Periodic], None]) -> None:
        self._works = {one.name: one for one in works}
        self._do = do
        self._running: dict[str, threading.Thread] = {}
        self._own: dict[str, float] = {}  # when work of all workers is due here
        self._next = 0.0

    def look(self) -> None:
        """Begin what is due, unless another worker does it or its last time is not over. One query where something may be due,
        and one more for each that is. Raises what DATABASE_AWAY names."""
        at = time.monotonic()
        if at < self._next:
            return
        busy = {name for name, thread in self._running.items() if thread.is_alive()}
        free = {name: one for name, one in self._works.items() if name not in busy}
        mine = {name for name, one in free.items() if one.by_all and at >= self._own.get(name, 0.0)}
        shared = {name: one.every for name, one in free.items() if not one.by_all}
        claimed: set[str] = set()
        waits = [_BUSY.total_seconds()] if busy else []
        if shared:
            with db.connection_context():
                claimed, wait = heartbeat.claim_due(shared)
            waits.append(wait.total_seconds())
        self._own.update({name: at + free[name].every.total_seconds() for name in mine})
        waits += [self._own[name] - at for name, one in free.items() if one.by_all]
        self._next = at + min([LONGEST.total_seconds(), *waits])
        for name in (*mine, *claimed):
            self._running[name] = threading.Thread(target=self._work, args=(free[name],), name=name, daemon=True)
            self._running[name].start()

    def wait(self) -> None:
        """Until what was begun is over."""
        for thread in self._running.values():
            thread.join()

    def _work(self, work: Periodic) -> None:
        try:
            self._do(work)
        except DATABASE_AWAY as error:
            log.warning("%s waits: the database %s", work.name, advice(error))
        except Exception:
            log.exception("%s broke", work.name)
