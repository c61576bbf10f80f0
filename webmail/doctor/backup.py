"""Doctor, backups: whether there is one of the database, and how old it is, told by `flask backup`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import peewee as pw

from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.doctor.result import OK, WARNING, CheckResult
from webmail.doctor.result import lazy_gettext as _l
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
        words = _l("none of the database was ever made here. Make one each night (see docs/administrator/backup.md).")
        yield CheckResult(_NAME, WARNING, words)
    elif (age := now() - made) > _OLD:
        words = _l(
            "the last one of the database is %(days)s days old. Does its timer run? See its log, and make one now.", days=age.days
        )
        yield CheckResult(_NAME, WARNING, words)
    else:
        yield CheckResult(_NAME, OK, _l("the last one of the database was made at %(at)s UTC.", at=f"{made:%Y-%m-%d %H:%M}"))
