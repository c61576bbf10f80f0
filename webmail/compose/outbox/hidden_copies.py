"""Hidden copies: messages of their own for the hidden recipients of an encrypted message, since one for all would tell their keys
to everybody.

Each is a row of the outbox that names the row of the message (`part_of`). It leaves once that one has left, is undone with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import peewee as pw

from webmail.models import Outbox, OutboxState, now

_SOON, _LATER = timedelta(minutes=1), timedelta(minutes=10)
_COMMON = (
    "user", "message_id", "subject", "sender", "due", "credential", "created", "scheduled", "protection", "dsn", "sent_mailbox",
)  # fmt: skip


class HiddenCopy(NamedTuple):
    """The content of a row (`spool`), and its one recipient."""

    content: bytes
    recipient: str


def replace(main: Outbox, copies: Sequence[HiddenCopy], recipients: Sequence[str]) -> list[bytes]:
    """Queue these with the message, in place of those of an earlier attempt; returns the contents of those. In a transaction.

    `recipients`: of each, as JSON.
    """
    former = list(Outbox.select(Outbox.id, Outbox.content).where(_copies_of(main.id) & Outbox.sent_at.is_null()))
    if former:
        Outbox.delete().where(Outbox.id.in_([row.id for row in former])).execute()
    values = {name: getattr(main, name) for name in _COMMON}
    for copy, to in zip(copies, recipients, strict=True):
        named = hashlib.sha256(f"hidden copy {main.draft} {main.attempts} {copy.recipient}".encode()).hexdigest()[:32]
        Outbox.create(draft=named, content=copy.content, recipients=to, people=1, filed=True, part_of=main.id, **values)
    return [bytes(row.content) for row in former]


def may_leave(outbox_id: int) -> bool:
    """Whether a row may be sent: it is no hidden copy, or that of a message that has left. Else it is due later, or cancelled
    with its message. One SELECT, one more for a hidden copy."""
    row = Outbox.select(Outbox.part_of).where((Outbox.id == outbox_id) & (Outbox.state == OutboxState.WAITING)).first()
    if row is None or row.part_of is None:
        return True
    main = Outbox.select(Outbox.state, Outbox.sent_at, Outbox.due).where(Outbox.id == row.part_of).first()
    if main is not None and main.sent_at is not None:
        return True
    mine = (Outbox.id == outbox_id) & (Outbox.state == OutboxState.WAITING)
    if main is None or main.state == OutboxState.CANCELLED:
        _cancel(mine)
    else:
        going = main.state in (OutboxState.WAITING, OutboxState.SENDING)
        Outbox.update(due=max(main.due, now()) + (_SOON if going else _LATER)).where(mine).execute()
    return False


def release(main_id: int) -> list[int]:
    """The ids of the copies of a message that has left, which are due now. One SELECT, one more query where there are any."""
    waiting = _copies_of(main_id) & (Outbox.state == OutboxState.WAITING) & (Outbox.error == "") & (Outbox.due > now())
    found = [row.id for row in Outbox.select(Outbox.id).where(waiting)]
    if found:
        Outbox.update(due=now()).where(Outbox.id.in_(found) & (Outbox.state == OutboxState.WAITING)).execute()
    return found


def cancel(main_id: int) -> None:
    """With its message, which was undone before anything of it left. One UPDATE."""
    _cancel(_copies_of(main_id) & (Outbox.state == OutboxState.WAITING) & Outbox.sent_at.is_null())


def is_listed() -> Any:
    """SQL condition: a message of its own for the person, or a hidden copy that did not arrive."""
    trouble = Outbox.state.in_([OutboxState.FAILED, OutboxState.UNCERTAIN]) | (Outbox.refused != "{}")
    return Outbox.part_of.is_null() | trouble


def _copies_of(main_id: int) -> Any:
    return Outbox.part_of == main_id


def _cancel(those: pw.Expression) -> None:
    Outbox.update(state=OutboxState.CANCELLED, content=b"", credential=None, error="").where(those).execute()
