"""Health: whether the parts that work without anybody looking are alive. For `/healthz?full` and `flask doctor`."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from webmail.config import services
from webmail.config.settings import Settings
from webmail.errors import EnglishText as _l
from webmail.errors import MailError
from webmail.models import Outbox, OutboxState, SystemMessage, Task, TaskState, now
from webmail.storage import StorageArea, open_storage
from webmail.tasks import heartbeat

OVERDUE = timedelta(minutes=5)  # a sweep finds what is due within a minute
_EVERY = 5.0  # seconds
_PATIENCE = 5.0  # seconds
_BODIES_PATIENCE = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One part: its name, whether it is well, and one English sentence that says what to do if not."""

    name: str
    good: bool
    message: str  # with its entry of the catalogue, by which people read it in their language

    def line(self, told: bool) -> str:
        """For programs; the words only if they are `told`."""
        return f"{self.name} {'ok' if self.good else 'FAULT'}{f': {self.message}' if told else ''}\n"


def examine(settings: Settings) -> list[HealthCheck]:
    """All checks that need no mail server: ten SELECTs at most and three small files. Raises what DATABASE_AWAY names."""
    checks: list[Callable[[Settings], HealthCheck]] = [_worker, _outbox, _system_mail, _tasks, _storage]
    if settings.service == services.PAGES:
        checks.append(_bodies)
    return [check(settings) for check in checks]


class HealthWatch:
    """The latest examination of an instance, for anybody who asks: not more than one every _EVERY seconds, and one at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._found: list[HealthCheck] = []
        self._until = 0.0

    def latest(self) -> list[HealthCheck]:
        """Raises what DATABASE_AWAY names."""
        if not self._lock.acquire(timeout=_PATIENCE):
            words = _l("could not be checked within %(seconds)s s. Check the disk and the database.", seconds=f"{_PATIENCE:.0f}")
            return [HealthCheck("health", False, words)]
        try:
            if time.monotonic() >= self._until:
                self._found = examine(self._settings)
                self._until = time.monotonic() + _EVERY
            return self._found
        finally:
            self._lock.release()


def _worker(_settings: Settings) -> HealthCheck:
    seen = heartbeat.last_seen()
    if heartbeat.is_alive(seen):
        return HealthCheck("worker", True, _l("is running"))
    if seen is None:
        words = _l("never ran: no messages are sent. Start `flask --app wsgi jobs` (service traboule-jobs).")
        return HealthCheck("worker", False, words)
    words = _l(
        "last ran %(ago)s ago: no messages are sent. Start `flask --app wsgi jobs` (service traboule-jobs).",
        ago=_ago(now() - seen),
    )
    return HealthCheck("worker", False, words)


def _outbox(_settings: Settings) -> HealthCheck:
    late = (Outbox.state == OutboxState.WAITING) & (Outbox.due < now() - OVERDUE)
    oldest = Outbox.select(Outbox.due).where(late).order_by(Outbox.due).first()
    if oldest is None:
        return HealthCheck("outbox", True, _l("nothing is overdue"))
    count = Outbox.select().where(late).count()
    words = _l(
        "overdue messages: %(count)s, the oldest by %(ago)s. Check the worker and its log.", count=count,
        ago=_ago(now() - oldest.due),
    )  # fmt: skip
    return HealthCheck("outbox", False, words)


def _system_mail(_settings: Settings) -> HealthCheck:
    late = (SystemMessage.state == OutboxState.WAITING) & (SystemMessage.due < now() - OVERDUE)
    if count := SystemMessage.select().where(late).count():
        words = _l("overdue messages: %(count)s. Check the worker and its log.", count=count)
        return HealthCheck("system mail", False, words)
    return HealthCheck("system mail", True, _l("nothing is overdue"))


def _tasks(_settings: Settings) -> HealthCheck:
    if heartbeat.is_alive(heartbeat.last_seen()) and heartbeat.tasks_are_left():
        words = _l("tasks wait, and nobody works on them. Restart the worker (service traboule-jobs).")
        return HealthCheck("tasks", False, words)
    late = (Task.state == TaskState.WAITING) & (Task.due < now() - timedelta(hours=1))
    if count := Task.select().where(late).count():
        words = _l("tasks waiting for over an hour: %(count)s. The worker is down or too busy.", count=count)
        return HealthCheck("tasks", False, words)
    return HealthCheck("tasks", True, _l("none has waited long"))


def _storage(settings: Settings) -> HealthCheck:
    check = _l("Run `flask --app wsgi doctor`.") if settings.storage == "s3" else _l("Check its folder, its owner and the disk.")
    for area in (StorageArea.UPLOADS, StorageArea.RESULTS, *([StorageArea.TRANSFERS] if settings.transfers.on else [])):
        files, name = open_storage(settings, area), f"health/{secrets.token_hex(8)}"  # others examine at the same time
        try:
            files.put(name, [b"ok"])
            files.delete(name)
        except MailError as error:
            words = _l("%(area)s can’t be written: %(why)s. %(step)s", area=str(area), why=str(error), step=check)
            return HealthCheck("storage", False, words)
    return HealthCheck("storage", True, _l("can be written"))


def _bodies(settings: Settings) -> HealthCheck:
    host, _colon, port = settings.bodies_address.rpartition(":")
    line = HTTPConnection(host, int(port), timeout=_BODIES_PATIENCE)
    try:
        line.request("GET", "/healthz")
        if line.getresponse().status == HTTPStatus.OK:
            return HealthCheck("bodies", True, _l("is running"))
        words = _l("answers with an error: see its log (journalctl -u traboule-bodies).")
    except (OSError, HTTPException) as error:
        words = _l("does not answer (%(why)s): no uploads, downloads and devices. Is traboule-bodies running?", why=str(error))
    finally:
        line.close()
    return HealthCheck("bodies", False, words)


def _ago(past: timedelta) -> str:
    minutes = int(past.total_seconds() // 60)
    if minutes < 2:
        return _l("a minute")
    if minutes < 120:
        return _l("%(count)s minutes", count=minutes)
    return _l("%(count)s hours", count=minutes // 60) if minutes < 2880 else _l("%(count)s days", count=minutes // 1440)
