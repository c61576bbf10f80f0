"""Awaited replies: to which sent messages a reply is awaited, until when, and what came. One row a message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import peewee as pw

from webmail.errors import LimitReachedError, NoSuchMessageError
from webmail.mime.headers.answer_headers import AnswerHeaders
from webmail.mime.text.absence_dates import AwayDays
from webmail.models import AwaitedReply, User, now

MOST = 5_000  # of one person
KEPT = timedelta(days=365)  # what came of it is told for so long
UNDECIDED = timedelta(days=90)  # after which who was reminded lets it be
_UNSENT = timedelta(days=400)  # longer than a message can be scheduled ahead
_LONGEST = 255
_PIECE = 500

WAITING: Any = AwaitedReply.answered.is_null() & AwaitedReply.ended.is_null()
DUE: Any = WAITING & AwaitedReply.sent.is_null(False) & AwaitedReply.told.is_null()
OPEN: Any = WAITING & AwaitedReply.told.is_null(False)  # the person was reminded, and has not decided


# --- what the person asks for ----------------------------------------------------------------------------------------


def begin(user: User, message_id: str, subject: str, recipients: str, due: datetime, **copy: Any) -> AwaitedReply:
    """Await a reply to a message until then, also where it was let be before; `copy`: columns that say where it is. Raises
    LimitReachedError. 2 to 3 queries."""
    if not 0 < len(message_id) <= _LONGEST:
        raise LimitReachedError
    here: Any = (AwaitedReply.user == user) & (AwaitedReply.message_id == message_id)
    values = {"subject": subject[:_LONGEST], "recipients": recipients[:_LONGEST], "due": due, "told": None, "ended": None, **copy}
    if not AwaitedReply.update(**values).where(here).execute():
        if AwaitedReply.select().where(AwaitedReply.user == user, WAITING).count() >= MOST:
            raise LimitReachedError
        insert = AwaitedReply.insert(user=user, message_id=message_id, **values)
        insert.on_conflict(conflict_target=[AwaitedReply.user, AwaitedReply.message_id], update=values).execute()
    return AwaitedReply.get(here)


def withdraw(user: User, message_id: str) -> None:
    """It has not left after all. 1 query."""
    here = (AwaitedReply.user == user) & (AwaitedReply.message_id == message_id)
    AwaitedReply.delete().where(here & AwaitedReply.sent.is_null()).execute()


def postpone(user: User, number: int, due: datetime) -> bool:
    """Wait longer. False if an answer has come meanwhile, or it was let be."""
    changed = AwaitedReply.update(due=due, told=None).where(_mine(user, number) & WAITING).execute()
    return bool(changed)


def end(user: User, number: int) -> bool:
    """Let it be: nobody is reminded. False if that is so already."""
    return bool(AwaitedReply.update(ended=now()).where(_mine(user, number) & WAITING).execute())


def resume(user: User, number: int) -> bool:
    """Undo `end`: awaited as before, with the reminder that stood there."""
    mine = _mine(user, number) & AwaitedReply.ended.is_null(False) & AwaitedReply.answered.is_null()
    return bool(AwaitedReply.update(ended=None).where(mine).execute())


def _mine(user: User, number: int) -> Any:
    return (AwaitedReply.user == user) & (AwaitedReply.id == number)


# --- reading ---------------------------------------------------------------------------------------------------------


def get(user: User, number: int) -> AwaitedReply:
    """Raises NoSuchMessageError."""
    row: AwaitedReply | None = AwaitedReply.get_or_none(_mine(user, number)) if 0 < number < 2**63 else None
    if row is None:
        raise NoSuchMessageError(f"nothing awaited has the number {number}")
    return row


def of_message(user: User, message_id: str) -> AwaitedReply | None:
    """1 query."""
    found: AwaitedReply | None = AwaitedReply.get_or_none(AwaitedReply.user == user, AwaitedReply.message_id == message_id)
    return found


def listing(user: User, most: int) -> list[AwaitedReply]:
    """Those that are awaited, what the person was reminded of first, then by day. 1 query."""
    rows = AwaitedReply.select().where(AwaitedReply.user == user, AwaitedReply.sent.is_null(False), WAITING)
    return list(rows.order_by(AwaitedReply.told.is_null(), AwaitedReply.due, AwaitedReply.id).limit(most))


def reminded(user: User, most: int) -> list[AwaitedReply]:
    """Those of which the person was reminded and that are not decided. 1 query."""
    rows = AwaitedReply.select().where(AwaitedReply.user == user, OPEN)
    return list(rows.order_by(AwaitedReply.due, AwaitedReply.id).limit(most))


def awaiting() -> list[User]:
    """Who awaits something that has been sent. 1 query, and 1 each."""
    return [
        row.user for row in AwaitedReply.select(AwaitedReply.user).where(AwaitedReply.sent.is_null(False), WAITING).distinct()
    ]


def is_awaiting(user: User) -> bool:
    """1 query."""
    return bool(AwaitedReply.select().where(AwaitedReply.user == user, AwaitedReply.sent.is_null(False), WAITING).exists())


# --- what becomes of it ----------------------------------------------------------------------------------------------


def note_sent(row: AwaitedReply, mailbox: str, uidvalidity: int, uid: int, *, marked: bool) -> None:
    """The message has left; its copy is there."""
    values = {"sent": now(), "mailbox": mailbox[:500], "uidvalidity": uidvalidity, "uid": uid, "marked": int(marked)}
    AwaitedReply.update(**values).where(AwaitedReply.id == row.id).execute()


def among(user: User, ids: Iterable[str]) -> set[str]:
    """Those of these Message-IDs to whose messages a reply is awaited. 1 query for 500."""
    wanted, found = [one for one in ids if len(one) <= _LONGEST], set()
    for at in range(0, len(wanted), _PIECE):
        some = AwaitedReply.message_id.in_(wanted[at : at + _PIECE])
        rows: Any = AwaitedReply.select(AwaitedReply.message_id).where(AwaitedReply.user == user, WAITING, some)
        found |= {message_id for (message_id,) in rows.tuples()}
    return found


def note_answer(user: User, ids: Sequence[str], answer: AnswerHeaders, mailbox: str, uidvalidity: int, uid: int) -> int:
    """Somebody answered these; returns how many are not awaited any more. 1 query."""
    values = {
        "answered": now(), "answerer": answer.sender[:_LONGEST], "answer_mailbox": mailbox[:500],
        "answer_uidvalidity": uidvalidity, "answer_uid": uid,
    }  # fmt: skip
    return int(AwaitedReply.update(**values).where(_awaited(user, ids)).execute())


def note_automatic(user: User, ids: Sequence[str], answer: AnswerHeaders) -> None:
    """A program answered these: that is told, and they are awaited on."""
    told = {"automatic": answer.sender[:_LONGEST], "automatic_subject": answer.subject[:_LONGEST], "automatic_at": now()}
    AwaitedReply.update(**told).where(_awaited(user, ids)).execute()


def note_absence(user: User, ids: Sequence[str], absence: AwayDays) -> None:
    """Until when, or from when on again, as the automatic reply says; no day if that is not sure."""
    until = f"until {absence.until}" if absence.until else f"back {absence.back}" if absence.back else ""
    AwaitedReply.update(automatic_until=until).where(_awaited(user, ids)).execute()


def note_bounce(user: User, ids: Sequence[str], recipients: str) -> None:
    """These did not reach everybody: that is told, and they are awaited on, since others may answer."""
    told = {"bounced": recipients[:_LONGEST], "bounced_at": now()}
    AwaitedReply.update(**told).where(_awaited(user, ids)).execute()


def _awaited(user: User, ids: Sequence[str]) -> Any:
    return (AwaitedReply.user == user) & AwaitedReply.message_id.in_(list(ids)) & WAITING


# --- due -------------------------------------------------------------------------------------------------------------


def due_rows(user: User | None = None, most: int = _PIECE) -> list[AwaitedReply]:
    """Of which nobody was reminded yet though it is time, with their people. 1 query."""
    mine = DUE if user is None else DUE & (AwaitedReply.user == user)
    rows: Any = AwaitedReply.select(AwaitedReply, User).join(User).where(AwaitedReply.due <= now(), mine, User.active == 1)
    return list(rows.order_by(AwaitedReply.user, AwaitedReply.due, AwaitedReply.id).limit(most))


def pending() -> list[pw.Query]:
    return [AwaitedReply.select(AwaitedReply.id).where(AwaitedReply.due <= now(), DUE)]


def take_due(rows: Sequence[AwaitedReply]) -> list[AwaitedReply]:
    """Those of these that are still due, which are told from now on: whoever else tries gets none of them. In the transaction
    that tells them. 1 query each."""
    return [row for row in rows if AwaitedReply.update(told=now()).where(AwaitedReply.id == row.id, DUE).execute()]


def put_off(user: User, by: timedelta) -> None:
    """What is due cannot be told now. 1 query."""
    AwaitedReply.update(due=now() + by).where(AwaitedReply.user == user, AwaitedReply.due <= now(), DUE).execute()


def forget_old() -> None:
    """What came long ago, what never left, and what nobody decided on."""
    old = now() - KEPT
    over = (AwaitedReply.answered < old) | (AwaitedReply.ended < old)
    AwaitedReply.delete().where(over | (AwaitedReply.sent.is_null() & (AwaitedReply.created < now() - _UNSENT))).execute()
    AwaitedReply.update(ended=now()).where(OPEN & (AwaitedReply.told < now() - UNDECIDED)).execute()
