"""What the worker does for keys."""

from __future__ import annotations

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.keys import open_keyring
from webmail.keys.notifications import certificate_end
from webmail.tasks.periodic import AreaWork, Periodic, PeriodicRun


def _closed(_run: PeriodicRun) -> None:
    with db.connection_context():
        open_keyring.expire()


def _tell_of_ends(run: PeriodicRun) -> None:
    with run.mailing():
        messages = certificate_end.tell_all(run.settings)
    run.deliver_system_mail(messages)


def _is_on(settings: Settings) -> bool:
    return settings.encryption


WORK = AreaWork(
    periodic=(
        Periodic("keyrings", _closed, only_if=_is_on, pending=lambda _settings: (open_keyring.over(),)),
        Periodic("certificate ends", _tell_of_ends, certificate_end.EVERY, only_if=_is_on),
    ),
)
