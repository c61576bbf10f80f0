"""What the worker does for messages: with those that arrive, and for those that are shown."""

from __future__ import annotations

from webmail.compose.awaited import awaited_replies
from webmail.config.settings import Settings
from webmail.message import drive_save, image_cache
from webmail.message.arrivals import arrival_rounds, awaited_rounds, missed_mail, searched_mailboxes
from webmail.message.notifications import awaited_letters, quarantine_letters
from webmail.message.quarantine import finds, quarantine_tasks
from webmail.tasks.periodic import AreaWork, Periodic, PeriodicRun, swept


def _has_tokens(settings: Settings) -> object:
    return settings.token_key_file


def _read_arrivals(run: PeriodicRun) -> None:
    with run.mailing():
        arrival_rounds.sweep(run.settings)


def _remind_of_awaited(run: PeriodicRun) -> None:
    with run.mailing():
        messages = awaited_rounds.sweep(run.settings, awaited_letters.writer(run.settings))
    run.deliver_system_mail(messages)


def _tell_of_quarantine(run: PeriodicRun) -> None:
    with run.mailing():
        messages = quarantine_letters.tell(run.settings)
    run.deliver_system_mail(messages)


WORK = AreaWork(
    kinds=(*quarantine_tasks.KINDS, drive_save.KIND),
    periodic=(
        Periodic("quarantine notices", _tell_of_quarantine, pending=lambda _settings: finds.untold()),
        # each mailbox is taken by one worker
        Periodic(
            "mail arrivals", _read_arrivals, arrival_rounds.EVERY, only_if=_has_tokens, by_all=True,
            pending=lambda _settings: searched_mailboxes.pending(),
        ),
        Periodic("meeting replies", swept(missed_mail.sweep_inboxes), missed_mail.EVERY_INBOX, only_if=_has_tokens),
        Periodic(
            "awaited replies", _remind_of_awaited, awaited_rounds.EVERY, only_if=_has_tokens,
            pending=lambda _settings: awaited_replies.pending(),
        ),
        Periodic("missed mail", swept(missed_mail.sweep), missed_mail.EVERY, only_if=_has_tokens),
    ),
    clean_up=(image_cache.sweep, awaited_rounds.settle),
)  # fmt: skip
