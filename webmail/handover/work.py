"""What the worker does for mailboxes that are handed over."""

from __future__ import annotations

from webmail.handover import copy_task, mail_texts, rounds
from webmail.people import handovers
from webmail.tasks.periodic import AreaWork, Periodic, PeriodicRun


def _round(run: PeriodicRun) -> None:
    with run.mailing():
        changed = rounds.sweep(run.settings)
        messages = [one for handover in changed for one in mail_texts.tell(handover, run.settings)]
    run.deliver_system_mail(messages)
    run.wake_tasks()


WORK = AreaWork(
    kinds=(copy_task.KIND,),
    periodic=(Periodic("handovers", _round, rounds.EVERY, pending=lambda _settings: [handovers.due()]),),
)
