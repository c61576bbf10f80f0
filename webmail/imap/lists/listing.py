"""Listing: one page of a mailbox or of a search, as rows of the message list."""

from __future__ import annotations

import time
from builtins import list as List  # this module defines `list`
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from webmail.errors import RefusedError
from webmail.imap.connections.commands import mailbox_name, uid_set
from webmail.imap.connections.connection import Command, Connection
from webmail.imap.connections.responses import (
    EPOCH,
    count_of,
    fetched,
    flags_of,
    has_headers,
    header_bytes_of,
    headers_cut,
    numbers_of,
    structure_of,
    when_of,
    without_headers,
)
from webmail.imap.lists import threads
from webmail.imap.lists.summary_cache import for_mailbox, remember
from webmail.imap.mailbox_list.mailboxes import Overview, overview_commands, overview_in
from webmail.imap.mailbox_list.new_mail import status_numbers
from webmail.imap.searching import cut_words, phrases
from webmail.imap.searching.search import EVERYTHING, Search, criteria
from webmail.imap.searching.search_keys import charset
from webmail.mail import Address, Summary
from webmail.mime.headers import headers
from webmail.mime.headers.addresses import authors

SORTS = {
    "date": b"REVERSE ARRIVAL",
    "oldest": b"ARRIVAL",
    "sent": b"REVERSE DATE",
    "from": b"FROM",
    "subject": b"SUBJECT",
    "size": b"REVERSE SIZE",
    "unread": b"UNSEEN",  # a SEARCH key: matching messages first, both groups newest first
    "flagged": b"FLAGGED",
}
_SPLIT = ("unread", "flagged")
_BY_ARRIVAL = ("date", "oldest")  # a whole mailbox in this order needs no SORT: its sequence numbers are in order of arrival

# One FETCH item is the cheapest (each further one costs 12% of a page). If it is truncated, the fields are fetched one by one,
# so that thousands of recipients do not hide the other fields.
MOST_HEADERS = 8192  # bytes
_ROW_HEADERS = b"BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)]<0.%d>" % MOST_HEADERS
EACH_HEADER = b" ".join(b"BODY.PEEK[HEADER.FIELDS (%s)]<0.4096>" % name for name in (b"FROM", b"TO", b"SUBJECT", b"DATE"))
_MOST_PEOPLE = 5
_MOST_AUTHORS = 20  # of one message: more than one is rare, and none may hide behind the others
_MOST_SHOWN = 500  # characters of a subject or a name, since rows are cached


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a mailbox or of a search. `total` counts the matching rows; pages start at 1.

    If rows are conversations, `total` counts conversations; `messages` always counts messages.
    """

    mailbox: str
    uidvalidity: int
    total: int
    page: int
    size: int
    rows: tuple[Summary, ...]
    overview: Overview
    messages: int = 0
    uidnext: int = 0  # 0: unknown
    ungrouped: bool = False  # conversations were asked for, but took the server too long
    unchecked: int = 0  # results that have the words of a phrase, where it was not looked for

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        return (self.page - 1) * self.size + 1 if self.total else 0

    @property
    def last(self) -> int:
        return min(self.page * self.size, self.total)


def page(
    connection: Connection, mailbox: str, *, page: int = 1, size: int = 50, query: Search = EVERYTHING, sort: str = "date",
    conversations: bool = False, sizes: bool = False, scattered: bool = False,
) -> Listing:  # fmt: skip
    """A page of summaries with the folder overview: at most 3 round trips, whatever the mailbox's size; 1 if nothing has changed.

    `scattered`: many old messages have come back into the mailbox, so that its sequence numbers do not tell the order.

    With `conversations` each row is a conversation, if the server can thread (1 more round trip after mail arrived or was
    removed); searches and other orders list single messages, with their sizes if `sizes` or in the order of sizes.
    SELECT or NOOP; SEARCH or SORT only for a query or another order; then FETCH (flags only for cached rows), LIST and
    GETQUOTAROOT together; another FETCH if the guess of what is cached was wrong. Raises NoSuchMailboxError and UnsafeValueError.
    """
    flat = bool(query) or sort in sorts(connection).difference(_BY_ARRIVAL)
    oldest = sort == "oldest"
    if conversations and not flat and (found := threads.load(connection, mailbox)) is not None:
        page = _within(page, size, len(found))
        talks, told = _conversations(connection, _oldest_page(found, page, size) if oldest else found.page(page, size))
        return _listing(connection, len(found), page, size, talks, told, len(found.uids))
    if not (flat or scattered or conversations or sizes) and (same := _unchanged(connection, mailbox, page, size, oldest)):
        return same
    connection.select(mailbox)
    ungrouped = conversations and not flat and threads.gave_up(connection)
    unchecked = 0
    if flat or scattered:
        uids, unchecked = _matching(connection, query, sort, scattered)
        total = len(uids)
        page = _within(page, size, total)
        shown = uids[(page - 1) * size : page * size]
        also: List[Command] = [(b"UID FETCH", uid_set(shown), SIZES)] if shown and (sizes or sort == "size") else []
        rows, told = _rows(connection, _commands_by_uid(connection, shown) + also, shown)
    else:
        total = connection.exists
        page = _within(page, size, total)
        low, high = _range(page, size, total, oldest)
        also = [(b"FETCH", b"%d:%d" % (low, high), SIZES)] if total and sizes else []
        rows, told = _rows(connection, _commands_by_place(connection, low, high) + also if total else [])
        # a message moved back has a new UID, but its old date
        rows.sort(key=lambda row: (row.received, row.uid), reverse=not oldest)
    listed = _listing(connection, total, page, size, rows, told)
    return replace(listed, ungrouped=ungrouped, unchecked=unchecked) if ungrouped or unchecked else listed


def _listing(
    connection: Connection, total: int, page: int, size: int, rows: List[Summary], told: dict[str, List[Any]], messages: int = 0
) -> Listing:
    overview = overview_in(connection, told)
    uidnext = status_numbers(told).get("UIDNEXT", 0)
    return Listing(
        connection.mailbox, connection.uidvalidity, total, page, size, tuple(rows), overview, messages or total, uidnext
    )


def _beside(connection: Connection) -> List[Command]:
    """Commands for the folder overview, and for the selected mailbox's UIDNEXT, to detect new mail later."""
    here = mailbox_name(connection.mailbox)
    others = [command for command in overview_commands(connection) if command[:2] != (b"STATUS", here)]
    return [*others, (b"STATUS", here, b"(MESSAGES UNSEEN UIDNEXT)")]


