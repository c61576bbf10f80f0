"""Metrics for Prometheus: what the installation is doing, in its text format. Names and labels are few, and nobody's address.

Numbers of requests are of all processes and machines (request_counts.py); all others come from the database, and those that take
longer were made by the worker (figures.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from webmail import system_mail
from webmail.admin.watching import check_notes, figures, request_counts
from webmail.auth import activity
from webmail.compose.outbox import counts
from webmail.health import HealthCheck
from webmail.models import MetricCount, now
from webmail.tasks import heartbeat, store

CONTENT_TYPE = CONTENT_TYPE_LATEST


def text(health: Iterable[HealthCheck]) -> bytes:
    """All of them. Ten SELECTs. `health`: as /healthz?full has it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Installation(list(health)))
    return generate_latest(registry)


class _Installation(Collector):
    def __init__(self, health: list[HealthCheck]) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        yield from _requests()
        yield _by("accounts", "Accounts, by whether they may be used.", "state", activity.accounts_by_state())
        yield GaugeMetricFamily("traboule_sessions", "Sessions of browsers that are signed in.", activity.session_count())
        yield _by("outbox_messages", "Messages of people on their way, by state.", "state", counts.by_state())
        yield _by("system_messages", "Messages of the establishment itself.", "state", system_mail.count_by_state())
        yield _by("tasks", "Long work of people, by state.", "state", store.count_by_state())
        late = _seconds_since(heartbeat.last_seen())
        yield GaugeMetricFamily("traboule_worker_seen_seconds", "Since a worker was last alive; -1: never.", late)
        backup = _seconds_since(heartbeat.last_done("backup"))
        arrived = CounterMetricFamily("traboule_messages_arrived", "Messages that Dovecot told of.", request_counts.arrivals())
        yield arrived
        yield GaugeMetricFamily("traboule_backup_age_seconds", "Since the last backup of the database; -1: none.", backup)
        healthy = {check.name: int(check.good) for check in self._health}
        yield _by("healthy", "1 where a part works that nobody looks at.", "part", healthy)
        today = figures.latest()
        yield _by("figure", "Figures of the day, as the worker last made them.", "name", {n: f.value for n, f in today.items()})
        notes = check_notes.listed()
        found = {state: sum(note.state == state for note in notes) for state in ("ok", "warning", "problem")}
        yield _by("checks", "What the doctor found last, by state.", "state", found)
        days = {note.name: note.days for note in notes if note.days is not None}
        yield _by("certificate_days", "How many days a server's certificate is still valid.", "server", days)


def _requests() -> Iterator[Metric]:
    kept = {row.name: row.value for row in MetricCount.select()}
    requests = CounterMetricFamily("traboule_requests", "Requests answered, of all processes.", labels=["area", "status"])
    for name, value in kept.items():
        kind, _space, rest = name.partition(" ")
        if kind == request_counts.REQUESTS:
            requests.add_metric(rest.split(" "), value)
    yield requests
    buckets, sum_so_far = [], 0
    for step in [*map(str, request_counts.STEPS), request_counts.BEYOND]:
        sum_so_far += kept.get(f"{request_counts.SECONDS} {step}", 0)
        buckets.append((step, float(sum_so_far)))
    spent = kept.get(request_counts.MILLISECONDS, 0) / 1000
    yield HistogramMetricFamily("traboule_answer_seconds", "Until an answer began.", buckets=buckets, sum_value=spent)


def _by(name: str, about: str, label: str, values: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"traboule_{name}", about, labels=[label])
    for word, value in values.items():
        family.add_metric([word], value)
    return family


def _seconds_since(past: datetime | None) -> float:
    return (now() - past).total_seconds() if past else -1
