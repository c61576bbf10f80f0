"""Attachment search: finds attached files in one mailbox or all: the server finds the messages, their structure the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webmail.imap import mailboxes, multi_search
from webmail.imap.commands import quoted, uid_set
from webmail.imap.connection import Connection
from webmail.imap.mailboxes import Overview
from webmail.imap.multi_search import MOST_SHOWN, Hit, SearchScope
from webmail.imap.responses import structure_of
from webmail.imap.search import Search, SearchNode, any_of, criteria, knows_parts, narrowed
from webmail.mail import Part, Summary

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
        name = part.filename.casefold()
        if self.name.casefold() not in name or part.decoded_size < self.at_least:
            return False
        return not self.kind or name.endswith(KINDS[self.kind]) or part.type.partition("/")[0] in _TYPES.get(self.kind, ())


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file and its message. Without `part`, the message's structure can't be parsed and it has to be opened."""

    message: Summary
    part: Part | None


@dataclass(frozen=True, slots=True)
class FilePage:
    """The files of a page of messages. `total` counts the messages found: with `exact` each of them has a matching file, by its
    name; otherwise the server can't tell, and some have none."""

    files: tuple[FoundFile, ...]
    total: int
    looked_at: int
    page: int
    size: int
    exact: bool
    reach: SearchScope
    skipped: tuple[str, ...]
    overview: Overview

    @property
    def pages(self) -> int:
        return max(1, -(-min(self.total, MOST_SHOWN) // self.size))

    @property
    def reachable(self) -> int:
        """How many messages its pages can show."""
        return self.pages * self.size

    @property
    def is_cut(self) -> bool:
        return self.total > self.reachable


def search(
    connection: Connection, mailbox: str, found: Search, wanted: FileFilter, *, scope: str = "all", page: int = 1, size: int = 25
) -> FilePage:
    """The files of a page of matching messages, newest first: at most 6 round trips (see `multi_search.search`).

    The structure is fetched only for the messages of the page.
    """
    overview = mailboxes.overview(connection)
    reach = multi_search.within(overview, mailbox, scope == "below") if scope else SearchScope((mailbox,))
    keys = criteria(narrowed(found, _of_kind(wanted.kind)) if wanted.kind else found, connection.capabilities)
    places, skipped = multi_search.matching(connection, reach.names, keys)
    total = sum(len(place.uids) for place in places)
    page = min(max(page, 1), max(1, -(-min(total, MOST_SHOWN) // size)))
    hits = multi_search.newest(connection, places, min(page * size, MOST_SHOWN))[(page - 1) * size :]
    rows = multi_search.rows_of(connection, hits)
    files = _files(connection, hits, rows, wanted)
    exact = knows_parts(connection.capabilities) and not wanted.at_least
    return FilePage(tuple(files), total, len(rows), page, size, exact, reach, skipped, overview)


def _of_kind(kind: str) -> SearchNode:
    """A search for messages with a file of this kind; for any file if the server can't search MIME parts."""
    by_name = [_part_key(b"FILENAME CONTAINS " + quoted(end)) for end in KINDS[kind]]
    return any_of(*by_name, *(_part_key(b"TYPE " + name.encode()) for name in _TYPES.get(kind, ())))


def _part_key(words: bytes) -> SearchNode:
    return SearchNode("key", b"ALL", b"(MIMEPART " + words + b")")


def _files(connection: Connection, hits: Sequence[Hit], rows: Sequence[Summary], wanted: FileFilter) -> list[FoundFile]:
    place_of = {hit.place.mailbox: hit.place for hit in hits}
    by_mailbox: dict[str, list[int]] = {}
    for row in rows:
        by_mailbox.setdefault(row.mailbox, []).append(row.uid)
    asking = [(name, (b"UID FETCH", uid_set(uids), b"(UID BODYSTRUCTURE)")) for name, uids in by_mailbox.items()]
    values = multi_search.fetch(connection, place_of, asking)
    found: list[FoundFile] = []
    for row in rows:
        shape = structure_of(values.get((row.mailbox, row.uid), {}).get(b"BODYSTRUCTURE"))
        if shape is None:
            found.append(FoundFile(row, None))
        else:
            found += [FoundFile(row, part) for part in shape.attachments if wanted.is_met_by(part)]
    return found
