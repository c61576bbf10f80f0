"""Task runner: the worker's threads for long work, apart from those that send mail.

A task is claimed by one UPDATE that names the turn it was read with, so of two workers one gets it. While it runs its lease is
renewed; one whose worker died is taken over when the lease has expired, and goes on where its cursor says.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import peewee as pw

from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, advice, db
from webmail.database.idempotency import in_turn
from webmail.errors import OtherServerAwayError, ServerAwayError
from webmail.models import Task, TaskState, now
from webmail.storage import StorageAwayError, StorageFullError
from webmail.tasks import leftovers
from webmail.tasks.kinds import LEASE, TaskFailedError, TaskKind, TaskRun, TaskStoppedError

log = logging.getLogger(__name__)

THREADS = 2
LOOK_EVERY = timedelta(seconds=10)  # the worker looks so often whether a task waits whose wake-up got lost
_POLL_SECONDS = 60.0  # and a thread by itself
_MOST_TRIES = 8  # without a step done, after which it is given up: it kills its workers
_AWAY_WAITS = (1, 2, 5, 15, 30, 60)  # minutes until the next try while a server is away; given up after the last


class TaskRunner:
    """`start` its threads once per worker process, `wake` them when a task was put in the queue, `stop` them at the end."""

    def __init__(
        self,
        kinds: Iterable[TaskKind],
        settings: Settings,
        worker: str,
        *,
        threads: int = THREADS,
        lease: timedelta = LEASE,
        poll: float = _POLL_SECONDS,
        look_at_settings: Callable[[], None] = lambda: None,
    ) -> None:
        self.kinds: Mapping[str, TaskKind] = {kind.name: kind for kind in kinds}
        self.settings = settings
        self.worker = worker
        self.lease = lease
        self._poll = poll
        self._look_at_settings = look_at_settings
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._threads = [threading.Thread(target=self._loop, name=f"tasks-{n}", daemon=True) for n in range(threads)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self, patience: float = 10.0) -> None:
        """Let running tasks end at their next step; they go on elsewhere, or here after the next start."""
        self._stopping.set()
        self._wake.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(patience / len(self._threads))

    def run_one(self) -> bool:
        """Claim a task and work on it until it ends; False where none is to be had. Raises what DATABASE_AWAY names."""
        alone = [kind.name for kind in self.kinds.values() if kind.in_turn]
        task = take_next(self.worker, self.lease, self.kinds, alone, lambda over: leftovers.remove(over, self.settings))
        if task:
            self._run(task)
        return task is not None

    def _loop(self) -> None:
        while not self._stopping.is_set():
            worked = False
            try:
                with db.connection_context():
                    self._look_at_settings()
                    worked = self.run_one()
            except DATABASE_AWAY as error:
                log.warning("tasks wait: the database %s", advice(error))
            except Exception:  # such as a person who is deleted at this moment: without its threads a worker would look alive
                log.exception("a task broke its thread, which goes on")
            if not worked:
                self._wake.wait(self._poll)
                self._wake.clear()

    def _run(self, task: Task) -> None:
        run = TaskRun(task, self.settings, self.lease, self._stopping)
        ended = threading.Event()
        keeper = threading.Thread(target=_keep_lease, args=(run, ended), daemon=True)
        keeper.start()
        try:
            result = self.kinds[task.kind].work(run)
        except TaskStoppedError:
            _stopped(run)
        except TaskFailedError as error:
            _end(run, TaskState.FAILED, error=error.reason[:60])
        except (ServerAwayError, StorageAwayError, StorageFullError) as error:
            _try_later(run, error)
        except DATABASE_AWAY:
            raise  # nothing can be noted: the lease expires, and somebody goes on
        except Exception:
            log.exception("task %s (%s) broke", task.id, task.kind)
            _end(run, TaskState.FAILED, error="broke")
        else:
            _end(run, TaskState.DONE, result=result)
        finally:
            ended.set()
            keeper.join()


def take_next(
    worker: str, lease: timedelta, kinds: Iterable[str], alone: Sequence[str] = (), on_end: Callable[[str], None] | None = None
) -> Task | None:
    """Take the task that has waited longest, of people of whom nothing runs yet if there are any. None where there is none.

    Of the kinds `alone`, one of a person runs at a time. `on_end` is told the id of each task that ends here: it was cancelled
    while its worker was dead, is a suspended person's, or kills its workers.
    """
    running, free = (Task.state == TaskState.RUNNING) & (Task.lease >= now()), _free()
    busy = Task.select(Task.user).where(running)
    free &= Task.kind.not_in(alone) | Task.user.not_in(busy.where(Task.kind.in_(alone)))
    order = (pw.Case(None, [(Task.user.in_(busy), 1)], 0), Task.due, Task.id)
    for task in list(Task.select().where(free & Task.kind.in_(list(kinds))).order_by(*order).limit(10)):
        same = (Task.id == task.id) & (Task.turn == task.turn) & free
        if task.cancelling or not task.user.active:  # suspended: nothing goes on for them
            ended = Task.update(state=TaskState.CANCELLED, finished=now(), lease=None, credential=None).where(same).execute()
        elif task.tries >= _MOST_TRIES:
            log.error("task %s (%s) is given up after %d tries", task.id, task.kind, task.tries)
            failed = Task.update(state=TaskState.FAILED, error="broke", finished=now(), lease=None, credential=None)
            ended = failed.where(same).execute()
        elif _taken(task, worker, lease, same):
            return Task.get_by_id(task.id)
        else:
            continue
        if ended and on_end:
            on_end(task.id)
    return None


def pending(_settings: Settings) -> list[pw.Query]:
    """What a runner would take if its person's turn has come."""
    return [Task.select(Task.id).where(_free())]


