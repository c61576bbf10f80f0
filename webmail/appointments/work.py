"""What the worker does for appointments."""

from __future__ import annotations

from webmail.appointments import rounds
from webmail.tasks.periodic import AreaWork, Periodic, PeriodicRun


def _round(run: PeriodicRun) -> None:
    with run.mailing():
        messages = rounds.sweep(run.settings)
    run.deliver_system_mail(messages)


WORK = AreaWork(
    periodic=(Periodic("appointments", _round, rounds.EVERY, pending=lambda _settings: rounds.pending()),),
    clean_up=(rounds.forget,),
)
