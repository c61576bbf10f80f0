"""What the worker does for large files as links."""

from __future__ import annotations

from datetime import timedelta

from webmail.database.connection import db
from webmail.tasks.heartbeat import claim_periodic
from webmail.tasks.periodic import AreaWork, Periodic, PeriodicRun
from webmail.transfers import additions, content, store
from webmail.transfers.notifications import recipients
from webmail.transfers.public import download_codes
from webmail.transfers.requests import requests
from webmail.transfers.uploads import check_queue

EVERY = timedelta(seconds=20)  # letters, and the end of what is over
_CLEAN_UP_EVERY, _STRAYS_EVERY = timedelta(hours=1), timedelta(days=1)
_DELETING = 10.0  # seconds of it for deleting files, then letters have their turn again


def _keep(run: PeriodicRun) -> None:
    """Write the letters that are due, end what is past its date, delete what is over."""
    with run.mailing():
        additions.sweep()
        messages = recipients.sweep(run.settings)
    run.deliver_system_mail(messages)
    with db.connection_context():
        store.sweep(run.settings, _DELETING)
        if claim_periodic("clean-up of transfers", _CLEAN_UP_EVERY):
            download_codes.expire()
            requests.sweep(run.settings)
        if claim_periodic("stray pieces of files", _STRAYS_EVERY):
            content.sweep_strays(run.settings)


def _check(run: PeriodicRun) -> None:
    """Check the files that are whole, one at a time; another worker takes others meanwhile."""
    with db.connection_context():
        while check_queue.check_next(run.settings):
            additions.settle_all()


WORK = AreaWork(
    periodic=(
        Periodic("transfers", _keep, EVERY),  # those of before end, even if it is off now
        Periodic(
            "checks of files", _check, only_if=lambda settings: settings.transfers.on, by_all=True
        ),  # each file is leased by one
    ),
)
