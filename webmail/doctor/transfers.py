"""Doctor, large files: whether the present `secret_key` opens what is stored, and what is only promised to uploads under way."""

from __future__ import annotations

from collections.abc import Iterator

import peewee as pw

from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, lazy_ngettext
from webmail.errors import MailError
from webmail.transfers import overview
from webmail.transfers.uploads.promises import AHEAD, MB

_FEW = AHEAD  # bytes: less than that beside what is promised is little


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Says nothing where all is well, or where the database is away, which is told elsewhere."""
    try:
        with db.connection_context():
            lost, totals = overview.unreadable(settings), overview.totals(settings)
    except (*DATABASE_AWAY, pw.DatabaseError, MailError):  # or the storage, which is told elsewhere too
        return
    if totals.promised:
        yield _promised(totals)
    if lost:
        words = lazy_ngettext(
            "%(num)d file was sent while secret_key was another, so nobody can download it. Put the former secret_key back, "
            "or end these transfers: `flask --app wsgi transfers list`, then `close`.",
            "%(num)d files were sent while secret_key was another, so nobody can download them. Put the former secret_key "
            "back, or end these transfers: `flask --app wsgi transfers list`, then `close`.",
            lost,
        )
        yield CheckResult("Large files", PROBLEM, words)


def _promised(totals: overview.Totals) -> CheckResult:
    """Room that nobody uses yet, and others can't have meanwhile."""
    about = {"stored": totals.stored // MB, "promised": totals.promised // MB, "announced": totals.awaited // MB}
    if totals.left is None or totals.left - totals.reserve >= 2 * totals.promised + _FEW:
        words = lazy_ngettext(
            "%(stored)s MB are stored; %(promised)s MB are only promised to %(num)d upload under way (%(announced)s MB were "
            "announced).",
            "%(stored)s MB are stored; %(promised)s MB are only promised to %(num)d uploads under way (%(announced)s MB were "
            "announced).",
            totals.under_way, **about,
        )  # fmt: skip
        return CheckResult("Large files", OK, words)
    words = lazy_ngettext(
        "%(stored)s MB are stored; %(promised)s MB are only promised to %(num)d upload under way (%(announced)s MB were "
        "announced). Promises lapse 15 minutes after the last byte; little room is left beside them: `flask --app wsgi "
        "transfers list`.",
        "%(stored)s MB are stored; %(promised)s MB are only promised to %(num)d uploads under way (%(announced)s MB were "
        "announced). Promises lapse 15 minutes after the last byte; little room is left beside them: "
        "`flask --app wsgi transfers list`.",
        totals.under_way, **about,
    )  # fmt: skip
    return CheckResult("Large files", WARNING, words)
