"""Chosen messages: those of one mailbox by their UIDs, and all there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list import mailboxes
from webmail.imap.searching import multi_search


@dataclass(frozen=True, slots=True)
class Selection:
    """Messages of one mailbox. `uidvalidity` is that of the list they were selected in, 0 if unknown."""

    mailbox: str
    uidvalidity: int
    uids: tuple[int, ...]


def count(chosen: Iterable[Selection]) -> int:
    return sum(len(each.uids) for each in chosen)


def everything(connection: Connection) -> tuple[list[Selection], tuple[str, ...]]:
    """All messages of the user's own mailboxes, trash and junk too, a selection for each, also for empty ones, and the mailboxes
    that could not be read: the overview as it is now, not as it is known, then SELECT and SEARCH in each, in 1 round trip for
    each 24 KB of commands."""
    own = [mailbox for mailbox in mailboxes.count_all(connection).mailboxes if mailbox.selectable and not mailbox.owner]
    places, skipped = multi_search.matching(connection, [mailbox.name for mailbox in own], b"ALL")
    return [Selection(place.mailbox, place.uidvalidity, place.uids[::-1]) for place in places], skipped
