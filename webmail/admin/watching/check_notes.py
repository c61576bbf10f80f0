"""Notes of the doctor: what it found when the worker last asked it, so that a page shows it without asking all servers anew."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from webmail.database.connection import db
from webmail.models import CheckNote, now

EVERY = timedelta(hours=1)
_ORDER = {"problem": 0, "warning": 1}

CheckFinding = tuple[str, str, str, int | None]  # name, state, text and days, as webmail/doctor/result.py has them


def replace(found: Iterable[CheckFinding]) -> None:
    """Put these in the place of what was found before. Two statements."""
    rows = [
        {"name": name[:60], "state": state, "text": text[:2000], "days": days, "at": now()} for name, state, text, days in found
    ]
    with db.atomic():
        CheckNote.delete().execute()
        for start in range(0, len(rows), 50):
            CheckNote.insert_many(rows[start : start + 50]).execute()


def listed() -> list[CheckNote]:
    """What is wrong first, in the order in which it was found. 1 SELECT."""
    return sorted(CheckNote.select(), key=lambda note: (_ORDER.get(note.state, 2), note.id))
