"""Notes of the doctor: what it found when the worker last asked it, so that a page shows it without asking all servers anew."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from webmail.database.connection import db
from webmail.models import CheckNote, now

EVERY = timedelta(hours=1)
_ORDER = {"problem": 0, "warning": 1}


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """A result of the doctor (webmail/doctor/result.py): `texts` are its sentence by language, of which English is one."""

    name: str
    state: str
    texts: Mapping[str, str]
    days: int | None = None

    @property
    def text(self) -> str:
        return self.texts["en"]


def replace(found: Iterable[CheckFinding]) -> None:
    """Put these in the place of what was found before. Two statements for fifty."""
    rows = [
        {
            "name": one.name[:60], "state": one.state, "text": one.text[:2000], "days": one.days, "at": now(),
            "texts": json.dumps({language: text[:2000] for language, text in one.texts.items()}, ensure_ascii=False),
        }
        for one in found
    ]  # fmt: skip
    with db.atomic():
        CheckNote.delete().execute()
        for start in range(0, len(rows), 50):
            CheckNote.insert_many(rows[start : start + 50]).execute()


def listed() -> list[CheckNote]:
    """What is wrong first, in the order in which it was found. 1 SELECT."""
    return sorted(CheckNote.select(), key=lambda note: (_ORDER.get(note.state, 2), note.id))


def said(note: CheckNote, language: str) -> str:
    """Its sentence."""
    texts = json.loads(note.texts) if note.texts else {}
    return str(texts.get(language) or note.text)
