"""Quota requests: somebody asks the administrator for more space, once a day at most; the answer is a new quota."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from webmail import system_mail
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.mail import Quota
from webmail.models import RoomRequest, SystemMessage, User, now

EVERY = timedelta(days=1)
LONGEST_NOTE = 500  # characters
TOLD = timedelta(days=30)  # how long an answer is shown


@dataclass(frozen=True, slots=True)
class Letter:
    """What the administrator is written, in their language."""

    subject: str
    body: str


def latest(user: User) -> RoomRequest | None:
    """A person's last request, open or answered. 1 query."""
    mine = RoomRequest.select().where(RoomRequest.user == user).order_by(RoomRequest.asked.desc(), RoomRequest.id.desc())
    return mine.first()


def may_ask(last: RoomRequest | None) -> bool:
    return last is None or last.asked <= now() - EVERY


def ask(
    user: User, note: str, quota: Quota, letter: Letter, settings: Settings
) -> tuple[RoomRequest | None, SystemMessage | None]:
    """Store the request and queue the letter, in one transaction; (None, None) if the person asked within a day. An earlier
    request that is still open is replaced. The message is None where the administrator has had too many today: the row stays.
    """
    with db.atomic():
        in_turn(user)  # two clicks are one request
        if not may_ask(latest(user)):
            return None, None
        RoomRequest.delete().where((RoomRequest.user == user) & RoomRequest.closed.is_null()).execute()
        row = RoomRequest.create(user=user, note=note[:LONGEST_NOTE], used=quota.used, room=quota.limit)
        dedup = f"{user.id} {row.asked.isoformat()}"
        sent = system_mail.send(settings.admin_address, "room-request", letter.subject, letter.body, settings.language, dedup)
    return row, sent


def close(user: User, given: int) -> bool:
    """The quota was set; whether a request was open. 1 UPDATE."""
    mine = (RoomRequest.user == user) & RoomRequest.closed.is_null()
    return bool(RoomRequest.update(closed=now(), given=given).where(mine).execute())


def open_requests() -> list[RoomRequest]:
    """Those of everybody that wait for an answer, the oldest first."""
    waiting = RoomRequest.select(RoomRequest, User).join(User).where(RoomRequest.closed.is_null())
    return list(waiting.order_by(RoomRequest.asked).limit(1000))
