"""Doctor, large files: whether the present `secret_key` opens what is stored."""

from __future__ import annotations

from collections.abc import Iterator

import peewee as pw

from webmail.config import Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.doctor_result import PROBLEM, CheckResult
from webmail.transfers import overview


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Says nothing where all is well, or where the database is away, which is told elsewhere."""
    try:
        with db.connection_context():
            lost = overview.unreadable(settings)
    except (*DATABASE_AWAY, pw.DatabaseError):
        return
    if lost:
        files = "1 file was" if lost == 1 else f"{lost} files were"
        words = (
            f"{files} sent while secret_key was another, so nobody can download {'it' if lost == 1 else 'them'}. Put the former "
            "secret_key back, or end these transfers: `flask --app wsgi transfers list`, then `close`."
        )
        yield CheckResult("Large files", PROBLEM, words)
