"""Reply searches: whose guests may still reply, and how far their inboxes were searched for it."""

from __future__ import annotations

import time
from typing import Any

from webmail.models import CalendarObject, Collection, ReplySearch, SentInvitation, User, now


def awaiting() -> list[User]:
    """Those who invited somebody to what is not over: their guests may reply, and change their mind. 1 query, and 1 each."""
    theirs = (Collection.id == CalendarObject.collection) & (Collection.user == SentInvitation.user)
    rows: Any = SentInvitation.select(SentInvitation.user).distinct()
    rows = rows.join(CalendarObject, on=CalendarObject.uid == SentInvitation.uid).join(Collection, on=theirs)
    found = [row.user for row in rows.where(CalendarObject.last >= int(time.time()))]
    return [user for user in found if user.active]


def searched(user: User, uidvalidity: int) -> int:
    """The first UID of the inbox that was not looked at yet; 0 if it never was, or is another one now. 1 query."""
    found: Any = ReplySearch.get_or_none(ReplySearch.user == user)
    return int(found.uidnext) if found is not None and found.uidvalidity == uidvalidity else 0


def note(user: User, uidvalidity: int, following: int) -> None:
    values = {"uidvalidity": uidvalidity, "uidnext": following, "at": now()}
    ReplySearch.insert(user=user, **values).on_conflict(conflict_target=[ReplySearch.user], update=values).execute()
