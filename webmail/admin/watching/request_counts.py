"""Counts of requests, for /metrics: each process adds what it counted to one table, so that the numbers are of all of them.

Counted by area, the first part of an address' rule, and by kind of status; how long answers took by a few steps. So there are a
few hundred names at most, whatever people and attackers ask for.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter

from webmail.database.connection import DATABASE_AWAY, db
from webmail.models import MetricCount

log = logging.getLogger(__name__)

STEPS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds until an answer begins
BEYOND = "+Inf"
ARRIVALS = "arrivals"  # messages that Dovecot told of
_TOLD_OF_ARRIVALS = "/dovecot/arrivals"  # the rule of webmail/message/views/arrivals.py
REQUESTS, SECONDS, MILLISECONDS = "requests", "seconds", "milliseconds"
_EVERY = 15.0  # seconds


class RequestCounts:
    """Of this process, since they were last added to the table."""

    def __init__(self, *, everything: bool) -> None:
        """`everything`: requests too (the setting `metrics`), not only the mail that arrives."""
        self._everything = everything
        self._lock = threading.Lock()
        self._counted: Counter[str] = Counter()
        self._written = time.monotonic()

    def count(self, rule: str, status: int, seconds: float) -> None:
        """One request. The table is written by a thread, which nobody waits for, every _EVERY seconds."""
        arrived = rule == _TOLD_OF_ARRIVALS and status == 200
        if not (arrived or self._everything):
            return
        step = next((str(one) for one in STEPS if seconds <= one), BEYOND)
        with self._lock:
            if arrived:
                self._counted[ARRIVALS] += 1
            if self._everything:
                self._counted[f"{REQUESTS} {area_of(rule)} {min(max(status // 100, 1), 5)}xx"] += 1
                self._counted[f"{SECONDS} {step}"] += 1
                self._counted[MILLISECONDS] += round(seconds * 1000)
            due = time.monotonic() - self._written >= _EVERY
            if due:
                self._written = time.monotonic()
        if due:
            threading.Thread(target=self._write_by_itself, name="request-counts", daemon=True).start()

    def write(self) -> None:
        """Add what was counted to the table. One statement a name. Raises what DATABASE_AWAY names: then it is kept."""
        with self._lock:
            counted, self._counted = self._counted, Counter()
        try:
            with db.atomic():
                for name, value in sorted(counted.items()):
                    added = MetricCount.insert(name=name, value=value)
                    grown = {MetricCount.value: MetricCount.value + value}
                    added.on_conflict(conflict_target=[MetricCount.name], update=grown).execute()
        except BaseException:
            with self._lock:
                self._counted.update(counted)
            raise

    def _write_by_itself(self) -> None:
        try:
            with db.connection_context():
                self.write()
        except DATABASE_AWAY as error:
            log.warning("counts of requests wait: %s", error)


def arrivals() -> int:
    """How many messages Dovecot told of, ever. 1 SELECT."""
    row = MetricCount.get_or_none(MetricCount.name == ARRIVALS)
    return row.value if row else 0


def area_of(rule: str) -> str:
    """The first part of a rule: "mailbox", "static"; "/" for the first page, "-" for what is at no rule."""
    if not rule.startswith("/"):
        return "-"
    first = rule.lstrip("/").partition("/")[0]
    return first if first and "<" not in first else "/"
