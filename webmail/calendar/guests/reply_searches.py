"""Reply searches: whose guests may still reply."""

from __future__ import annotations

import time
from typing import Any

from webmail.models import CalendarObject, Collection, SentInvitation, User


def awaiting() -> list[User]:
    """Those who invited somebody to what is not over: their guests may reply, and change their mind. 1 query, and 1 each."""
    return [row.user for row in _awaited().distinct()]


def is_awaiting(user: User) -> bool:
    """1 query."""
    return bool(_awaited().where(SentInvitation.user == user).exists())


def _awaited() -> Any:
    theirs = (Collection.id == CalendarObject.collection) & (Collection.user == SentInvitation.user)
    rows: Any = SentInvitation.select(SentInvitation.user)
    rows = rows.join(CalendarObject, on=CalendarObject.uid == SentInvitation.uid).join(Collection, on=theirs)
    return rows.where(CalendarObject.last >= int(time.time()))
