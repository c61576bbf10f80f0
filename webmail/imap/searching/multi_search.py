"""Multi-mailbox search: searches several mailboxes and merges the results in one order. Each step is one round trip for all."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from webmail.errors import MailError
from webmail.imap.connections.commands import uid_set
from webmail.imap.connections.connection import Command, Connection
from webmail.imap.connections.multi_fetch import Hit, MailboxHits, fetch, in_each, known_flags, validity
from webmail.imap.connections.responses import flags_of, has_headers, headers_cut, numbers_of, without_headers
from webmail.imap.lists import listing
from webmail.imap.lists.summary_cache import known_of, remember
from webmail.imap.mailbox_list import mailboxes
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.imap.searching import cut_words, phrases
from webmail.imap.searching.merging import merged
from webmail.imap.searching.search import Search, criteria
from webmail.imap.searching.search_keys import charset
from webmail.imap.searching.sort_keys import ORDERS
from webmail.mail import Role, Summary

MOST_SORTED = 20_000  # results in an order by text, for which all are compared here: the newest of more
MOST_MAILBOXES = 2000  # mailboxes that are searched
_APART = (Role.TRASH, Role.JUNK)


@dataclass(frozen=True, slots=True)
class SearchScope:
    """The mailboxes of a scope: those searched, the trash and junk left out, and how many exceeded the limit."""

    names: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    too_many: int = 0


@dataclass(frozen=True, slots=True)
class WideListing(listing.Listing):
    """A page of results of several mailboxes, each row with its mailbox. `skipped` mailboxes could not be searched; `reachable`
    results are on its pages."""

    reach: SearchScope = SearchScope(())
    skipped: tuple[str, ...] = ()
    reachable: int = 0

    @property
    def pages(self) -> int:
        return max(1, -(-self.reachable // self.size))

    @property
    def is_cut(self) -> bool:
        return self.total > self.reachable


def search(
    connection: Connection, mailbox: str, *, query: Search, below: bool, page: int = 1, size: int = 50, sort: str = "date",
    sizes: bool = False,
) -> WideListing:  # fmt: skip
    """A page of the matches in `mailbox` and those inside it (`below`), or in all mailboxes, in an order of `sorts`. Rows have
    their sizes with `sizes` and in the order of sizes alone.

    At most 5 round trips for the mailboxes that fit in 24 KB of commands (about 150), 4 more for each further 24 KB: the folder
    overview (0 if cached), SORT or SEARCH in each, the keys of `chosen` (2, usually 1; 0 if all are cached or in one mailbox),
    the rows; one more for rows with huge headers. Raises the first mailbox's error if none can be searched.
    """
    overview = mailboxes.overview(connection)
    reach = within(overview, mailbox, below)
    sort = sort if sort in sorts(connection) else "date"
    places, skipped, unchecked = found(connection, reach.names, query, sort)
    total = sum(len(place.uids) for place in places)
    reachable = total if ORDERS[sort].exact else min(total, MOST_SORTED)
    page = min(max(page, 1), max(1, -(-reachable // size)))
    shown = chosen(connection, places, sort, (page - 1) * size, min(page * size, reachable))
    rows = rows_of(connection, shown, sizes=sizes or sort == "size")
    return WideListing(
        mailbox, 0, total, page, size, tuple(rows), overview, total,
        reach=reach, skipped=skipped, reachable=reachable, unchecked=unchecked,
    )  # fmt: skip


def sorts(connection: Connection) -> set[str]:
    """The orders in which results of several mailboxes can be shown, a part of `listing.SORTS`."""
    return set(ORDERS) if connection.has("SORT") else {"date", "oldest"}


def count(connection: Connection, mailbox: str, *, query: Search, below: bool = False) -> int:
    """How many messages match, in `mailbox` and those inside it (`below`) or in all mailboxes: round trips of the first steps of
    `search`."""
    reach = within(mailboxes.overview(connection), mailbox, below)
    places, _skipped, _unchecked = found(connection, reach.names, query)
    return sum(len(place.uids) for place in places)


def first(connection: Connection, names: Iterable[str], query: Search, most: int) -> tuple[int, list[Summary]]:
    """How many messages match in these mailboxes, and the newest of them: round trips of `search`."""
    places, _skipped, _unchecked = found(connection, names, query)
    return sum(len(place.uids) for place in places), rows_of(connection, chosen(connection, places, "date", 0, most))


def within(overview: Overview, mailbox: str, below: bool) -> SearchScope:
    """The mailboxes of a scope. Trash and junk are left out, with those inside them, except the current mailbox."""
    all_of_them = [m for m in overview.mailboxes if m.selectable]
    here = overview.get(mailbox)
    delimiter = here.delimiter if here else "/"
    if below:
        all_of_them = [m for m in all_of_them if m.name == mailbox or (delimiter and m.name.startswith(mailbox + delimiter))]
    apart = [m.name for m in overview.mailboxes if m.role in _APART]
    out = [name for name in apart if name != mailbox and not (delimiter and mailbox.startswith(name + delimiter))]
    hidden = {m.name for m in all_of_them for name in out if m.name == name or m.name.startswith(name + m.delimiter)}
    names = [m.name for m in all_of_them if m.name not in hidden]
    names.sort(key=lambda name: name != mailbox)  # the current mailbox first, never cut off
    left_out = tuple(name for name in out if name in hidden)
    return SearchScope(tuple(names[:MOST_MAILBOXES]), left_out, max(len(names) - MOST_MAILBOXES, 0))


def found(
    connection: Connection, names: Iterable[str], query: Search, sort: str = "date"
) -> tuple[list[MailboxHits], tuple[str, ...], int]:
    """As `matching`, without the hits that turn out not to have a phrase of the query, and how many were not looked at for it: 1
    round trip per 24 KB of commands; with phrases those of `phrases.check` in each mailbox that has hits, 3 more if there are
    many hits."""
    names, keys = tuple(names), criteria(query, connection.capabilities)
    begun = time.monotonic()
    places, skipped = matching(connection, names, keys, sort)
    total = sum(len(place.uids) for place in places)
    if not total and query.cut and time.monotonic() - begun < cut_words.QUICK:
        return _in_pieces(connection, names, query.cut), skipped, 0
    if not (query.phrases and total):
        return places, skipped, 0
    newest = places
    if total > phrases.MOST_CHECKED:
        by_date = places if sort == "date" else matching(connection, names, keys)[0]
        hits = merged(connection, by_date, ORDERS["date"], 0, phrases.MOST_CHECKED, is_sorted=connection.has("SORT"))
        newest = [replace(place, uids=tuple(hit.uid for hit in hits if hit.place is place)) for place in by_date]
    absent: dict[str, set[int]] = {}
    unchecked = total - sum(len(place.uids) for place in newest)
    for place in newest:
        if place.uids:
            checked = phrases.check(connection, place.mailbox, place.uids, query.phrases)
            absent[place.mailbox] = checked.absent
            unchecked += checked.unchecked
    kept = [replace(one, uids=tuple(uid for uid in one.uids if uid not in absent.get(one.mailbox, ()))) for one in places]
    return kept, skipped, unchecked


def _in_pieces(connection: Connection, names: Sequence[str], cut: Search) -> list[MailboxHits]:
    """The messages that have the words of a search cut in pieces; of each mailbox the newest are read."""
    places = matching(connection, names, criteria(cut, connection.capabilities))[0]
    left, found = cut_words.MOST_READ, []
    for place in places:
        if place.uids and left:
            uids = phrases.having(connection, place.mailbox, place.uids[:left], cut.phrases)
            left -= min(left, len(place.uids))
            found.append(replace(place, uids=tuple(uids)))
    return found


def matching(
    connection: Connection, names: Iterable[str], keys: bytes, sort: str = "date"
) -> tuple[list[MailboxHits], tuple[str, ...]]:
    """The matches in each mailbox, and the mailboxes that could not be searched: 1 round trip per 24 KB of commands.

    Sorted by the server if it can: a moved message gets a new UID, but keeps its date. Those to be sorted by text here come
    newest first.
    """
    by, order = connection.has("SORT"), ORDERS[sort]
    ask: Command = (b"UID SORT", b"(%b)" % order.server, b"UTF-8", keys) if by else (b"UID SEARCH", *charset(keys), keys)
    places: list[MailboxHits] = []
    skipped: list[str] = []
    error: MailError | None = None
    for name, opened, found in in_each(connection, [(name, ask) for name in names]):
        if isinstance(opened, MailError) or isinstance(found, MailError):
            skipped.append(name)
            error = error or (opened if isinstance(opened, MailError) else found if isinstance(found, MailError) else None)
            continue
        uids = numbers_of(found.get("SORT", [])) if by else sorted(numbers_of(found.get("SEARCH", [])))
        uids = uids[::-1] if order.reverse else uids
        places.append(MailboxHits(name, validity(opened), known_flags(opened), tuple(uids)))
    if error and not places:
        raise error
    return places, tuple(skipped)


def chosen(connection: Connection, places: Sequence[MailboxHits], sort: str, first: int, last: int) -> list[Hit]:
    """The hits of all mailboxes at the places `first` to `last` (excluded) of an order, each place being sorted in it: round
    trips of `merged`; for an order by text 1 for the keys of all per 24 KB, more to find the newest `MOST_SORTED` of them."""
    order, by_server = ORDERS[sort], connection.has("SORT")
    if order.exact:
        return merged(connection, places, order, first, last, is_sorted=by_server)
    if sum(len(place.uids) for place in places) > MOST_SORTED:
        places = _newest(connection, places)
    return merged(connection, places, order, 0, MOST_SORTED, is_sorted=False)[first:last]


def _newest(connection: Connection, places: Sequence[MailboxHits]) -> list[MailboxHits]:
    """The newest `MOST_SORTED` of these, which are newest first."""
    count = Counter(hit.place.mailbox for hit in merged(connection, places, ORDERS["date"], 0, MOST_SORTED, is_sorted=True))
    return [replace(place, uids=place.uids[: count[place.mailbox]]) for place in places]


def rows_of(connection: Connection, hits: Sequence[Hit], *, sizes: bool = False) -> list[Summary]:
    """A row for each hit, with its mailbox; messages deleted meanwhile are left out: 1 round trip, 2 with huge headers."""
    place_of = {hit.place.mailbox: hit.place for hit in hits}
    uids: dict[str, list[int]] = defaultdict(list)
    for hit in hits:
        uids[hit.place.mailbox].append(hit.uid)
    asking: list[tuple[str, Command]] = []
    for name, wanted in uids.items():
        place = place_of[name]
        rows = known_of(connection.account, name, place.uidvalidity).rows
        old, new = [uid for uid in wanted if uid in rows], [uid for uid in wanted if uid not in rows]
        if old:
            asking.append((name, (b"UID FETCH", uid_set(old), b"(UID FLAGS)")))
        if new:
            asking.append((name, (b"UID FETCH", uid_set(new), listing.row_items(connection, place.flags))))
        if sizes:
            asking.append((name, (b"UID FETCH", uid_set(wanted), listing.SIZES)))
    values = fetch(connection, place_of, asking)
    _complete(connection, place_of, values)
    found: dict[tuple[str, int], Summary] = {}
    for name, place in place_of.items():
        memory = known_of(connection.account, name, place.uidvalidity)
        here = {uid: items for (mailbox, uid), items in values.items() if mailbox == name}
        fresh = {uid: listing.summary_of(uid, items) for uid, items in here.items() if has_headers(items)}
        remember(memory, fresh)
        for uid, items in here.items():
            if row := fresh.get(uid) or memory.rows.get(uid):
                size = items.get(b"RFC822.SIZE", row.size)
                found[name, uid] = replace(row, flags=flags_of(items), size=size, mailbox=name, uidvalidity=place.uidvalidity)
    keys = ((hit.place.mailbox, hit.uid) for hit in hits)
    return [found[key] for key in keys if key in found]


def _complete(connection: Connection, place_of: dict[str, MailboxHits], values: dict[tuple[str, int], dict[bytes, Any]]) -> None:
    """Fetch the fields one by one if thousands of recipients truncated the others, and the structure of rows that seem to have
    attachments: 1 round trip each, usually 0."""
    cut: dict[str, list[int]] = defaultdict(list)
    for (name, uid), items in values.items():
        if headers_cut(items, listing.MOST_HEADERS):
            cut[name].append(uid)
    each = fetch(
        connection,
        place_of,
        [(name, (b"UID FETCH", uid_set(uids), b"(UID " + listing.EACH_HEADER + b")")) for name, uids in cut.items()],
    )
    for key, items in each.items():
        values[key] = without_headers(values[key]) | items
    marked: dict[str, list[int]] = defaultdict(list)
    for (name, uid), items in values.items():
        if has_headers(items) and listing.needs_structure(items):
            marked[name].append(uid)
    asking: list[tuple[str, Command]] = [
        (name, (b"UID FETCH", uid_set(uids), listing.STRUCTURE)) for name, uids in marked.items()
    ]
    for key, items in fetch(connection, place_of, asking).items():
        values[key] |= items
