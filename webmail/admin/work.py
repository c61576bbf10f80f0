"""What the worker does for administration. What the doctor finds is noted by webmail/jobs.py, which may ask it."""

from __future__ import annotations

from datetime import timedelta

from webmail.admin.imports import import_task, password_sheets
from webmail.admin.notifications import account_end
from webmail.admin.people import endings, room_used
from webmail.admin.watching import figures
from webmail.auth import account_management
from webmail.establishments import setting_values
from webmail.tasks.periodic import AreaWork, Periodic, PeriodicRun, swept


def _end_accounts(run: PeriodicRun) -> None:
    with run.mailing():
        endings.close_ended(run.settings)
        sent = endings.warn(run.settings, account_end.tell)
        endings.delete_due(run.settings)
    run.deliver_system_mail(sent)


WORK = AreaWork(
    kinds=(import_task.KIND, import_task.SCHOOL_YEAR_KIND, import_task.UNDO_KIND, import_task.RENEWAL_KIND),
    periodic=(
        Periodic("figures", swept(figures.make), figures.EVERY),
        Periodic("account ends", _end_accounts, timedelta(minutes=10)),
        Periodic("room used", swept(room_used.look), timedelta(minutes=5), only_if=lambda settings: settings.token_key_file),
    ),
    expire=(account_management.wake_rested, password_sheets.expire, setting_values.sweep_logos),
)
