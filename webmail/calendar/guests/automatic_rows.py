"""Automatic answers as they are remembered: each invitation is declined or pencilled in by itself once, and its card says why."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

import peewee as pw

from webmail.database.connection import db
from webmail.models import AutomaticAnswer, User, now

KEPT = timedelta(days=400)


class AnswerKind(StrEnum):
    PENCILLED = "pencilled"  # it stands in the calendar, and nothing was answered
    DECLINED = "declined"  # the person is away
    REFUSED = "refused"  # it was pencilled in, and the person declined: it is gone from the calendar
    ANSWERED = "answered"  # by the person since


class KnownAs(StrEnum):
    """Why somebody is known: what their invitations may do by themselves."""

    COLLEAGUE = "colleague"
    CONTACT = "contact"


def load(user: User, uid: str) -> AutomaticAnswer | None:
    """1 query."""
    found: AutomaticAnswer | None = AutomaticAnswer.get_or_none(AutomaticAnswer.user == user, AutomaticAnswer.uid == uid[:255])
    return found


def put(user: User, uid: str, kind: AnswerKind, reason: KnownAs, *, owed: bool = False) -> bool:
    """Whether it is done for the first time, whoever else tries at this moment. In a transaction. 1 query."""
    try:
        with db.atomic():
            AutomaticAnswer.insert(user=user, uid=uid[:255], kind=kind, reason=reason, owed=int(owed)).execute()
    except pw.IntegrityError:
        return False
    return True


def paid(row: AutomaticAnswer) -> bool:
    """The organiser is written to now: whether nobody else does. 1 query."""
    mine = (AutomaticAnswer.id == row.id) & (AutomaticAnswer.owed == 1)
    return bool(AutomaticAnswer.update(owed=0).where(mine).execute())


def answered(user: User, uid: str, *, refused: bool) -> bool:
    """The person answers by hand. Whether it was pencilled in until now. 1 query, 2 where it was answered by itself."""
    row = load(user, uid)
    if row is None:
        return False
    was = row.kind == AnswerKind.PENCILLED
    kind = AnswerKind.REFUSED if refused and was else AnswerKind.ANSWERED
    AutomaticAnswer.update(kind=kind, owed=0).where(AutomaticAnswer.id == row.id).execute()
    return was


def waiting_at(uid: str, users: list[User]) -> list[AutomaticAnswer]:
    """Of these people, what was done with an invitation that has perhaps not reached them. 1 query."""
    mine = (AutomaticAnswer.uid == uid[:255]) & AutomaticAnswer.user.in_([one.id for one in users])
    undone = (AutomaticAnswer.kind == AnswerKind.PENCILLED) | (AutomaticAnswer.owed == 1)
    return list(AutomaticAnswer.select().where(mine, undone))


def forget(row: AutomaticAnswer) -> None:
    AutomaticAnswer.delete().where(AutomaticAnswer.id == row.id).execute()


def forget_old() -> int:
    """Returns how many."""
    return int(AutomaticAnswer.delete().where(AutomaticAnswer.at < now() - KEPT).execute())
