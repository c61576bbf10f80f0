"""Links: addresses by which anybody who knows them reads a calendar, whole or its busy times alone; made and ended by its owner
and by who manages it.

Of an address only the hash of its random part is stored: it is shown once.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from collections.abc import Collection as Several
from typing import Any

from webmail import rate_limits
from webmail.collections import manager_notes, shares
from webmail.collections.look import title_of
from webmail.collections.manager_notes import ManagerAct
from webmail.collections.store import CALENDAR, calendars_of
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.models import CalendarLink, Collection, User, now
from webmail.rate_limits import HOUR, RateLimit

FEED, PAGE = "feed", "page"
MOST = 10  # of one calendar
ASKED = RateLimit("requests of a calendar's address", 120, HOUR)


def for_collection(collection: Collection) -> list[CalendarLink]:
    """1 query."""
    return list(CalendarLink.select().where(CalendarLink.collection == collection).order_by(CalendarLink.id))


def make(user: User, calendar: int, kind: str, *, whole: bool) -> str:
    """Give a calendar (by `id`) that one owns or manages an address; returns its random part (192 bits). 1 transaction.

    Raises NotTheirsError, LimitReachedError.
    """
    token = secrets.token_urlsafe(24)
    with db.atomic():
        collection = shares.managed(user, calendar)
        if kind not in (FEED, PAGE) or collection.kind != CALENDAR:
            raise ValueError(f"no address for {calendar}")
        if len(for_collection(collection)) >= MOST:
            raise LimitReachedError(f"{MOST} addresses of {calendar}")
        by = "" if collection.user_id == user.id else user.address
        CalendarLink.create(
            user=collection.user_id, collection=collection, token_hash=_hash(token), kind=kind, whole=int(whole), made_by=by
        )
        manager_notes.add(collection, user, ManagerAct.LINK_MADE, kind, "read" if whole else "busy")
    return token


def end(user: User, calendar: int, number: int) -> bool:
    """End an address (by `id`) of a calendar that one owns or manages; False if it was ended already. 1 transaction.

    Raises NotTheirsError.
    """
    with db.atomic():
        collection = shares.managed(user, calendar)
        mine = (CalendarLink.id == number) & (CalendarLink.collection == collection)
        ended = bool(CalendarLink.delete().where(mine).execute())
        if ended:
            manager_notes.add(collection, user, ManagerAct.LINK_ENDED)
    return ended


def find(token: str, kind: str) -> CalendarLink | None:
    """With its calendar and owner; None where there is none, or its owner may not sign in. 1 query."""
    if not 16 <= len(token) <= 64:
        return None
    found = CalendarLink.select(CalendarLink, Collection, User).join(Collection).switch(CalendarLink).join(User)
    return found.where(CalendarLink.token_hash == _hash(token), CalendarLink.kind == kind, User.active == 1).first()


def owner_changed(calendar: int, owner: User) -> None:
    """Its public addresses stay, and are the new owner's to end. 1 query."""
    CalendarLink.update(user=owner).where(CalendarLink.collection == calendar).execute()


def count(link: CalendarLink, settings: Settings) -> None:
    """Count a request. 4 queries. Raises TooManyRequestsError."""
    rate_limits.take(settings, ASKED.by(link.id))
    CalendarLink.update(used=now()).where(CalendarLink.id == link.id).execute()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def of_everybody(people: Callable[[Any], Any], after: int, most: int) -> list[CalendarLink]:
    """Those of the calendars of these people (a condition of a column), by their number, for administrators. 1 SELECT."""
    found = CalendarLink.select().where(people(CalendarLink.user), CalendarLink.id > after)
    return list(found.order_by(CalendarLink.id).limit(most))


def titles(found: Sequence[CalendarLink]) -> dict[int, str]:
    """What their calendars are called, by number. 1 SELECT."""
    return {number: title_of(props) for number, _owner, props in calendars_of({link.user_id for link in found})}


def end_several(numbers: Several[int], people: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """End those of these numbers of calendars of these people; returns what they were, for `put_back`. 1 transaction."""
    columns = (CalendarLink.user, CalendarLink.collection, CalendarLink.token_hash, CalendarLink.kind, CalendarLink.whole)
    with db.atomic():
        mine = CalendarLink.id.in_(list(numbers)) & people(CalendarLink.user)
        rows: Any = CalendarLink.select(CalendarLink.id, *columns, CalendarLink.made_by).where(mine)
        found = list(rows.dicts())
        CalendarLink.delete().where(CalendarLink.id.in_([one["id"] for one in found])).execute()
    return found


def put_back(found: Sequence[dict[str, Any]]) -> None:
    """Those that were ended open their calendars again, but those of calendars that have gone. 1 transaction."""
    with db.atomic():
        there = {number for number, _owner, _props in calendars_of({one["user"] for one in found})}
        for one in found:
            if one["collection"] in there:
                CalendarLink.insert(one).on_conflict_ignore().execute()
