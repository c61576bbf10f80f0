"""Recent searches: the last ones that a person typed, for the search box to offer. Not those of shared computers."""

from __future__ import annotations

from typing import Any

from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.imap.searching.search import Search
from webmail.models import RecentSearch, User

MOST = 10
LONGEST = 200  # characters of one that is kept
_OF_LINKS = ("from", "has", "is", "list", "tag", "to")  # operators of searches that links of pages make


def latest(user: User) -> list[str]:
    """The latest first. 1 query."""
    found: Any = (
        RecentSearch.select(RecentSearch.query).where(RecentSearch.user == user).order_by(RecentSearch.id.desc()).tuples()
    )
    return list(dict.fromkeys(query for (query,) in found))[:MOST]


def is_typed(search: Search) -> bool:
    """Whether it is worth keeping: not what a link of a page looks for."""
    text, terms = search.text, search.terms
    return 0 < len(text) <= LONGEST and not (len(terms) == 1 and terms[0].operator in _OF_LINKS)


def note(user: User, query: str) -> None:
    """Keep it as the latest; of all, only the last MOST. 1 query where it is the latest already, else 1 transaction."""
    if latest(user)[:1] == [query]:
        return
    mine = RecentSearch.user == user
    with db.atomic():
        in_turn(user)
        RecentSearch.delete().where(mine, RecentSearch.query == query).execute()
        RecentSearch.create(user=user, query=query)
        kept = [row.id for row in RecentSearch.select(RecentSearch.id).where(mine).order_by(RecentSearch.id.desc())]
        RecentSearch.delete().where(RecentSearch.id.in_(kept[MOST:])).execute()


def clear(user: User) -> int:
    """Forget them all; returns how many there were. 1 query."""
    return int(RecentSearch.delete().where(RecentSearch.user == user).execute())
