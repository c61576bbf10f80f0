"""Selection: the messages that a form refers to: ticked rows, possibly in several mailboxes, or all matches of a search."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from webmail import imap
from webmail.imap.bulk.chosen import Selection, count  # noqa: F401 - part of this module
from webmail.imap.connections.commands import uid_set
from webmail.imap.connections.connection import Connection
from webmail.imap.searching.search import UNREAD, Search
from webmail.mailbox.list_request import ListRequest


def of_rows(mailbox: str, uidvalidity: int, values: Iterable[str]) -> list[Selection]:
    """Parse the values of a list's checkboxes, grouped by mailbox in order of appearance; invalid values are skipped.

    "12" is a message of `mailbox`, "12,15" are those of a conversation; "12.1790000000.Work" adds the UIDVALIDITY and mailbox, in
    lists of several mailboxes.
    """
    found: dict[tuple[str, int], dict[int, None]] = {}
    for value in values:
        numbers, dot, elsewhere = value.partition(".")
        validity, _dot, name = elsewhere.partition(".")
        if not all(map(_is_number, numbers.split(","))) or (dot and not (name and _is_number(validity))):
            continue
        where = (name, int(validity)) if dot else (mailbox, uidvalidity)
        uids = [int(word) for word in numbers.split(",")]
        found.setdefault(where, {}).update(dict.fromkeys(uids))
    return [Selection(name, validity, tuple(uids)) for (name, validity), uids in found.items() if uids]


def matching(connection: Connection, request: ListRequest, query: Search, uidvalidity: int) -> list[Selection]:
    """All messages of a list, on all its pages: SELECT and SEARCH; for a search in several mailboxes as `imap.multi_search`.

    `query` is the parsed `asked.query`. Raises MailboxChangedError if the UIDVALIDITY of a single mailbox has changed.
    """
    if not request.wide:
        connection.select(request.mailbox, uidvalidity)
        uids = imap.listing.matching(connection, query)
        return [Selection(request.mailbox, connection.uidvalidity, tuple(uids))] if uids else []
    reach = imap.multi_search.within(imap.mailboxes.overview(connection), request.mailbox, request.scope == "below")
    places, _skipped, _unchecked = imap.multi_search.found(connection, reach.names, query)
    return [Selection(place.mailbox, place.uidvalidity, place.uids) for place in places if place.uids]


def unread(connection: Connection, mailbox: str, uidvalidity: int) -> list[Selection]:
    """All unread messages of a mailbox: 1 round trip after the SELECT."""
    connection.select(mailbox, uidvalidity)
    uids = imap.listing.matching(connection, UNREAD)
    return [Selection(mailbox, connection.uidvalidity, tuple(uids))] if uids else []


def fingerprint(chosen: Sequence[Selection]) -> str:
    """A hash of exactly these messages, so that a confirmed action applies to them and no others."""
    told = sorted(f"{each.mailbox}\n{each.uidvalidity}\n{uid_set(each.uids).decode()}" for each in chosen)
    return hashlib.sha256("\n\n".join(told).encode()).hexdigest()[:32]


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 11
