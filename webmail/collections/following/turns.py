"""Turns of what is followed on other servers: each row is due, is taken by one worker at a time, on one machine, and comes again:
soon, later each time that something went wrong, or when the server says.

A table of rows that are followed has the columns due, working, failures, tried, succeeded, error and error_host.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.database.locks import LockBusyError, lock
from webmail.models import User, now

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)  # of a worker that is at it
_SOON = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class FollowTurns:
    """`name`: of a row in the log and in its lock. `seldom`: what hardly mends itself, and how long it waits at most."""

    name: str
    table: Any
    every: timedelta
    longest: timedelta  # between two tries
    at_once: int  # of one worker
    seldom: tuple[FollowFault, ...] = ()
    longest_seldom: timedelta = timedelta(0)

    def due(self, most: int, *only: Any) -> list[Any]:
        """Those whose turn it is, of people who may sign in, the longest waiting first. 1 query."""
        return list(self.waiting(*only).order_by(self.table.due).limit(most))

    def waiting(self, *only: Any) -> Any:
        """The query for those whose turn it is."""
        return self.table.select(self.table, User).join(User).where(self.table.due <= now(), User.active == 1, *only)

    def sweep(self, rows: Sequence[Any], follow: Callable[[Any], bool]) -> int:
        """Follow these, several at once; returns how many. Raises nothing for what other servers do."""
        if not rows:
            return 0
        with ThreadPoolExecutor(min(self.at_once, len(rows)), self.name) as pool:
            return sum(pool.map(lambda row: self._followed(row, follow), rows))

    def _followed(self, row: Any, follow: Callable[[Any], bool]) -> bool:
        try:
            with db.connection_context():
                return follow(row)
        except DATABASE_AWAY as error:
            log.warning("%s %d waits: %s", self.name, row.id, error)
        except Exception as error:
            log.exception("%s %d", self.name, row.id)
            with db.connection_context():
                self.went_wrong(row, FollowTroubleError(FollowFault.OURS, type(error).__name__))
        return False

    def alone(self, row: Any, one_round: Callable[[], None]) -> bool:
        """One round of a row; False, and nothing is done, where somebody else is at it. Notes FollowTroubleError."""
        try:
            with lock(f"{self.name}-{row.id}"):
                if not self._claimed(row):
                    return False
                try:
                    one_round()
                except FollowTroubleError as trouble:
                    log.info("%s %d: %s", self.name, row.id, trouble)
                    self.went_wrong(row, trouble)
                return True
        except LockBusyError:
            return False

    def _claimed(self, row: Any) -> bool:
        """What a killed worker had is taken once its lease is over."""
        return bool(self._change(row, self.table.due <= now(), due=now() + LEASE, working=1, tried=now()))

    def renew(self, row: Any, *only: Any) -> bool:
        """Keep it for longer; False where it is gone."""
        return bool(self._change(row, *only, due=now() + LEASE))

    def went_well(self, row: Any, values: dict[str, Any] | None = None, every: int = 0) -> None:
        """`values`: other columns; `every`: after how many seconds the server wants to be asked again, 0 if it does not say."""
        wait = min(max(timedelta(seconds=every), self.every), self.longest)
        told = {"succeeded": now(), "error": "", "error_host": "", "failures": 0, "working": 0, "due": now() + _around(wait)}
        self._change(row, **told, **(values or {}))

    def go_on(self, row: Any) -> None:
        """There was no time for all of it; the next round goes on soon."""
        self._change(row, working=0, due=now() + _SOON)

    def went_wrong(self, row: Any, trouble: FollowTroubleError) -> None:
        longest = self.longest_seldom if trouble.kind in self.seldom else self.longest
        wait = max(min(self.every * 2 ** min(row.failures, 8), longest), timedelta(seconds=trouble.after))
        self._change(
            row, error=str(trouble.kind), error_host=trouble.target, failures=self.table.failures + 1, working=0,
            due=now() + _around(wait),
        )  # fmt: skip

    def _change(self, row: Any, *only: Any, **values: Any) -> int:
        return int(self.table.update(**values).where(self.table.id == row.id, *only).execute())


def named_inside(settings: Settings, host: str, port: int) -> bool:
    """Whether the administrator names this server, which may be asked wherever it is; others only on the internet."""
    inside = settings.dav_servers.lower().replace(",", " ").split()
    return host in inside or f"{host}:{port}" in inside


def _around(wait: timedelta) -> timedelta:
    """So that not all come at once."""
    return wait * random.uniform(0.9, 1.2)  # noqa: S311 - nothing secret
