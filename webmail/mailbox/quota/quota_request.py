"""Quota requests: somebody asks the administrator for more space, once a day at most; the answer is a new quota."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from webmail import system_mail
from webmail.auth import help_desk
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.desk import cases
from webmail.mail import Quota
from webmail.models import DeskKind, RoomRequest, SystemMessage, User, now

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


def is_offered(user: User, settings: Settings) -> bool:
    """Whether there is anybody who can give more. No query with `admin_address`, else at most 3."""
    return bool(settings.admin_address) or bool(help_desk.readers(user.address, settings))


def may_ask(last: RoomRequest | None) -> bool:
    return last is None or last.asked <= now() - EVERY


def ask(
    user: User, note: str, quota: Quota, letter: Letter, settings: Settings
) -> tuple[RoomRequest | None, list[SystemMessage]]:
    """Store the request and queue the letter, in one transaction; (None, []) if the person asked within a day. An earlier
    request that is still open is replaced. To who has had too many today there is no message: the row stays.
    """
    with db.atomic():
        in_turn(user)  # two clicks are one request
        if not may_ask(latest(user)):
            return None, []
        for earlier in RoomRequest.select().where((RoomRequest.user == user) & RoomRequest.closed.is_null()):
            cases.withdraw(DeskKind.SPACE, earlier.id)
            earlier.delete_instance()
        row = RoomRequest.create(user=user, note=note[:LONGEST_NOTE], used=quota.used, room=quota.limit)
        cases.open_case(DeskKind.SPACE, row.id, user=user, text=row.note)
        dedup = f"{user.id} {row.asked.isoformat()}"
        to = help_desk.readers(user.address, settings)
        queued = [system_mail.send(one, "room-request", letter.subject, letter.body, settings.language, dedup) for one in to]
    return row, [message for message in queued if message is not None]


def close(user: User, given: int) -> bool:
    """The quota was set; whether a request was open. 1 SELECT, and 2 UPDATEs where there was one.

    The same quota as before is an answer too: there is no more.
    """
    mine = RoomRequest.select(RoomRequest.id).where((RoomRequest.user == user) & RoomRequest.closed.is_null())
    if not (numbers := [row.id for row in mine]):
        return False
    with db.atomic():
        cases.settle(DeskKind.SPACE, numbers)
        return bool(RoomRequest.update(closed=now(), given=given).where(RoomRequest.id.in_(numbers)).execute())


def find(number: int) -> RoomRequest | None:
    """A request with who asks. One SELECT."""
    return RoomRequest.select(RoomRequest, User).join(User).where(RoomRequest.id == number).first()


def open_requests() -> list[RoomRequest]:
    """Those of everybody that wait for an answer, the oldest first."""
    waiting = RoomRequest.select(RoomRequest, User).join(User).where(RoomRequest.closed.is_null())
    return list(waiting.order_by(RoomRequest.asked).limit(1000))
