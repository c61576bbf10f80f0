"""Dry run: what a rule would do now, by year, with the first messages; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from webmail.config.settings import Settings
from webmail.filters.archiving import archive_rules, archive_task
from webmail.filters.archiving.archive_rules import ArchivePlan
from webmail.imap.bulk import ageing
from webmail.imap.bulk.ageing import AgedMessage
from webmail.imap.connections.connection import Connection
from webmail.models import User

MOST_ROWS = 10


@dataclass(frozen=True, slots=True)
class DryRun:
    """`years`: how many messages of each, the latest first; `rows`: the oldest of them in the folder's order."""

    plan: ArchivePlan
    before: date
    years: list[tuple[int, int]]
    rows: list[AgedMessage]

    @property
    def count(self) -> int:
        return sum(number for _year, number in self.years)


def look(connection: Connection, plan: ArchivePlan, user: User, settings: Settings) -> DryRun:
    """About 5 round trips, however many messages match; more where the first ones stand far behind others that do not.

    Raises NoSuchMailboxError, UnsafeValueError, RefusedError, ServerAwayError.
    """
    connection.select(plan.mailbox)
    today = archive_task.today_of(user, settings)
    key = archive_task.search_of(plan, connection, today, settings).key(connection)
    years = ageing.years(connection, key, today.year + 1)  # dates may be slightly in the future
    rows = ageing.oldest(connection, key, MOST_ROWS) if years else []
    return DryRun(plan, archive_rules.cutoff(plan, today, settings.school_year_begins), years, rows)