def _unchanged(connection: Connection, mailbox: str, page: int, size: int, oldest: bool) -> Listing | None:
    """The page of a mailbox that is still selected, whose rows are cached: all in 1 round trip, if nobody has changed it since.

    Else None, also where that only comes out now: together with NOOP, Dovecot answers all commands as if nothing had changed,
    and then tells what did.
    """
    if not connection.is_refreshed_by_select(mailbox):
        return None
    total = connection.exists
    page = _within(page, size, total)
    low, high = _range(page, size, total, oldest)
    commands = _commands_by_place(connection, low, high) if total else []
    if any(command[2] != _FLAGS for command in commands):
        return None
    try:
        told = connection.select(mailbox, None, *commands, *_beside(connection))
    except RefusedError:
        return None
    if connection.exists != total or told.keys() & {"EXISTS", "EXPUNGE"} or len(told.get("FETCH", [])) != high - low + 1:
        return None
    rows = _rows_in(connection, fetched(told), None)
    rows.sort(key=lambda row: (row.received, row.uid), reverse=not oldest)
    return _listing(connection, total, page, size, rows, told)


def _range(page: int, size: int, total: int, oldest: bool) -> tuple[int, int]:
    """The sequence numbers of a page; the first is above the last where there is none."""
    if oldest:
        return (page - 1) * size + 1, min(page * size, total)
    return max(total - page * size + 1, 1), total - (page - 1) * size


