"""Figures of an installation: numbers that the worker makes every few minutes, one row a day and figure, for the overview and its
forecast. Nobody who looks at them waits for what they take.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import peewee as pw

from webmail import audit
from webmail.admin.watching import request_counts
from webmail.auth import activity
from webmail.compose.outbox import counts as outbox_counts
from webmail.config.settings import Settings
from webmail.database.connection import db, sqlite_file
from webmail.models import AuditAct, DailyFigure, now
from webmail.transfers import overview as transfers

EVERY = timedelta(minutes=10)
KEPT = timedelta(days=400)
LOOKED_BACK = 30  # days of a forecast
LEAST = 7  # days that it needs
_WEEK = timedelta(days=7)


def make(settings: Settings) -> None:
    """Make those of today anew, and forget the oldest. A dozen queries."""
    zone = ZoneInfo(settings.timezone)
    today = now().replace(tzinfo=UTC).astimezone(zone).date()
    with db.atomic():
        for name, value in _found(settings, _beginning(today, zone)).items():
            row = {"day": today.isoformat(), "name": name, "value": value, "at": now()}
            added = DailyFigure.insert(**row)
            added.on_conflict(
                conflict_target=[DailyFigure.name, DailyFigure.day], preserve=[DailyFigure.value, DailyFigure.at]
            ).execute()
        DailyFigure.delete().where(DailyFigure.day < (today - KEPT).isoformat()).execute()


def latest() -> dict[str, DailyFigure]:
    """The newest of each, by name. 1 SELECT."""
    day = DailyFigure.select(pw.fn.MAX(DailyFigure.day))
    return {row.name: row for row in DailyFigure.select().where(DailyFigure.day == day)}


def history(name: str, days: int = LOOKED_BACK) -> list[tuple[date, int]]:
    """One figure on each of the last days that have it, the oldest first. 1 SELECT."""
    found: Any = DailyFigure.select(DailyFigure.day, DailyFigure.value).where(DailyFigure.name == name)
    rows = list(found.order_by(DailyFigure.day.desc()).limit(days).tuples())
    return [(date.fromisoformat(day), value) for day, value in reversed(rows)]


def days_left(past: Sequence[tuple[date, int]]) -> int | None:
    """In how many days what is free will be used up, as it shrank so far (least squares); None where it does not shrink, or too
    few days are known to say."""
    if len(past) < LEAST:
        return None
    days = [(day - past[0][0]).days for day, _value in past]
    values = [value for _day, value in past]
    middle, mean = sum(days) / len(days), sum(values) / len(values)
    spread = sum((day - middle) ** 2 for day in days)
    slope = sum((day - middle) * (value - mean) for day, value in zip(days, values, strict=True)) / spread if spread else 0.0
    return int(values[-1] / -slope) if slope < 0 else None


def _found(settings: Settings, midnight: datetime) -> dict[str, int]:
    refused = (AuditAct.SIGN_IN_REFUSED, AuditAct.SIGN_IN_BLOCKED, AuditAct.SECOND_STEP_REFUSED)
    outbox = outbox_counts.by_state()
    figures = {
        "active_today": activity.active_since(midnight),
        "active_week": activity.active_since(now() - _WEEK),
        "signed_in": activity.session_count(),
        "sign_ins": audit.count_since([AuditAct.SIGN_IN], midnight),
        "sign_ins_refused": audit.count_since(refused, midnight),
        "sent": outbox_counts.sent_since(midnight),
        "arrived_in_all": request_counts.arrivals(),
        "outbox_failed": outbox["failed"] + outbox["uncertain"],
        "quota_promised": activity.promised_bytes(),
        "mail_used": activity.used_bytes(),
        "transfers_stored": transfers.totals(settings).stored,
    }
    with suppress(OSError):
        disk = shutil.disk_usage(settings.instance)
        figures |= {"disk_size": disk.total, "disk_free": disk.free}
    if (size := _database_bytes(settings)) is not None:
        figures["database_size"] = size
    return figures


def database_version() -> str:
    if isinstance(db.obj, pw.SqliteDatabase):
        return f"SQLite {sqlite3.sqlite_version}"
    (version,) = db.execute_sql("SHOW server_version").fetchone()
    return f"PostgreSQL {version.partition(' ')[0]}"


def _database_bytes(settings: Settings) -> int | None:
    if file := sqlite_file(settings.database_url):
        with suppress(OSError):
            return sum(Path(file + end).stat().st_size for end in ("", "-wal") if Path(file + end).exists())
        return None
    (size,) = db.execute_sql("SELECT pg_database_size(current_database())").fetchone()
    return int(size)


def _beginning(day: date, zone: ZoneInfo) -> datetime:
    """Its midnight, naive UTC."""
    return datetime.combine(day, time.min, zone).astimezone(UTC).replace(tzinfo=None)
