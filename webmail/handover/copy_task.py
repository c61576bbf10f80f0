"""Copy task: a worker copies what came since a day, when it is handed over; the person sees how far it is among their tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from webmail.config.settings import ConfigError
from webmail.errors import SignInRefusedError
from webmail.handover import copying
from webmail.models import HandoverState, MailboxHandover
from webmail.people import handovers
from webmail.tasks import store
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun

NAME = "mailbox-handover"


def start(handover: MailboxHandover) -> None:
    """Raises LimitReachedError."""
    store.start_once(handover.person, NAME, _arguments(handover))


def is_under_way(handover: MailboxHandover) -> bool:
    """1 query."""
    return store.is_under_way(handover.person, NAME, _arguments(handover))


def _arguments(handover: MailboxHandover) -> dict[str, Any]:
    return {"handover": handover.id, "address": handover.owner.address}


def _work(run: TaskRun) -> dict[str, Any]:
    handover = handovers.find(int(run.arguments["handover"]))
    if handover is None or handover.person_id != run.user.id or handover.state != HandoverState.ACTIVE:
        raise TaskFailedError("handover-over")
    done = int(run.cursor or 0)
    try:
        total = done + copying.remaining(handover, run.settings)

        @contextmanager
        def step(count: int) -> Iterator[None]:
            nonlocal done
            with run.step(done + count, done=done + count, total=total):
                yield
            done += count
            if not handovers.is_active(handover):
                raise TaskFailedError("handover-over")

        copying.copy(handover, run.settings, step)
    except copying.FullError as error:
        handovers.note_problem(handover, "full")
        raise TaskFailedError("handover-full") from error
    except (SignInRefusedError, ConfigError) as error:
        raise TaskFailedError("sign-in") from error
    handovers.note_problem(handover, "")
    return {"count": done, "mailbox": copying.top_of(handover), "address": handover.owner.address}


KIND = TaskKind(NAME, _work)