def _free() -> Any:
    return (Task.state == TaskState.WAITING) & (Task.due <= now()) | (Task.state == TaskState.RUNNING) & (Task.lease < now())


def _taken(task: Task, worker: str, lease: timedelta, same: Any) -> bool:
    values = {"state": TaskState.RUNNING, "worker": worker, "turn": task.turn + 1, "tries": task.tries + 1}
    with db.atomic():
        in_turn(task.user)  # so that two workers don't take two of one person at the same moment
        return bool(Task.update(lease=now() + lease, **values).where(same).execute())


def _end(run: TaskRun, state: TaskState, *, result: dict[str, Any] | None = None, error: str = "") -> None:
    """The work is over, and what it was given is no longer needed. Where somebody else has it, nothing is touched."""
    told = result or {}
    values = {"result": json.dumps(told, ensure_ascii=False), "error": error, "lease": None}
    if Task.update(state=state, finished=now(), credential=None, **values).where(_held(run)).execute():
        leftovers.remove(run.task.id, run.settings, told.get("file", ""))


def _stopped(run: TaskRun) -> None:
    """Cancelled; or the worker stops, and the task waits for the next one."""
    cancelled = Task.update(state=TaskState.CANCELLED, lease=None, finished=now(), credential=None)
    if cancelled.where(_held(run) & (Task.cancelling == True)).execute():  # noqa: E712
        leftovers.remove(run.task.id, run.settings)
    else:
        Task.update(state=TaskState.WAITING, lease=None, tries=0).where(_held(run)).execute()


def _try_later(run: TaskRun, error: ServerAwayError | StorageAwayError | StorageFullError) -> None:
    reasons = {StorageAwayError: "storage-away", StorageFullError: "storage-full", OtherServerAwayError: "service-away"}
    reason = next((word for kind, word in reasons.items() if isinstance(error, kind)), "server-away")
    tries = Task.get_by_id(run.task.id).tries
    if tries > len(_AWAY_WAITS):
        _end(run, TaskState.FAILED, error=reason)
        return
    log.warning("task %s (%s) waits: %s", run.task.id, run.task.kind, error)
    later = now() + timedelta(minutes=_AWAY_WAITS[tries - 1])
    Task.update(state=TaskState.WAITING, lease=None, due=later, error=reason).where(_held(run)).execute()


def _held(run: TaskRun) -> Any:
    return (Task.id == run.task.id) & (Task.turn == run.task.turn) & (Task.state == TaskState.RUNNING)


def _keep_lease(run: TaskRun, ended: threading.Event) -> None:
    """Renew the lease while a step takes long. A database that is away now may be back at the next try."""
    while not ended.wait(run.lease.total_seconds() / 4):
        with suppress(*DATABASE_AWAY), db.connection_context():
            if not run.renew():
                return
