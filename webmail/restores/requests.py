"""Requests for what was: one at a time a person, of a night that there is a backup of; states until it is done or has failed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import peewee as pw

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import BackupNight, RestoreKind, RestoreRequest, RestoreState, User, now

MOST_NIGHTS = 60  # that a page offers: a week of days, five weeks, a year of months, and those made by hand
SHOWN = 10  # requests
LATE = timedelta(hours=2)  # after which something is wrong where nobody has begun
_KEPT = timedelta(days=365)
_LONGEST_ID = 64


class OneAtATimeError(Exception):
    """Something is being brought back for this person already."""


class NightGoneError(LookupError):
    """There is no such backup (any more)."""


@dataclass(frozen=True, slots=True)
class RestoreWish:
    """`what`: a folder, or the `id` of a collection; with `title` "" for all. `place`: what is to be made for it."""

    snapshot: str
    kind: RestoreKind
    what: str
    title: str
    place: str


def nights() -> list[BackupNight]:
    """The backups there are, the latest first. One SELECT."""
    return list(BackupNight.select().order_by(BackupNight.at.desc()).limit(MOST_NIGHTS))


def note_nights(found: Iterable[tuple[str, datetime]]) -> int:
    """These are the backups there are, and no others; how many. One transaction."""
    rows = {snapshot[:_LONGEST_ID]: at for snapshot, at in found}
    with db.atomic():
        BackupNight.delete().execute()
        for snapshot, at in rows.items():
            BackupNight.insert(snapshot=snapshot, at=at).execute()
    return len(rows)


def ask(user: User, by: User, wish: RestoreWish) -> RestoreRequest:
    """Note a request. One transaction. Raises OneAtATimeError, NightGoneError."""
    night = BackupNight.get_or_none(BackupNight.snapshot == wish.snapshot[:_LONGEST_ID])
    if night is None:
        raise NightGoneError(wish.snapshot[:_LONGEST_ID])
    try:
        with db.atomic():
            RestoreRequest.delete().where(RestoreRequest.user == user, RestoreRequest.ended < now() - _KEPT).execute()
            return RestoreRequest.create(
                user=user, asked_by=by.address, open_for=user.id, snapshot=night.snapshot, night=night.at, kind=wish.kind,
                what=wish.what, title=wish.title[:255], place=wish.place[:255],
            )  # fmt: skip
    except pw.IntegrityError as error:  # `open_for` is unique
        raise OneAtATimeError(user.address) from error


def of_person(user: User) -> list[RestoreRequest]:
    """Theirs, the latest first. One SELECT."""
    return list(RestoreRequest.select().where(RestoreRequest.user == user).order_by(RestoreRequest.asked.desc()).limit(SHOWN))


def latest(people: Iterable[int] | None, most: int = 50) -> list[RestoreRequest]:
    """Those of these people (by `id`), or of all, with the people, the latest first. One SELECT."""
    found = RestoreRequest.select(RestoreRequest, User).join(User).order_by(RestoreRequest.asked.desc()).limit(most)
    return list(found if people is None else found.where(RestoreRequest.user.in_(list(people))))


def call_attention(settings: Settings) -> None:
    """Touch the file that the unit which carries requests out waits for. Where nobody waits, an hourly round finds them."""
    file = Path(settings.instance) / "restore" / "asked"
    file.parent.mkdir(mode=0o750, exist_ok=True)
    file.write_text(f"{now().isoformat()}\n")


# --- of who carries them out -----------------------------------------------------------------------------------------


def give_up_begun() -> list[RestoreRequest]:
    """End those whose work was broken off, since one is carried out at a time and nobody does now; which."""
    found = RestoreRequest.select().where(RestoreRequest.state == RestoreState.WORKING)
    return [ended for row in list(found) if (ended := end(row, problem="stopped"))]


def begin_next() -> RestoreRequest | None:
    """The oldest that waits, which is at work from here on."""
    waiting = RestoreRequest.select().where(RestoreRequest.state == RestoreState.WAITING).order_by(RestoreRequest.asked)
    for row in waiting.limit(20):
        mine = (RestoreRequest.id == row.id) & (RestoreRequest.state == RestoreState.WAITING)
        if RestoreRequest.update(state=RestoreState.WORKING, begun=now()).where(mine).execute():
            return RestoreRequest.get_by_id(row.id)
    return None


def working(number: int) -> RestoreRequest | None:
    """The one with this `id`, if it is at work."""
    return RestoreRequest.get_or_none(RestoreRequest.id == number, RestoreRequest.state == RestoreState.WORKING)


def end(row: RestoreRequest, *, number: int = 0, left_out: int = 0, target: str = "", problem: str = "") -> RestoreRequest | None:
    """It is done, into `target`, or has failed for a `problem`; the row as it is now, None where it had ended already."""
    changed = {
        "state": RestoreState.FAILED if problem else RestoreState.DONE, "ended": now(), "open_for": None, "number": number,
        "left_out": left_out, "problem": problem[:20], "place": (target or row.place)[:255],
    }  # fmt: skip
    mine = (RestoreRequest.id == row.id) & (RestoreRequest.state == RestoreState.WORKING)
    return RestoreRequest.get_by_id(row.id) if RestoreRequest.update(changed).where(mine).execute() else None
