"""Doctor, backups: whether there is one of the database, and how old it is, told by `flask backup`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import peewee as pw

from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.doctor.result import OK, WARNING, CheckResult, in_days
from webmail.models import now
from webmail.tasks import heartbeat

NOTE = "backup"
_OLD = timedelta(days=2)
_NAME = "Backup"


def examine(_settings: Settings) -> Iterator[CheckResult]:
    """Says nothing where the database is away, which is told elsewhere."""
    try:
        with db.connection_context():
            made = heartbeat.last_done(NOTE)
    except (*DATABASE_AWAY, pw.DatabaseError):
        return
    if made is None:
        words = "none of the database was ever made here. Make one each night (see docs/administrator/backup.md)."
        yield CheckResult(_NAME, WARNING, words)
    elif (age := now() - made) > _OLD:
        words = f"the last one of the database is {in_days(age.days)} old. Does its timer run? See its log, and make one now."
        yield CheckResult(_NAME, WARNING, words)
    else:
        yield CheckResult(_NAME, OK, f"the last one of the database was made at {made:%Y-%m-%d %H:%M} UTC.")
