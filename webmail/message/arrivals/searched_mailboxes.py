"""Searched mailboxes: where mail arrived that the worker has not read yet, and how far it has read. One row a mailbox.

Only of people for whom something is done when mail arrives: for everybody else nothing is written.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import peewee as pw

from webmail.calendar.guests import reply_searches
from webmail.compose.awaited import awaited_replies
from webmail.message.arrivals import new_invitations
from webmail.models import SearchedMailbox, User

LEASE = int(timedelta(minutes=10).total_seconds())  # after which another worker reads on for one that is dead
MOST_MAILBOXES = 100  # of one person: what arrives elsewhere is not looked at
LONGEST_NAME = 500


def concerned() -> list[User]:
    """Those for whom something is done when mail arrives. 3 queries, and 1 each."""
    found = {user.id: user for user in (*reply_searches.awaiting(), *new_invitations.wanting(), *awaited_replies.awaiting())}
    return [user for user in found.values() if user.active]


def is_concerned(user: User) -> bool:
    """At most 3 queries."""
    if not user.active:
        return False
    return new_invitations.is_wanting(user) or reply_searches.is_awaiting(user) or awaited_replies.is_awaiting(user)


def note_arrival(user: User, mailbox: str) -> bool:
    """Something came into this mailbox: the worker is to look. Returns whether it will; not beyond so many mailboxes. 2 queries,
    3 for a new mailbox, 1 where it is known already."""
    if not mailbox or len(mailbox) > LONGEST_NAME:
        return False
    row: Any = SearchedMailbox.get_or_none(SearchedMailbox.user == user, SearchedMailbox.mailbox == mailbox)
    if row is None:
        return _insert(user, mailbox)
    if not (row.told and row.due):
        SearchedMailbox.update(_told()).where(SearchedMailbox.id == row.id).execute()
    return True


def note_missed(user: User, positions: Mapping[str, tuple[int, int]], *, whole: bool) -> int:
    """Have those mailboxes searched in which there is something new by these UIDVALIDITY and UIDNEXT; returns how many. `whole`:
    these are all there are; those that are gone are forgotten. 1 query, and 1 to 3 for each that has something new."""
    rows = {row.mailbox: row for row in SearchedMailbox.select().where(SearchedMailbox.user == user)}
    if gone := [row.id for name, row in rows.items() if whole and name not in positions]:
        SearchedMailbox.delete().where(SearchedMailbox.id.in_(gone)).execute()
    new = [name for name, at in positions.items() if not (row := rows.get(name)) or (row.uidvalidity, row.uidnext) != at]
    return sum(note_arrival(user, name) for name in new)


def _insert(user: User, mailbox: str) -> bool:
    if SearchedMailbox.select().where(SearchedMailbox.user == user).count() >= MOST_MAILBOXES:
        return False
    key = [SearchedMailbox.user, SearchedMailbox.mailbox]
    insert = SearchedMailbox.insert(user=user, mailbox=mailbox, told=1, due=int(time.time()))
    insert.on_conflict(conflict_target=key, update=_told()).execute()
    return True


def _told() -> dict[Any, Any]:
    """At once, or when the worker that reads it is done."""
    return {
        SearchedMailbox.told: 1,
        SearchedMailbox.due: pw.Case(None, [(SearchedMailbox.due == 0, int(time.time()))], SearchedMailbox.due),
    }


def to_read() -> Any:
    """The query for those in which something arrived, and that no living worker reads."""
    return SearchedMailbox.select().where(SearchedMailbox.due > 0, SearchedMailbox.due <= int(time.time()))


def is_read(user: User) -> bool:
    """Whether nothing waits to be read, and no worker reads. 1 query."""
    return not SearchedMailbox.select().where(SearchedMailbox.user == user, SearchedMailbox.due > 0).exists()


def lease(row: SearchedMailbox) -> bool:
    """Take one for this worker, whoever else tries: what arrives from now on is told anew. 1 query."""
    until = int(time.time()) + LEASE
    taken = SearchedMailbox.update(told=0, due=until).where(_mine(row)).execute()
    row.due = until
    return bool(taken)


def progress(row: SearchedMailbox, uidvalidity: int, uidnext: int) -> None:
    """All below `uidnext` is read."""
    row.uidvalidity, row.uidnext = uidvalidity, uidnext
    SearchedMailbox.update(uidvalidity=uidvalidity, uidnext=uidnext).where(_mine(row)).execute()


def release(row: SearchedMailbox, *, more: bool) -> None:
    """It is read, or there is `more` for the next round."""
    moment = int(time.time())
    due = moment if more else pw.Case(None, [(SearchedMailbox.told == 1, moment)], 0)
    SearchedMailbox.update(due=due).where(_mine(row)).execute()


def _mine(row: SearchedMailbox) -> Any:
    return (SearchedMailbox.id == row.id) & (SearchedMailbox.due == row.due)


def forget(users: Iterable[User]) -> None:
    """Forget what nobody is concerned by any more: their inboxes are searched anew when they are."""
    SearchedMailbox.delete().where(SearchedMailbox.user.not_in([user.id for user in users])).execute()


def pending() -> list[pw.Query]:
    return [to_read()]
