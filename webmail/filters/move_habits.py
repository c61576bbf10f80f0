"""Move habits: mail of one sender or list that is moved to the same folder again and again, for which a filter is suggested.

Counted are moves, not messages. A move to another folder begins anew. One is suggested after every third, until it is declined.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from webmail.database.connection import db
from webmail.models import MoveHabit, User, now

ENOUGH = 3  # moves in a row
_MOST = 300  # senders and lists of one person; those not moved for longest are forgotten
_LONGEST = 254
_LIST = re.compile(r"[^\s<>.]+(?:\.[^\s<>.]+)*\.[^\s<>.]{2,}")


class MovedSource(NamedTuple):
    """Where messages that were moved came from: `field` "list" with the identifier of a list, or "from" with an address."""

    field: str
    value: str


def names_list(identifier: str) -> bool:
    """Whether a filter can look for this identifier (RFC 2919): "e", which anybody may write, is in those of other lists too."""
    return 6 <= len(identifier) <= _LONGEST and _LIST.fullmatch(identifier) is not None


def note(user: User, sources: Iterable[MovedSource], mailbox: str) -> None:
    """Count one move of messages of these sources. 1 transaction, 2 queries for each."""
    fitting = {MovedSource(one.field, one.value.lower()) for one in sources if 0 < len(one.value) <= _LONGEST}
    with db.atomic():
        for one in sorted(fitting):
            mine = (MoveHabit.user == user) & (MoveHabit.field == one.field) & (MoveHabit.value == one.value)
            again = MoveHabit.update(times=MoveHabit.times + 1, last=now()).where(mine, MoveHabit.mailbox == mailbox).execute()
            if not again:
                fresh = {"mailbox": mailbox, "times": 1, "last": now()}
                MoveHabit.insert(user=user, field=one.field, value=one.value, **fresh).on_conflict(
                    conflict_target=[MoveHabit.user, MoveHabit.field, MoveHabit.value], update=fresh
                ).execute()
        _forget_old(user)


def due(user: User, sources: Iterable[MovedSource], mailbox: str) -> bool:
    """Whether a filter would be suggested for one of these after one more move. 1 query."""
    values = [one.value.lower() for one in sources]
    mine = (MoveHabit.user == user) & MoveHabit.value.in_(values) & (MoveHabit.mailbox == mailbox) & ~MoveHabit.never
    return any(row.times % ENOUGH == ENOUGH - 1 for row in MoveHabit.select(MoveHabit.times).where(mine))


def _forget_old(user: User) -> None:
    """What was declined stays declined."""
    rows = MoveHabit.select(MoveHabit.id).where(MoveHabit.user == user, ~MoveHabit.never)
    old = [row.id for row in rows.order_by(MoveHabit.last.desc()).offset(_MOST).limit(100)]
    if old:
        MoveHabit.delete().where(MoveHabit.id.in_(old)).execute()


def suggestion(user: User, since: datetime) -> MoveHabit | None:
    """The habit to suggest a filter for, of what was moved since then (UTC); None for none. 1 query."""
    ready = (MoveHabit.user == user) & (MoveHabit.times >= ENOUGH) & (MoveHabit.last >= since) & ~MoveHabit.never
    rows = MoveHabit.select().where(ready).order_by(MoveHabit.last.desc()).limit(20)
    return next((row for row in rows if row.times % ENOUGH == 0), None)


def decline(user: User, number: int) -> bool:
    """Never suggest a filter for this sender or list again; whether it is one of this person's."""
    known = 0 < number < 2**63
    return known and bool(MoveHabit.update(never=True).where(MoveHabit.id == number, MoveHabit.user == user).execute())