def _within(page: int, size: int, total: int) -> int:
    return min(max(page, 1), max(1, -(-total // size)))


def _oldest_page(found: threads.Threads, page: int, size: int) -> List[tuple[int, ...]]:
    """The conversations of a page that begins with the last of them."""
    return [found[len(found) - 1 - place] for place in range((page - 1) * size, min(page * size, len(found)))]


def sorts(connection: Connection) -> set[str]:
    """The names in SORTS that this server supports."""
    return set(SORTS) if connection.has("SORT") else {*_BY_ARRIVAL, *_SPLIT}


def matching(connection: Connection, query: Search, sort: str = "date", *, scattered: bool = False) -> List[int]:
    """All matching UIDs of the selected mailbox, in display order: 1 round trip, more for phrases. `scattered`: as in `list`."""
    return _matching(connection, query, sort, scattered)[0]


def _matching(connection: Connection, query: Search, sort: str, scattered: bool) -> tuple[List[int], int]:
    """As `matching`, and how many of them were not looked at for a phrase."""
    begun = time.monotonic()
    uids = _found_by_server(connection, query, sort, scattered)
    if not uids and query.cut and time.monotonic() - begun < cut_words.QUICK:
        pieces = _found_by_server(connection, query.cut, "date", False)[: cut_words.MOST_READ]
        return phrases.having(connection, connection.mailbox, pieces, query.cut.phrases), 0
    if not (query.phrases and uids):
        return uids, 0
    newest = uids if sort == "date" else uids[::-1] if sort == "oldest" else sorted(uids, reverse=True)
    checked = phrases.check(connection, connection.mailbox, newest, query.phrases)
    return [uid for uid in uids if uid not in checked.absent], checked.unchecked


def _found_by_server(connection: Connection, query: Search, sort: str, scattered: bool) -> List[int]:
    keys = criteria(query, connection.capabilities)
    if sort in _SPLIT:
        answer = connection.run(*((b"UID SEARCH", *charset(keys), sense + SORTS[sort], keys) for sense in (b"", b"NOT ")))
        first, *rest = answer.get("SEARCH", [])
        return sorted(numbers_of([first]), reverse=True) + sorted(numbers_of(rest), reverse=True)
    if (
        (keys != b"ALL" or scattered) and sort in _BY_ARRIVAL and connection.has("SORT")
    ):  # one moved back has a new UID, but its old date
        found = numbers_of(connection.run((b"UID SORT", b"(ARRIVAL)", b"UTF-8", keys)).get("SORT", []))
        return found if sort == "oldest" else found[::-1]  # so that the last of the same second comes first
    if sort not in _BY_ARRIVAL and connection.has("SORT"):
        order = b"DISPLAYFROM" if sort == "from" and connection.has("SORT=DISPLAY") else SORTS[sort]  # RFC 5957
        return numbers_of(connection.run((b"UID SORT", b"(" + order + b")", b"UTF-8", keys)).get("SORT", []))
    # UIDs ascend in order of arrival
    answer = connection.run((b"UID SEARCH", *charset(keys), keys))
    return sorted(numbers_of(answer.get("SEARCH", [])), reverse=sort != "oldest")


def page_of_date(
    connection: Connection, mailbox: str, day: date, *, size: int, query: Search = EVERYTHING, conversations: bool = False
) -> int:
    """The page, newest first, that starts with messages of `day` or just before it: 1 round trip after the SELECT, and those
    of `threads.load` with `conversations`."""
    found = threads.load(connection, mailbox) if conversations and not query else None
    connection.select(mailbox)
    keys = criteria(query, connection.capabilities)
    since = (day + timedelta(days=1)).strftime("%d-%b-%Y").encode()
    if found is None and not query.phrases and connection.has("ESEARCH"):  # RFC 4731: only the count
        command = (b"UID SEARCH", b"RETURN (COUNT)", *charset(keys), b"SINCE", since, keys)
        return (count_of(connection.run(command)) or 0) // size + 1
    newer = numbers_of(connection.run((b"UID SEARCH", *charset(keys), b"SINCE", since, keys)).get("SEARCH", []))
    newer = [*set(newer).intersection(matching(connection, query))] if query.phrases else newer
    return (len(newer) if found is None else found.newer_than(set(newer))) // size + 1


def neighbours(
    connection: Connection, mailbox: str, uid: int, *, query: Search, sort: str, scattered: bool = False
) -> tuple[int | None, int | None]:
    """The UIDs before and after `uid` in a search or sort order, as (newer, older): 1 round trip after the SELECT."""
    connection.select(mailbox)
    uids = matching(connection, query, sort, scattered=scattered)
    if uid not in uids:
        return None, None
    place = uids.index(uid)
    return (uids[place - 1] if place else None), (uids[place + 1] if place + 1 < len(uids) else None)


def row_items(connection: Connection, flags: frozenset[str]) -> bytes:
    """The FETCH items for a row. `flags` are those known in the mailbox.

    PREVIEW is RFC 8970; BODYSTRUCTURE only if no keyword marks attachments. No size, which only rows in the order of sizes show:
    Dovecot knows that of a Maildir by the names of its files, and reads those of a million for the first one.
    """
    items = b"UID FLAGS INTERNALDATE " + _ROW_HEADERS
    if connection.has("PREVIEW"):
        items += b" PREVIEW"
    if not flags & {"$HasAttachment", "$HasNoAttachment"}:
        items += b" BODYSTRUCTURE"
    return b"(" + items + b")"


def _commands_by_place(connection: Connection, low: int, high: int) -> List[Command]:
    """FETCH a range of sequence numbers: only flags for rows that are probably cached."""
    memory = for_mailbox(connection)
    everything = b"%d:%d" % (low, high)
    unknown = [place for place in range(low, high + 1) if memory.uid_at.get(place) not in memory.rows]
    if len(unknown) * 2 > high - low + 1:
        return [(b"FETCH", everything, row_items(connection, connection.flags))]
    commands: List[Command] = [(b"FETCH", everything, _FLAGS)]
    return commands + ([(b"FETCH", uid_set(unknown), row_items(connection, connection.flags))] if unknown else [])


def _commands_by_uid(connection: Connection, uids: List[int]) -> List[Command]:
    """FETCH these UIDs: only flags for cached rows."""
    memory = for_mailbox(connection)
    commands: List[Command] = []
    if seen := [uid for uid in uids if uid in memory.rows]:
        commands.append((b"UID FETCH", uid_set(seen), _FLAGS))
    if new := [uid for uid in uids if uid not in memory.rows]:
        commands.append((b"UID FETCH", uid_set(new), row_items(connection, connection.flags)))
    return commands


def _rows(
    connection: Connection, commands: List[Command], order: List[int] | None = None
) -> tuple[List[Summary], dict[str, List[Any]]]:
    """Rows in the order of these UIDs (default: newest first), and all untagged responses: 1 round trip; one more each if a
    cache guess was wrong, if the headers of a new row are huge, and if a new row seems to have attachments."""
    untagged = connection.run(*commands, *_beside(connection))
    return _rows_in(connection, fetched(untagged), order), untagged


def _rows_in(connection: Connection, answers: dict[int, dict[bytes, Any]], order: List[int] | None) -> List[Summary]:
    memory = for_mailbox(connection)
    uids = [uid for uid in order if uid in answers] if order is not None else []
    if order is None:
        uids = sorted(answers, key=lambda uid: answers[uid].get(b"SEQ", uid), reverse=True)
        memory.uid_at.update({values[b"SEQ"]: uid for uid, values in answers.items() if b"SEQ" in values})
    details = {uid: values for uid, values in answers.items() if has_headers(values)}
    if missing := [uid for uid in uids if uid not in memory.rows and uid not in details]:
        details.update(fetched(connection.run((b"UID FETCH", uid_set(missing), row_items(connection, connection.flags)))))
    if cut := [uid for uid, values in details.items() if headers_cut(values, MOST_HEADERS)]:
        each = fetched(connection.run((b"UID FETCH", uid_set(cut), b"(UID " + EACH_HEADER + b")")))
        details.update({uid: without_headers(details[uid]) | each[uid] for uid in cut if uid in each})
    if marked := [uid for uid, values in details.items() if needs_structure(values)]:
        each = fetched(connection.run((b"UID FETCH", uid_set(marked), STRUCTURE)))
        details.update({uid: details[uid] | each[uid] for uid in marked if uid in each})
    fresh = {uid: summary_of(uid, values) for uid, values in details.items()}
    remember(memory, fresh)
    rows = [_as_told(fresh.get(uid) or memory.rows.get(uid) or _unreadable(uid), answers[uid]) for uid in uids]
    memory.rows.update((row.uid, row) for row in rows if row.uid in memory.rows)
    return rows


def _as_told(row: Summary, values: dict[bytes, Any]) -> Summary:
    flags, size = flags_of(values), values.get(b"RFC822.SIZE", row.size)
    return row if (row.flags, row.size) == (flags, size) else replace(row, flags=flags, size=size)


_MOST_MEMBERS = 2000  # messages of the conversations of a page whose flags are fetched, the newest of each
_MOST_TOLD = 4  # latest messages of a conversation whose senders are shown in its row, besides the first


def _conversations(connection: Connection, groups: List[tuple[int, ...]]) -> tuple[List[Summary], dict[str, List[Any]]]:
    """A row for each of these conversations, and all untagged responses: round trips as for `_rows`."""
    each = _MOST_MEMBERS // max(len(groups), 1)
    told = {uid for group in groups for uid in (*group[:1], *group[-_MOST_TOLD:])}
    others = {uid for group in groups for uid in group[-each:]} - told
    commands = _commands_by_uid(connection, sorted(told, reverse=True))
    if others:
        commands.append((b"UID FETCH", uid_set(others), _FLAGS))
    untagged = connection.run(*commands, *_beside(connection))
    answers = fetched(untagged)
    rows = {row.uid: row for row in _rows_in(connection, answers, sorted(told))}
    flags = {uid: flags_of(values) for uid, values in answers.items()}
    found = (_conversation(group, rows, flags) for group in groups)
    return [row for row in found if row], untagged


def _conversation(group: tuple[int, ...], rows: dict[int, Summary], flags: dict[int, frozenset[str]]) -> Summary | None:
    """The row of a conversation, made from its newest message: it opens the newest unread one, and is unread or flagged if any
    message is. None if all its messages were removed meanwhile.
    """
    here = [rows[uid] for uid in reversed(group) if uid in rows]
    if not here:
        return None
    newest = here[0]
    unread = [uid for uid in group if uid in flags and "\\Seen" not in flags[uid]]
    opened = unread[-1] if unread else newest.uid
    own = newest.flags - {"\\Seen", "\\Flagged"}
    own |= {"\\Flagged"} if any("\\Flagged" in flags.get(uid, ()) for uid in group) else set()
    return replace(
        newest,
        uid=opened,
        uids=(opened, *(uid for uid in reversed(group) if uid != opened)),
        flags=own if unread else own | {"\\Seen"},
        sender=_distinct(row.sender for row in here),
        to=_distinct(row.to for row in here),
        has_attachment=any(row.has_attachment for row in here),
    )


def _distinct(each: Iterable[tuple[Address, ...]]) -> tuple[Address, ...]:
    people = {person.email.casefold() or person.name: person for found in each for person in found}
    return tuple(people.values())[:_MOST_PEOPLE]


def others_of(connection: Connection, mailbox: str, uid: int, *, most: int = 30) -> tuple[List[Summary], int]:
    """The other messages of the conversation of `uid`, newest first, at most `most`, and their total number: round trips of
    `threads.load`, and 1 if there are any."""
    others = [other for other in reversed(threads.conversation_of(connection, mailbox, uid)) if other != uid]
    if not others:
        return [], 0
    shown = others[:most]
    rows = _rows_in(connection, fetched(connection.run(*_commands_by_uid(connection, shown))), shown)
    return rows, len(others) - len(shown) + len(rows)


_FLAGS = b"(UID FLAGS)"
STRUCTURE, SIZES = b"(UID FLAGS BODYSTRUCTURE)", b"(UID RFC822.SIZE)"


def needs_structure(values: dict[bytes, Any]) -> bool:
    """Whether a keyword marks attachments that may be nothing but a logo in the text."""
    return "$HasAttachment" in flags_of(values) and b"BODYSTRUCTURE" not in values


def summary_of(uid: int, values: dict[bytes, Any]) -> Summary:
    fields = headers.fields(header_bytes_of(values))
    preview = values.get(b"PREVIEW")
    flags = flags_of(values)
    attached = "$HasAttachment" in flags
    if b"BODYSTRUCTURE" in values and (shape := structure_of(values[b"BODYSTRUCTURE"])):
        attached = bool(shape.attachments)
    return Summary(
        uid=uid,
        flags=flags,
        size=values.get(b"RFC822.SIZE", 0),
        received=when_of(values),
        subject=headers.decode(fields.get("subject", [b""])[0])[:_MOST_SHOWN],
        sender=_shortened(authors(fields.get("from", []), _MOST_AUTHORS)),
        to=_shortened(headers.addresses(fields.get("to", []), limit=_MOST_PEOPLE)),
        sent=headers.date(fields["date"][0]) if "date" in fields else None,
        snippet=headers.decode(preview)[:200] if isinstance(preview, bytes) else "",
        has_attachment=attached,
    )


def _shortened(found: tuple[Address, ...]) -> tuple[Address, ...]:
    return tuple(Address(person.name[:_MOST_SHOWN], person.email[:_MOST_SHOWN]) for person in found)


def _unreadable(uid: int) -> Summary:
    """A row for a message whose FETCH response could not be parsed: it can still be opened, moved or deleted."""
    return Summary(uid=uid, flags=frozenset(), size=0, received=EPOCH, subject="", sender=())
