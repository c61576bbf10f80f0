"""Double submits: of a form that was sent twice at once the first is carried out, on whichever machine, and the second gets its
answer."""

from __future__ import annotations

from datetime import timedelta

import peewee as pw

from webmail.database.connection import db
from webmail.models import SentForm, now

LONGEST_KEY = 64
KEPT = timedelta(hours=1)  # how long an answer is remembered
GIVEN_UP = timedelta(minutes=2)  # the process that worked on it is gone


def begin(key: str) -> bool:
    """Whether this form is the first of its key, which others then wait for. Two queries."""
    begun = now()
    unfinished = (SentForm.status == 0) & (SentForm.created < begun - GIVEN_UP)
    SentForm.delete().where(SentForm.id == key, unfinished | (SentForm.created < begun - KEPT)).execute()
    try:
        with db.atomic():
            SentForm.insert(id=key, created=begun).execute()
    except pw.IntegrityError:
        return False
    return True


def end(key: str, status: int, location: str = "", answer: bytes | None = None) -> None:
    """What the form was answered: others get the same."""
    SentForm.update(status=status, location=location, answer=answer).where(SentForm.id == key).execute()


def forget(key: str) -> None:
    """It was refused, or failed: the next one is carried out."""
    SentForm.delete().where(SentForm.id == key).execute()


def answer_of(key: str) -> SentForm | None:
    """The row of a form that others sent; None if it was refused. Its status is 0 while it is being worked on."""
    return SentForm.get_or_none(SentForm.id == key)


def pages_of(whose: str) -> int:
    """How many pages are kept in answer to forms whose keys begin so. One SELECT."""
    return int(SentForm.select().where(SentForm.id.startswith(whose), SentForm.answer.is_null(False)).count())


def expire() -> None:
    SentForm.delete().where(SentForm.created < now() - KEPT).execute()
