"""What the worker does for large files as links."""

from __future__ import annotations

from datetime import timedelta

import peewee as pw

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.tasks.periodic import AreaWork, Periodic, PeriodicRun, swept
from webmail.transfers import additions, content, store
from webmail.transfers.notifications import recipients
from webmail.transfers.public import download_codes
from webmail.transfers.requests import requests
from webmail.transfers.saving import drive_save
from webmail.transfers.uploads import check_queue

EVERY = timedelta(seconds=20)  # letters, and the end of what is over
CHECK_EVERY = timedelta(seconds=10)  # whether a file came that is to be checked
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


def _to_keep(_settings: Settings) -> list[pw.Query]:
    """What can't wait for an hour: letters, the end at its moment, and the files of what is over."""
    return [recipients.pending(), *additions.pending(), *store.pending()]


def _clean_up(settings: Settings) -> None:
    download_codes.expire()
    requests.sweep(settings)


def _check(run: PeriodicRun) -> None:
    """Check the files that are whole, one at a time; another worker takes others meanwhile."""
    with db.connection_context():
        while check_queue.check_next(run.settings):
            additions.settle_all()


WORK = AreaWork(
    kinds=(drive_save.KIND,),
    periodic=(
        Periodic("transfers", _keep, EVERY, pending=_to_keep),  # those of before end, even if it is off now
        Periodic("clean-up of transfers", swept(_clean_up), _CLEAN_UP_EVERY),
        Periodic("stray pieces of files", swept(content.sweep_strays), _STRAYS_EVERY),
        Periodic(
            "checks of files",
            _check,
            CHECK_EVERY,
            only_if=lambda settings: settings.transfers.on,
            by_all=True,
            pending=check_queue.pending,
        ),  # each file is leased by one
    ),
)
