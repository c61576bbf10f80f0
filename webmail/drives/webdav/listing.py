"""Listing: what a WebDAV server says is in a folder, read within bounds, cleaned and cut into pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

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
_Found = tuple[bool, str, str, RemoteAnswer]  # whether it is a file, how it is sorted, its path
_TYPE = re.compile(r"[\w.+-]{1,80}/[\w.+-]{1,80}", re.ASCII)


def read(content: bytes) -> list[RemoteAnswer]:
    """Raises DriveError."""
    try:
        return multistatus.read(content, _BOUNDS)[0]
    except multistatus.NotMultistatusError as error:
        raise DriveError(DriveFault.NOT_UNDERSTOOD, str(error)) from error


def entry_of(answer: RemoteAnswer, path: str) -> DriveEntry:
    is_folder = _is_folder(answer)
    media = _TYPE.match(answer.text(f"{D}getcontenttype"))
    permissions = answer.text(f"{_OC}permissions")
    return DriveEntry(
        path, filenames.safe_name(path.rpartition("/")[2]), EntryKind.FOLDER if is_folder else EntryKind.FILE,
        size=None if is_folder else _number(answer.text(f"{D}getcontentlength")),
        modified=_moment(answer.text(f"{D}getlastmodified")), version=answer.text(f"{D}getetag")[:200],
        type=media[0].lower() if media else "", may_share=not permissions or "R" in permissions,
    )  # fmt: skip


def _is_folder(answer: RemoteAnswer) -> bool:
    kinds = answer.props.get(f"{D}resourcetype")
    return kinds is not None and kinds.find(f"{D}collection") is not None


def page_of(answers: Sequence[RemoteAnswer], root: str, address: str, folder: str, cursor: str) -> FolderPage:
    """A page of a folder: folders first, then by name."""
    found, hidden, space, permissions, reader = list[_Found](), 0, None, "", paths.PathReader(root, address)
    for answer in answers:
        if answer.status not in (0, 200):
            continue
        path = reader.path(answer.href)
        if path == folder:
            space, permissions = space_of(answer), answer.text(f"{_OC}permissions")
        elif path is None or path.rpartition("/")[0] != folder:
            hidden += 1
        else:
            found.append((not _is_folder(answer), path.casefold(), path, answer))
    found.sort(key=lambda one: one[:3])
    page, following = cut(found, cursor)
    may_write = not permissions or "C" in permissions
    entries = [entry_of(answer, path) for _file, _name, path, answer in page]
    return FolderPage(entries, following, crumbs_of(folder), space, may_write, hidden)


def cut(found: Sequence[_Row], cursor: str) -> tuple[Sequence[_Row], str]:
    """A page of these, and the cursor of the next."""
    start = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 8 else 0
    end = start + PAGE
    return found[start:end], str(end) if end < len(found) else ""


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
