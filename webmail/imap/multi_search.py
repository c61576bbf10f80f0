"""Multi-mailbox search: searches several mailboxes and merges the results, newest first. Each step is one round trip for all."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from webmail.errors import MailError
from webmail.imap import listing, mailboxes
from webmail.imap.commands import mailbox_name, uid_set
from webmail.imap.connection import Command, Connection, fetched
from webmail.imap.mailboxes import Overview
from webmail.imap.responses import EPOCH, flags_of, headers_cut, numbers_of, without_headers
from webmail.imap.search import Search, charset, criteria
from webmail.imap.summary_cache import known_of, remember
from webmail.mail import Role, Summary

MOST_SHOWN = 2000  # results that can be paged through: each page needs the dates of all those before it
MOST_MAILBOXES = 300  # mailboxes that are searched
_BATCH_BYTES = 24_000  # of commands sent at once: if they exceed the buffers, client and server wait for each other to read
_APART = (Role.TRASH, Role.JUNK)

Untagged = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class MailboxHits:
    """The results of one mailbox: the matching UIDs, newest first."""

    mailbox: str
    uidvalidity: int
    flags: frozenset[str]  # known in the mailbox
    uids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    received: datetime
    place: MailboxHits
    uid: int


@dataclass(frozen=True, slots=True)
class SearchScope:
    """The mailboxes of a scope: those searched, the trash and junk left out, and how many exceeded the limit."""

    names: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    too_many: int = 0


@dataclass(frozen=True, slots=True)
class WideListing(listing.Listing):
    """A page of results of several mailboxes, each row with its mailbox. `skipped` mailboxes could not be searched."""

    reach: SearchScope = SearchScope(())
    skipped: tuple[str, ...] = ()

    @property
    def pages(self) -> int:
        return max(1, -(-min(self.total, MOST_SHOWN) // self.size))

    @property
    def reachable(self) -> int:
        """How many results its pages can show."""
        return self.pages * self.size

    @property
    def is_cut(self) -> bool:
        return self.total > self.reachable


def search(
    connection: Connection, mailbox: str, *, query: str | Search, below: bool, page: int = 1, size: int = 50
) -> WideListing:  # fmt: skip
    """A page of the matches in `mailbox` and those inside it (`below`), or in all mailboxes, newest first.

    At most 4 round trips for the mailboxes that fit in 24 KB of commands (about 150), 3 more for each further 24 KB: the folder
    overview (0 if cached), SORT or SEARCH in each, the dates of the candidates for this page (0 if all are cached or in one
    mailbox), the rows; one more for rows with huge headers. Raises the first mailbox's error if none can be searched.
    """
    overview = mailboxes.overview(connection)
    reach = within(overview, mailbox, below)
    places, skipped = matching(connection, reach.names, criteria(query, connection.capabilities))
    total = sum(len(place.uids) for place in places)
    page = min(max(page, 1), max(1, -(-min(total, MOST_SHOWN) // size)))
    shown = newest(connection, places, min(page * size, MOST_SHOWN))[(page - 1) * size :]
    rows = rows_of(connection, shown)
    return WideListing(mailbox, 0, total, page, size, tuple(rows), overview, total, reach=reach, skipped=skipped)


def count(connection: Connection, mailbox: str, *, query: str | Search, below: bool = False) -> int:
    """How many messages match, in `mailbox` and those inside it (`below`) or in all mailboxes: round trips of the first steps of
    `search`."""
    reach = within(mailboxes.overview(connection), mailbox, below)
    places, _skipped = matching(connection, reach.names, criteria(query, connection.capabilities))
    return sum(len(place.uids) for place in places)


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


def matching(connection: Connection, names: Iterable[str], keys: bytes) -> tuple[list[MailboxHits], tuple[str, ...]]:
    """The matches in each mailbox, and the mailboxes that could not be searched: 1 round trip per 24 KB of commands.

    SORTs by arrival if the server supports it: a moved message gets a new UID, but keeps its date. Reversed here, since
    REVERSE would keep messages of the same second in ascending order of UID.
    """
    sort = connection.has("SORT")
    ask: Command = (b"UID SORT", b"(ARRIVAL)", b"UTF-8", keys) if sort else (b"UID SEARCH", *charset(keys), keys)
    places: list[MailboxHits] = []
    skipped: list[str] = []
    error: MailError | None = None
    for name, opened, found in _in_each(connection, [(name, ask) for name in names]):
        if isinstance(opened, MailError) or isinstance(found, MailError):
            skipped.append(name)
            error = error or (opened if isinstance(opened, MailError) else found if isinstance(found, MailError) else None)
            continue
        uids = numbers_of(found.get("SORT" if sort else "SEARCH", []))
        places.append(MailboxHits(name, _validity(opened), _flags(opened), tuple(reversed(uids if sort else sorted(uids)))))
    if error and not places:
        raise error
    return places, tuple(skipped)


def newest(connection: Connection, places: Sequence[MailboxHits], most: int) -> list[Hit]:
    """The `most` newest hits of all mailboxes, newest first: 1 round trip, 0 if their dates are cached."""
    filled = [place for place in places if place.uids]
    if len(filled) == 1:
        return [Hit(EPOCH, filled[0], uid) for uid in filled[0].uids[:most]]
    dates: dict[tuple[str, int], datetime] = {}
    asking: list[tuple[str, Command]] = []
    for place in filled:
        rows = known_of(connection.account, place.mailbox, place.uidvalidity).rows
        candidates = place.uids[:most]
        dates.update({(place.mailbox, uid): rows[uid].received for uid in candidates if uid in rows})
        if unknown := [uid for uid in candidates if uid not in rows]:
            asking.append((place.mailbox, (b"UID FETCH", uid_set(unknown), b"(UID INTERNALDATE)")))
    validity = {place.mailbox: place.uidvalidity for place in filled}
    for name, opened, answers in _in_each(connection, asking):
        if not isinstance(opened, MailError) and not isinstance(answers, MailError) and _validity(opened) == validity[name]:
            dates.update({(name, uid): received for uid, received in _dates(answers)})
    hits = [
        Hit(dates[place.mailbox, uid], place, uid)
        for place in filled
        for uid in place.uids[:most]
        if (place.mailbox, uid) in dates
    ]
    hits.sort(key=lambda hit: hit.received, reverse=True)  # stable: within one second the order is the same on all pages
    return hits[:most]


def rows_of(connection: Connection, hits: Sequence[Hit]) -> list[Summary]:
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
    values = fetch(connection, place_of, asking)
    _complete(connection, place_of, values)
    found: dict[tuple[str, int], Summary] = {}
    for name, place in place_of.items():
        memory = known_of(connection.account, name, place.uidvalidity)
        here = {uid: items for (mailbox, uid), items in values.items() if mailbox == name}
        fresh = {uid: listing.summary_of(uid, items) for uid, items in here.items() if b"RFC822.SIZE" in items}
        remember(memory, fresh)
        for uid, items in here.items():
            if row := fresh.get(uid) or memory.rows.get(uid):
                found[name, uid] = replace(row, flags=flags_of(items), mailbox=name, uidvalidity=place.uidvalidity)
    keys = ((hit.place.mailbox, hit.uid) for hit in hits)
    return [found[key] for key in keys if key in found]


def fetch(
    connection: Connection, place_of: dict[str, MailboxHits], asking: Sequence[tuple[str, Command]]
) -> dict[tuple[str, int], dict[bytes, Any]]:
    """Responses to UID FETCH by mailbox and UID, of mailboxes whose UIDVALIDITY did not change: 1 round trip."""
    values: dict[tuple[str, int], dict[bytes, Any]] = {}
    for name, opened, answers in _in_each(connection, asking):
        if isinstance(opened, MailError) or isinstance(answers, MailError) or _validity(opened) != place_of[name].uidvalidity:
            continue
        values.update({(name, uid): items for uid, items in fetched(answers).items()})
    return values


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
        if b"RFC822.SIZE" in items and listing.needs_structure(items):
            marked[name].append(uid)
    asking: list[tuple[str, Command]] = [
        (name, (b"UID FETCH", uid_set(uids), listing.STRUCTURE)) for name, uids in marked.items()
    ]
    for key, items in fetch(connection, place_of, asking).items():
        values[key] |= items


def _in_each(
    connection: Connection, asking: Sequence[tuple[str, Command]]
) -> list[tuple[str, Untagged | MailError, Untagged | MailError]]:
    """For each (mailbox, command): the mailbox, the response to EXAMINE (read-only), the response to the command."""
    found: list[tuple[str, Untagged | MailError, Untagged | MailError]] = []
    for batch in _batches(asking):
        commands = [c for name, command in batch for c in ((b"EXAMINE", mailbox_name(name)), command)]
        answers = connection.run_apart(*commands)
        for (name, _command), opened, told in zip(batch, answers[::2], answers[1::2], strict=True):
            found.append((name, opened, told))
    return found


def _batches(asking: Sequence[tuple[str, Command]]) -> Iterable[list[tuple[str, Command]]]:
    batch: list[tuple[str, Command]] = []
    size = 0
    for name, command in asking:
        here = sum(map(len, command)) + 4 * len(name) + 40
        if batch and size + here > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append((name, command))
        size += here
    if batch:
        yield batch


def _validity(opened: Untagged) -> int:
    return int((opened.get("UIDVALIDITY") or [0])[-1])


def _flags(opened: Untagged) -> frozenset[str]:
    return frozenset((opened.get("FLAGS") or [b""])[0].decode("ascii", "replace").strip("()").split())


_DATED = re.compile(
    rb'\d+ \((?:UID (\d+) )?INTERNALDATE "([ \d]\d)-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"(?: UID (\d+))?\)'
)
_MONTHS = {name: number for number, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}


def _dates(answers: Untagged) -> Iterable[tuple[int, datetime]]:
    """UID and date of each FETCH response: for thousands of them the library's parser would take seconds."""
    for line in answers.get("FETCH", []):
        if isinstance(line, bytes) and (found := _DATED.fullmatch(line)):
            day, month, year, hour, minute, second, sign, zone_hour, zone_minute = found.groups()[1:10]
            try:
                local = datetime(
                    int(year), _MONTHS[month.lower()], int(day), int(hour), int(minute), min(int(second), 59), tzinfo=UTC
                )
                east = timedelta(hours=int(zone_hour), minutes=int(zone_minute)) * (1 if sign == b"+" else -1)
                yield int(found[1] or found[11]), local - east
            except (KeyError, ValueError, OverflowError):
                continue
