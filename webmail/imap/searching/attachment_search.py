"""Attachment search: finds attached files in one mailbox or all: the server finds the messages, their structure the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webmail.imap.connections.commands import quoted, uid_set
from webmail.imap.connections.connection import Connection
from webmail.imap.connections.multi_fetch import Hit, MailboxHits, fetch
from webmail.imap.connections.responses import structure_of
from webmail.imap.mailbox_list import mailboxes
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.imap.searching import multi_search
from webmail.imap.searching.multi_search import SearchScope
from webmail.imap.searching.search import Search, narrowed
from webmail.imap.searching.search_keys import SearchNode, any_of, knows_parts
from webmail.imap.searching.sort_keys import plain_key
from webmail.imap.searching.spellings import folded
from webmail.mail import Part, Summary

SORTS = ("date", "name", "size")
MOST_LOOKED_INTO = 1000  # messages whose files are sorted by name or size: each has its structure read
# kinds of files by extension, and by media type for files without a name
KINDS: dict[str, tuple[str, ...]] = {
    "document": (".pdf", ".doc", ".docx", ".odt", ".rtf", ".txt", ".pages", ".epub"),
    "spreadsheet": (".xls", ".xlsx", ".ods", ".csv", ".tsv", ".numbers"),
    "presentation": (".ppt", ".pptx", ".odp", ".key"),
    "image": (".jpg", ".jpeg", ".png", ".gif", ".webp", ".heic", ".svg", ".tif", ".tiff", ".bmp"),
    "sound": (".mp3", ".ogg", ".m4a", ".wav", ".flac", ".mp4", ".mov", ".webm", ".avi", ".mkv"),
    "archive": (".zip", ".7z", ".rar", ".gz", ".tgz", ".tar", ".bz2", ".xz"),
    "message": (".eml", ".msg", ".ics", ".vcf"),
}
_TYPES = {"image": ("image",), "sound": ("audio", "video")}


@dataclass(frozen=True, slots=True)
class FileFilter:
    """A filter on the files of a message; "" and 0 match all."""

    name: str = ""
    kind: str = ""
    at_least: int = 0  # bytes

    def is_met_by(self, part: Part) -> bool:
        name = folded(part.filename)
        if folded(self.name) not in name or part.decoded_size < self.at_least:
            return False
        return not self.kind or name.endswith(KINDS[self.kind]) or part.type.partition("/")[0] in _TYPES.get(self.kind, ())


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file and its message. Without `part`, the message's structure can't be parsed and it has to be opened."""

    message: Summary
    part: Part | None


@dataclass(frozen=True, slots=True)
class FilePage:
    """A page of files. `total` counts the messages found: with `exact` each of them has a matching file, by its name; otherwise
    the server can't tell, and some have none. `looked_at` of them were looked into: those of this page if it is sorted by date,
    otherwise those of all pages."""

    files: tuple[FoundFile, ...]
    total: int
    looked_at: int
    page: int
    pages: int
    exact: bool
    reach: SearchScope
    skipped: tuple[str, ...]
    overview: Overview
    sort: str = "date"
    cut: str = ""  # "newest" or "largest": only the files of these messages, `looked_at`, are on its pages


def search(
    connection: Connection, mailbox: str, found: Search, wanted: FileFilter, *, scope: str = "all", page: int = 1, size: int = 25,
    sort: str = "date",
) -> FilePage:  # fmt: skip
    """A page of the files of matching messages: at most 7 round trips (see `multi_search.search`).

    By date: the files of `size` messages, the newest first; only their structure is fetched. By name: `size` files of the newest
    `MOST_LOOKED_INTO` messages; by size, the largest first, of the largest messages.
    """
    overview = mailboxes.overview(connection)
    reach = multi_search.within(overview, mailbox, scope == "below") if scope else SearchScope((mailbox,))
    asked = narrowed(found, _of_kind(wanted.kind)) if wanted.kind else found
    by = "size" if sort == "size" and connection.has("SORT") else "date"
    places, skipped, _unchecked = multi_search.found(connection, reach.names, asked, by)
    total = sum(len(place.uids) for place in places)
    exact = knows_parts(connection.capabilities) and not wanted.at_least
    if sort == "date":
        pages = _pages(total, size)
        page = min(max(page, 1), pages)
        hits = multi_search.chosen(connection, places, by, (page - 1) * size, page * size)
        looked_at = len(hits)
        shown = [one for hit in _files(connection, hits, wanted) for one in hit]
    else:
        hits = multi_search.chosen(connection, places, by, 0, MOST_LOOKED_INTO)
        looked_at = len(hits)
        parts = sorted((one for hit in _files(connection, hits, wanted) for one in hit), key=_ORDERS[sort])
        pages = _pages(len(parts), size)
        page = min(max(page, 1), pages)
        shown = parts[(page - 1) * size : page * size]
    files = _with_messages(connection, shown)
    cut = "" if sort == "date" or looked_at >= total else "largest" if by == "size" else "newest"
    return FilePage(tuple(files), total, looked_at, page, pages, exact, reach, skipped, overview, sort, cut)


def _pages(count: int, size: int) -> int:
    return max(1, -(-count // size))


def _of_kind(kind: str) -> SearchNode:
    """A search for messages with a file of this kind; for any file if the server can't search MIME parts."""
    by_name = [_part_key(b"FILENAME CONTAINS " + quoted(end)) for end in KINDS[kind]]
    return any_of(*by_name, *(_part_key(b"TYPE " + name.encode()) for name in _TYPES.get(kind, ())))


def _part_key(data: bytes) -> SearchNode:
    return SearchNode("key", b"ALL", b"(MIMEPART " + data + b")")


HitFile = tuple[Hit, Part | None]
_ORDERS = {
    "name": lambda one: (one[1] is None, plain_key(one[1].filename) if one[1] else ""),
    "size": lambda one: -one[1].decoded_size if one[1] else 1,
}  # a message whose structure can't be parsed comes last


def _files(connection: Connection, hits: Sequence[Hit], wanted: FileFilter) -> list[list[HitFile]]:
    """The files of each message that pass the filter: 1 round trip."""
    by_place: dict[str, list[int]] = {}
    for hit in hits:
        by_place.setdefault(hit.place.mailbox, []).append(hit.uid)
    asking = [(name, (b"UID FETCH", uid_set(uids), b"(UID BODYSTRUCTURE)")) for name, uids in by_place.items()]
    values = fetch(connection, _places(hits), asking)
    found: list[list[HitFile]] = []
    for hit in hits:
        items = values.get((hit.place.mailbox, hit.uid))
        shape = structure_of(items.get(b"BODYSTRUCTURE")) if items else None
        parts = [part for part in shape.attachments if wanted.is_met_by(part)] if shape else [None]
        found.append([(hit, part) for part in parts])
    return found


def _with_messages(connection: Connection, visible: Sequence[HitFile]) -> list[FoundFile]:
    """These files with the rows of their messages, without those that went meanwhile: round trips of `rows_of`."""
    rows = multi_search.rows_of(connection, list(dict.fromkeys(hit for hit, _part in visible)))
    row_of = {(row.mailbox, row.uid): row for row in rows}
    keys = [((hit.place.mailbox, hit.uid), part) for hit, part in visible]
    return [FoundFile(row_of[key], part) for key, part in keys if key in row_of]


def _places(hits: Sequence[Hit]) -> dict[str, MailboxHits]:
    return {hit.place.mailbox: hit.place for hit in hits}
