"""Notices of what is shared that somebody has dismissed: kept a month, so that they can be read again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from webmail.models import ToldNotice, User, now

KEPT = timedelta(days=30)
_MOST = 50  # of a person


def keep(user: User, notices: Sequence[str]) -> None:
    """The words of notices, in their order, as they were read. 1 query, 3 where there are any."""
    ToldNotice.delete().where(ToldNotice.user == user, ToldNotice.at < now() - KEPT).execute()
    if notices:
        ToldNotice.insert_many([{"user": user, "words": words, "at": now()} for words in reversed(notices[:_MOST])]).execute()
        newest = ToldNotice.select(ToldNotice.id).where(ToldNotice.user == user).order_by(ToldNotice.id.desc()).limit(_MOST)
        kept = [row.id for row in newest]
        ToldNotice.delete().where(ToldNotice.user == user, ToldNotice.id.not_in(kept)).execute()


def for_user(user: User) -> list[ToldNotice]:
    """The latest first. 1 query."""
    mine = ToldNotice.select().where(ToldNotice.user == user, ToldNotice.at > now() - KEPT)
    return list(mine.order_by(ToldNotice.id.desc()).limit(_MOST))
