"""Archive log: what each night did, told to the person at the next visit, and kept for a week so that it can be undone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from webmail import preferences
from webmail.imap.connections.commands import expand_uid_set
from webmail.models import ArchiveBatch, ArchiveRun, BatchState, User, now

UNDO_FOR = timedelta(days=7)
_KEPT = timedelta(days=30)  # what is told of a night
_TOLD_FOR = timedelta(days=7)  # a notice that nobody looked at
_MOST_TROUBLES = 30
REVERSIBLE = ("archived", "tagged", "trashed")


def begin(user: User, night: str) -> ArchiveRun:
    """This night's entry, which an interrupted turn may have begun. 1 query, 2 for the first turn."""
    same = (ArchiveRun.user == user) & (ArchiveRun.night == night) & ArchiveRun.ended.is_null() & ArchiveRun.undone.is_null()
    found = ArchiveRun.select().where(same).order_by(ArchiveRun.id.desc()).first()
    return found or ArchiveRun.create(user=user, night=night)


def end(run: ArchiveRun, troubles: list[tuple[str, str]]) -> ArchiveRun | None:
    """It is over: its entry goes where nothing was done and nothing went wrong, else the person is told. 3 queries."""
    fresh = ArchiveRun.get_by_id(run.id)
    if not messages(fresh) and not troubles:
        fresh.delete_instance()
        return None
    fresh.ended, fresh.trouble = now(), json.dumps(troubles[:_MOST_TROUBLES], ensure_ascii=False)
    fresh.save(only=[ArchiveRun.ended, ArchiveRun.trouble])
    tell(fresh)
    return fresh


def tell(run: ArchiveRun) -> None:
    """Have the next page say it: a copy in the preferences, so that no page has to ask for it."""
    fresh = ArchiveRun.get_by_id(run.id)
    if count := messages(fresh):
        mixed = "" if count == fresh.archived else "/final" if count == fresh.deleted else "/mixed"
        preferences.change(fresh.user, archived=f"{fresh.id}/{count}/{fresh.night}{mixed}")


def messages(run: ArchiveRun) -> int:
    return run.archived + run.tagged + run.trashed + run.deleted


def reversible(run: ArchiveRun) -> int:
    """How many messages undo would bring back."""
    past = run.undone is not None or run.began < now() - UNDO_FOR
    return 0 if past else run.archived + run.tagged + run.trashed


def troubles_of(run: ArchiveRun) -> list[tuple[str, str]]:
    """[(word, mailbox)]"""
    return [(str(word), str(mailbox)) for word, mailbox in json.loads(run.trouble)]


def nights(user: User, most: int = 14) -> list[ArchiveRun]:
    """The latest first. 1 query."""
    return list(ArchiveRun.select().where(ArchiveRun.user == user).order_by(ArchiveRun.id.desc()).limit(most))


def trashed_lately(user: User, position: tuple[str, int]) -> set[int]:
    """UIDs in the trash (its name and UIDVALIDITY) of what nights put there that can still be undone. 1 query."""
    here = (ArchiveBatch.target == position[0]) & (ArchiveBatch.target_uidvalidity == position[1])
    mine = (ArchiveBatch.user == user) & (ArchiveBatch.action == "trashed") & (ArchiveBatch.began > now() - UNDO_FOR) & here
    kept = [batch.target_uids for batch in ArchiveBatch.select(ArchiveBatch.target_uids).where(mine) if batch.target_uids]
    return {uid for uids in kept for uid in expand_uid_set(uids)}


def find(user: User, number: int) -> ArchiveRun | None:
    return ArchiveRun.get_or_none((ArchiveRun.id == number) & (ArchiveRun.user == user)) if number < 2**31 else None


@dataclass(frozen=True, slots=True)
class ToldNight:
    """What a page says of a night: its entry, how many messages, which day; `mixed`: not all of them were archived; `final`: all
    were deleted for good.
    """

    run: int
    count: int
    night: date
    mixed: bool
    final: bool = False


def told(stored: str, today: date) -> ToldNight | None:
    """What the preferences keep to be told; None where there is nothing, or it is old. No query."""
    if not stored:
        return None
    run, count, day, *mixed = stored.split("/")
    try:
        night = date.fromisoformat(day)
    except ValueError:
        return None
    return ToldNight(int(run), int(count), night, bool(mixed), mixed == ["final"]) if night >= today - _TOLD_FOR else None


def seen(user: User) -> None:
    """It was told. Nothing is written where there was nothing to tell."""
    if preferences.for_user(user).archived:
        preferences.change(user, archived="")


def expire() -> None:
    """Forget where messages of more than a week ago are, and nights of more than a month ago."""
    at: Any = now()
    old = ArchiveRun.select(ArchiveRun.id).where(ArchiveRun.began < at - UNDO_FOR)
    ArchiveBatch.delete().where(ArchiveBatch.run.in_(old) & (ArchiveBatch.state != BatchState.PENDING)).execute()
    ArchiveRun.delete().where(ArchiveRun.began < at - _KEPT).execute()
