"""What the worker does for signing in."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from webmail.auth.devices import app_passwords, cloud_programs, failures, handover
from webmail.auth.factors import mailed_codes
from webmail.auth.notifications import app_password_pause as pause_letters
from webmail.auth.notifications import cloud_programs as cloud_notices
from webmail.auth.notifications import directory
from webmail.auth.passwords.check_admission import TooBusyError
from webmail.auth.providers import app_password_pause, directory_sweep
from webmail.auth.recovery import password_reset
from webmail.auth.sessions import sessions
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import ServerAwayError
from webmail.tasks.periodic import AreaWork, Periodic, PeriodicRun, swept


def _ask_directory(run: PeriodicRun) -> None:
    """Disable the accounts of people whom the directory no longer has, or ask the administrator about so many."""
    with db.connection_context(), suppress(ServerAwayError, TooBusyError):  # logged; asked again next time
        found = directory_sweep.look(run.settings)
        directory_sweep.carry_out(found, run.settings)
        if found.doubtful:
            with run.context():
                asked = directory.ask_about(found, run.settings)
            if asked is not None:
                run.deliver_system_mail([asked.id])


def _pause_app_passwords(run: PeriodicRun) -> None:
    """Of people whose provider has not vouched for them in a long time."""
    with run.mailing():
        warn, tell = (partial(letter, settings=run.settings) for letter in (pause_letters.warn, pause_letters.tell))
        app_password_pause.sweep(run.settings, warn, tell)


def _tell_of_cloud_programs(run: PeriodicRun) -> None:
    """Write to who uses one for the first time."""
    with run.mailing():
        cloud_programs.tell_each(partial(cloud_notices.tell, settings=run.settings))


def _has_cloud_programs(settings: Settings) -> bool:
    return bool(settings.cloud_programs)


def _providers(settings: Settings) -> bool:
    return bool(settings.oidc) or settings.cas is not None or settings.proxy_sign_in is not None


WORK = AreaWork(
    periodic=(
        Periodic("directory", _ask_directory, directory_sweep.EVERY, only_if=lambda settings: settings.ldap is not None),
        Periodic("refused networks", swept(cloud_programs.write_refused), cloud_programs.EVERY, by_all=True),
        Periodic("cloud programs", _tell_of_cloud_programs, only_if=_has_cloud_programs, pending=cloud_programs.untold),
        Periodic("app passwords", _pause_app_passwords, app_password_pause.EVERY, only_if=_providers),
    ),
    clean_up=(sessions.expire,),
    expire=(mailed_codes.expire, app_passwords.note_expired, password_reset.expire, failures.expire, handover.expire),
)
