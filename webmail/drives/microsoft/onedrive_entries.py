"""OneDrive entries: items as Graph tells them, and where they are in a drive: "/folder/file", or "!" and an item's id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from webmail.drives.api_requests import moment, part, text, web_page, whole_number
from webmail.drives.drive import Crumb, DriveEntry, DriveError, DriveFault, EntryKind, safe_name

FIELDS = "id,name,size,lastModifiedDateTime,cTag,eTag,file,folder,package,webUrl,parentReference,deleted"
_ROOT = re.compile(r"(?:/drives/[^/]+|/drive)/root:(.*)", re.DOTALL)
_ITEM = re.compile(r"![A-Za-z0-9!.%_-]{1,200}")
_LONGEST_PATH = 1_900  # characters


def entry_of(told: Mapping[str, Any], prefix: str = "") -> DriveEntry | None:
    """None for what has no name that a file can have, or is deleted. `prefix`: of ids in its drive."""
    name, number = safe_name(text(told, "name")), text(told, "id", 200)
    if not name or not _ITEM.fullmatch(f"!{number}") or "deleted" in told:
        return None
    parent = folder_of(told)
    is_folder = isinstance(told.get("folder"), dict)
    is_package = isinstance(told.get("package"), dict)  # a OneNote notebook
    return DriveEntry(
        prefix + (f"!{number}" if parent is None or _is_bad_path(prefix, parent, name) else f"{parent}/{name}"),
        name,
        EntryKind.FOLDER if is_folder else EntryKind.DOCUMENT if is_package else EntryKind.FILE,
        size=None if is_folder or is_package else whole_number(told, "size"),
        modified=moment(told, "lastModifiedDateTime"),
        version=text(told, "cTag", 300),
        type=text(part(told, "file"), "mimeType", 200),
        web_url=web_page(told, "webUrl"),
    )


def _is_bad_path(prefix: str, parent: str, name: str) -> bool:
    """Whether it is too long, or looks like an item's id without the slash before it, which addresses of pages lose."""
    return len(prefix) + len(parent) > _LONGEST_PATH or (not parent and name.startswith("!"))


def folder_of(told: Mapping[str, Any]) -> str | None:
    """The path of the folder that an item is in, "" for the root; None where that is not told, as in what a search found."""
    found = _ROOT.fullmatch(text(part(told, "parentReference"), "path", 4_000))
    path = unquote(found[1]).rstrip("/") if found else None
    return path if path is None or is_path(path) else None


def is_path(path: str) -> bool:
    return path == "" or (path[0] == "/" and all(one and safe_name(one) == one for one in path[1:].split("/")))


def address(path_or_id: str, more: str = "") -> str:
    """Of an item below a drive's own address, with what is asked of it. Raises DriveError for what is no id."""
    if path_or_id == "":
        return f"/root{more}"
    if _ITEM.fullmatch(path_or_id):
        return f"/items/{quote(path_or_id[1:], safe='!')}{more}"
    if path_or_id[0] not in "/!":  # as it stands in an address of a page
        path_or_id = f"/{path_or_id}"
    if not is_path(path_or_id) or len(path_or_id) > 2_000:
        raise DriveError(DriveFault.GONE, path_or_id)
    return f"/root:{quote(path_or_id)}:{more}"


def crumbs_of(path: str, prefix: str = "") -> tuple[Crumb, ...]:
    """From the root of a drive, which is not among them, to a folder of a path."""
    names = path.strip("/").split("/") if path.strip("/") else []
    return tuple(Crumb(prefix + "/" + "/".join(names[: at + 1]), name) for at, name in enumerate(names))


def cursor_of(told: Mapping[str, Any]) -> str:
    """What the address of the next page says of where it begins; its host and path are not ours to follow."""
    words = dict(parse_qsl(urlsplit(text(told, "@odata.nextLink", 8_000)).query))
    return next((value for name, value in words.items() if name.lower() == "$skiptoken"), "")
