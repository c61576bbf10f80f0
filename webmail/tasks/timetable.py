"""Timetable of a worker: when which periodic work is due, and a thread for each that is under way, so that what waits for a slow
server delays nothing else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, advice, db
from webmail.tasks import heartbeat
from webmail.tasks.periodic import Periodic

log = logging.getLogger(__name__)

LONGEST = timedelta(minutes=1)  # until it looks at the table again, whatever it knows: somebody may have changed it
UNASKED = timedelta(hours=1)  # so often work is done whatever its `pending` finds: it also forgets what is old
_BUSY = timedelta(seconds=5)  # until it looks again for what is still under way


class Timetable:
    """`look` again and again, from one thread: it begins what is due. Between two times it knows that nothing is, and asks
    nobody."""

    def __init__(self, works: Iterable[Periodic], do: Callable[[Periodic], None], settings: Settings) -> None:
        self._works = {one.name: one for one in works}
        self._do = do
        self._settings = settings
        self._running: dict[str, threading.Thread] = {}
        self._next: dict[str, float] = {}  # when each is looked at again; at once where it is not here
        self._begun: dict[str, float] = {}  # when this worker last began each

    def look(self) -> None:
        """Begin what is due, unless another worker does it or its last time is not over. One query for all that can say whether
        there is anything to do, one where something else may be due, and one more for each that is. Raises what DATABASE_AWAY
        names."""
        at = time.monotonic()
        looked_at = [one for one in self._works.values() if at >= self._next.get(one.name, 0.0)]
        busy = {one.name for one in looked_at if (thread := self._running.get(one.name)) and thread.is_alive()}
        free = [one for one in looked_at if one.name not in busy]
        if free:
            with db.connection_context():
                begun = self._claimed(self._wanted(free, at), at)
            for one in begun:
                self._begun[one.name] = at
                self._running[one.name] = threading.Thread(target=self._work, args=(one,), name=one.name, daemon=True)
                self._running[one.name].start()
        self._next |= dict.fromkeys(busy, at + _BUSY.total_seconds())

    def _wanted(self, works: list[Periodic], at: float) -> list[Periodic]:
        """Those of these that have something to do, or can't say. The others are asked again when their time is over."""
        sure = at - UNASKED.total_seconds()
        asked = [one for one in works if one.pending and self._begun.get(one.name, sure) > sure]
        idle = self._idle(asked) if asked else set()
        self._next |= {one.name: at + one.every.total_seconds() for one in works if one.name in idle}
        return [one for one in works if one.name not in idle]

    def _idle(self, works: list[Periodic]) -> set[str]:
        """Those of these that have nothing to do. Where the one query for all fails, each is asked alone: what can't say is
        begun, and holds up none of the others."""
        try:
            return self._finding_nothing(works)
        except Exception as error:
            if len(works) > 1:
                return {name for one in works for name in self._idle([one])}
            log.warning("%s can't say whether there is anything to do: %s", works[0].name, error)
            return set()

    def _finding_nothing(self, works: list[Periodic]) -> set[str]:
        asked = {one.name: one.pending(self._settings) for one in works if one.pending}
        return asked.keys() - heartbeat.found(asked)

    def _claimed(self, works: list[Periodic], at: float) -> list[Periodic]:
        shared = {one.name: one.every for one in works if not one.by_all}
        claimed, waits = heartbeat.claim_due(shared) if shared else (set(), {})
        waits |= {one.name: one.every for one in works if one.by_all}
        self._next |= {name: at + min(wait, LONGEST).total_seconds() for name, wait in waits.items()}
        return [one for one in works if one.by_all or one.name in claimed]

    def wait(self) -> None:
        """Until what was begun is over."""
        for thread in self._running.values():
            thread.join()

    def _work(self, work: Periodic) -> None:
        try:
            self._do(work)
        except DATABASE_AWAY as error:
            log.warning("%s waits: the database %s", work.name, advice(error))
        except Exception as error:
            log.exception("%s broke", work.name)
            self._note(work, error)

    def _note(self, work: Periodic, broken: Exception) -> None:
        """For the overview of administrators."""
        try:
            with db.connection_context():
                heartbeat.note_broken(work.name, broken)
        except DATABASE_AWAY as error:
            log.warning("that %s broke is not noted: the database %s", work.name, advice(error))
