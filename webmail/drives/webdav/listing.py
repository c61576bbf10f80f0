"""Listing: what a WebDAV server says is in a folder, read within bounds, cleaned and cut into pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, TypeVar

from webmail.drives.drive import PAGE, Crumb, DriveEntry, DriveError, DriveFault, DriveSpace, EntryKind, FolderPage
from webmail.drives.webdav import paths
from webmail.mime import multistatus
from webmail.mime.headers import filenames
from webmail.mime.multistatus import D, RemoteAnswer
from webmail.mime.safe_xml import XmlBounds

SIZE = 24_000_000  # bytes of an answer: of some 20,000 entries
_BOUNDS = XmlBounds(size=SIZE, depth=20, elements=600_000, text=20_000)
_OC = "{http://owncloud.org/ns}"
PROPS = (
    "<D:resourcetype/><D:getcontentlength/><D:getlastmodified/><D:getetag/><D:getcontenttype/>"
    "<D:quota-available-bytes/><D:quota-used-bytes/><O:permissions xmlns:O='http://owncloud.org/ns'/>"
)
_Row = TypeVar("_Row")
_TYPE = re.compile(r"[\w.+-]{1,80}/[\w.+-]{1,80}", re.ASCII)


class FolderRow(NamedTuple):
    """What a server says of a file or folder, as texts: small enough to be kept by the thousand."""

    is_file: bool  # how rows are sorted: folders first, then by name
    sorted_as: str
    path: str
    length: str
    modified: str
    tag: str
    media: str
    permissions: str


@dataclass(frozen=True, slots=True)
class WholeFolder:
    """All of a folder: its rows, sorted, and what is told of itself."""

    rows: Sequence[FolderRow]
    space: DriveSpace | None
    may_write: bool
    hidden: int


def read(content: bytes) -> list[RemoteAnswer]:
    """Raises DriveError."""
    try:
        return multistatus.read(content, _BOUNDS)[0]
    except multistatus.NotMultistatusError as error:
        raise DriveError(DriveFault.NOT_UNDERSTOOD, str(error)) from error


def entry_of(answer: RemoteAnswer, path: str) -> DriveEntry:
    return _entry_of_row(_row_of(answer, path))


def _row_of(answer: RemoteAnswer, path: str) -> FolderRow:
    return FolderRow(
        not _is_folder(answer), path.casefold(), path, answer.text(f"{D}getcontentlength")[:20],
        answer.text(f"{D}getlastmodified")[:60], answer.text(f"{D}getetag")[:200], answer.text(f"{D}getcontenttype")[:160],
        answer.text(f"{_OC}permissions")[:40],
    )  # fmt: skip


def _entry_of_row(row: FolderRow) -> DriveEntry:
    media = _TYPE.match(row.media)
    return DriveEntry(
        row.path, filenames.safe_name(row.path.rpartition("/")[2]), EntryKind.FILE if row.is_file else EntryKind.FOLDER,
        size=_number(row.length) if row.is_file else None, modified=_moment(row.modified), version=row.tag,
        type=media[0].lower() if media else "", may_share=not row.permissions or "R" in row.permissions,
    )  # fmt: skip


def _is_folder(answer: RemoteAnswer) -> bool:
    kinds = answer.props.get(f"{D}resourcetype")
    return kinds is not None and kinds.find(f"{D}collection") is not None


def whole_of(answers: Sequence[RemoteAnswer], root: str, address: str, folder: str) -> WholeFolder:
    """All that a folder has: folders first, then by name."""
    found, hidden, space, permissions, reader = list[FolderRow](), 0, None, "", paths.PathReader(root, address)
    for answer in answers:
        if answer.status not in (0, 200):
            continue
        path = reader.path(answer.href)
        if path == folder:
            space, permissions = space_of(answer), answer.text(f"{_OC}permissions")
        elif path is None or path.rpartition("/")[0] != folder:
            hidden += 1
        else:
            found.append(_row_of(answer, path))
    found.sort(key=lambda one: one[:3])
    return WholeFolder(found, space, not permissions or "C" in permissions, hidden)


def page_of(whole: WholeFolder, folder: str, cursor: str) -> FolderPage:
    rows, following, before = cut(whole.rows, cursor)
    entries = [_entry_of_row(row) for row in rows]
    return FolderPage(entries, following, crumbs_of(folder), whole.space, whole.may_write, whole.hidden, before)


def found_page(answers: Sequence[RemoteAnswer], root: str, address: str, cursor: str) -> FolderPage:
    """A page of what a search found, in its order."""
    found, hidden, reader = list[DriveEntry](), 0, paths.PathReader(root, address)
    for answer in answers:
        if answer.status not in (0, 200):  # 507: there is more (RFC 5323, 2.3.3)
            continue
        if path := reader.path(answer.href):
            found.append(entry_of(answer, path))
        elif path is None:
            hidden += 1
    page, following, before = cut(found, cursor)
    return FolderPage(page, following, hidden=hidden, before=before)


def start_of(cursor: str) -> int:
    """How many are before the page of a cursor."""
    return int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 6 else 0


def cut(found: Sequence[_Row], cursor: str) -> tuple[Sequence[_Row], str, str]:
    """A page of these, and the cursors of the next and of the one before."""
    start = start_of(cursor)
    end = start + PAGE
    return found[start:end], str(end) if end < len(found) else "", str(start - PAGE) if start > PAGE else ""


def crumbs_of(folder: str) -> list[Crumb]:
    parts = paths.parts_of(folder)
    return [Crumb("", ""), *(Crumb("/".join(parts[: at + 1]), filenames.safe_name(name)) for at, name in enumerate(parts))]


def space_of(answer: RemoteAnswer) -> DriveSpace | None:
    """Negative numbers say "not known" or "without end" (Nextcloud)."""
    free, used = (_number(answer.text(f"{D}quota-{word}-bytes")) for word in ("available", "used"))
    return None if free is None and used is None else DriveSpace(used, free)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text[:60])
        return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    except (ValueError, TypeError, OverflowError):
        return None
