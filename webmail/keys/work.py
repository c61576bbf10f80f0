"""What the worker does for keys."""

from __future__ import annotations

from datetime import timedelta

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.keys import certificate_revocations, open_keyring, revocation_rounds, staged_certificates
from webmail.keys.notifications import certificate_end, certificate_ready
from webmail.tasks.periodic import AreaWork, Periodic, PeriodicRun


def _closed(_run: PeriodicRun) -> None:
    with db.connection_context():
        open_keyring.expire()


def _tell_of_ends(run: PeriodicRun) -> None:
    with run.mailing():
        messages = certificate_end.tell_all(run.settings)
    run.deliver_system_mail(messages)


def _tell_of_waiting(run: PeriodicRun) -> None:
    with run.mailing():
        messages = certificate_ready.tell_all(run.settings)
    run.deliver_system_mail(messages)


def _ask_authorities(run: PeriodicRun) -> None:
    revocation_rounds.ask_all(run.settings)


def _forget_revocations(_settings: Settings) -> None:
    certificate_revocations.clean_up()


def _asks(settings: Settings) -> bool:
    return settings.encryption and settings.smime_revocation


def _is_on(settings: Settings) -> bool:
    return settings.encryption


WORK = AreaWork(
    periodic=(
        Periodic("keyrings", _closed, only_if=_is_on, pending=lambda _settings: (open_keyring.over(),)),
        Periodic(
            "certificate revocations",
            _ask_authorities,
            timedelta(seconds=20),
            only_if=_asks,
            pending=lambda _settings: (certificate_revocations.due_checks(),),
        ),
        Periodic(
            "certificates to take",
            _tell_of_waiting,
            timedelta(minutes=5),
            only_if=_is_on,
            pending=lambda _settings: (staged_certificates.untold(),),
        ),
        Periodic("certificate ends", _tell_of_ends, certificate_end.EVERY, only_if=_is_on),
    ),  # fmt: skip
    clean_up=(_forget_revocations,),
)
