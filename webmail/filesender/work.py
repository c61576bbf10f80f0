"""What the worker does for transfers that a FileSender sends."""

from __future__ import annotations

import logging
from datetime import timedelta

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import ServerAwayError
from webmail.filesender import access, delivery_task, handover
from webmail.filesender.client import FileSenderError, FileSenderServer
from webmail.models import DeliveryState
from webmail.tasks.periodic import AreaWork, Periodic, PeriodicRun

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=10)


def _keep(run: PeriodicRun) -> None:
    """Let files leave that are checked, and end what was ended here."""
    with db.connection_context():
        begun = handover.begin_all(run.settings)
        close_all(run.settings)
    if begun:
        run.wake_tasks()


def close_all(settings: Settings) -> None:
    """End there what was ended here; where it does not answer, the next round tries again."""
    for delivery in handover.to_close():
        mine = access.find(delivery.transfer.owner, settings)
        if mine is None or delivery.remote is None:
            handover.put(delivery, state=DeliveryState.CLOSED)
            continue
        try:
            FileSenderServer(mine).close(delivery.remote)
        except FileSenderError as error:
            log.warning("FileSender did not close transfer %d: %s", delivery.remote, error)
        except ServerAwayError as error:
            log.warning("transfer %d of FileSender is closed later: %s", delivery.remote, error)
            break
        handover.put(delivery, state=DeliveryState.CLOSED)


WORK = AreaWork(
    kinds=(delivery_task.KIND,),
    periodic=(
        Periodic(
            "files for FileSender", _keep, EVERY, pending=handover.pending,
            only_if=lambda settings: settings.filesender is not None,
        ),
    ),
)  # fmt: skip
