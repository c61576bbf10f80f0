"""What the worker does for devices and for collections that live on other servers too."""

from __future__ import annotations

from webmail.dav.deletion import delete_task
from webmail.dav.remote import accounts, rounds
from webmail.tasks.periodic import AreaWork, Periodic

WORK = AreaWork(
    kinds=(delete_task.KIND,),
    periodic=(
        # each account is claimed by one worker
        Periodic(
            "other servers",
            lambda run: rounds.sweep(run.settings),
            rounds.EVERY,
            only_if=accounts.are_offered,
            by_all=True,
            pending=lambda settings: [accounts.pending(settings)],
        ),
    ),
)
