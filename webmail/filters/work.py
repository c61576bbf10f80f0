"""What the worker does for filters, forwarding and archiving."""

from __future__ import annotations

import peewee as pw

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.filters import snoozed_arrivals
from webmail.filters.archiving import archive_log, archive_task, archive_undo, nights
from webmail.filters.forwarding import forward_targets
from webmail.filters.notifications import renamed_owners as told_of_renaming
from webmail.filters.rules import apply_task, contact_rules, renamed_owners
from webmail.tasks.periodic import AreaWork, Periodic, PeriodicRun, swept


def _archive(run: PeriodicRun) -> None:
    """Begin to archive the old messages of those whose turn has come tonight. The tasks do it."""
    with db.connection_context():
        if nights.sweep(run.settings):
            run.wake_tasks()


def _filters(settings: Settings) -> bool:
    return settings.sieve is not None


def _to_renew(_settings: Settings) -> list[pw.Query]:
    return [contact_rules.stale(), renamed_owners.waiting()]


def _renew(run: PeriodicRun) -> None:
    """Renew the filters that ask for contacts, which changed, and those that name folders of somebody by a former address."""
    with db.connection_context():
        contact_rules.sweep(run.settings)
    with run.mailing():
        letters = renamed_owners.sweep(run.settings, told_of_renaming.tell)
    run.deliver_system_mail(row.id for row in letters)


WORK = AreaWork(
    kinds=(apply_task.KIND, archive_task.KIND, archive_undo.KIND),
    periodic=(
        Periodic("archiving", _archive, nights.EVERY, only_if=lambda settings: settings.token_key_file),
        Periodic("filters", _renew, only_if=_filters, pending=_to_renew),
        Periodic("snoozed arrivals", swept(snoozed_arrivals.sweep), snoozed_arrivals.EVERY, only_if=_filters),
    ),
    expire=(forward_targets.note_closed, archive_log.expire),
)
