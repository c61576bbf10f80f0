"""Google entries: files as Google Drive tells them, its documents with what they can be had as, and words of its queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from webmail.drives.api_requests import moment, part, text, web_page, whole_number
from webmail.drives.drive import DriveEntry, EntryKind, safe_name

FIELDS = (
    "id,name,mimeType,size,modifiedTime,md5Checksum,headRevisionId,version,webViewLink,trashed,"
    "capabilities(canShare,canDownload,canAddChildren),shortcutDetails(targetId,targetMimeType)"
)
_OWN = "application/vnd.google-apps."
FOLDER = _OWN + "folder"
_SHORTCUT = _OWN + "shortcut"
_PDF = "application/pdf"
_OFFICE = "application/vnd.openxmlformats-officedocument."
_EXPORTS: Mapping[str, Sequence[str]] = {
    "document": (_PDF, _OFFICE + "wordprocessingml.document", "application/vnd.oasis.opendocument.text"),
    "spreadsheet": (_PDF, _OFFICE + "spreadsheetml.sheet", "application/vnd.oasis.opendocument.spreadsheet"),
    "presentation": (_PDF, _OFFICE + "presentationml.presentation", "application/vnd.oasis.opendocument.presentation"),
    "drawing": (_PDF, "image/png"),
}


def entry_of(told: Mapping[str, Any]) -> DriveEntry | None:
    """None for what has no name that a file can have, and for what is in the bin."""
    found, kind = text(told, "id", 200), text(told, "mimeType", 200)
    if kind == _SHORTCUT:  # what it leads to, which may be gone
        target = part(told, "shortcutDetails")
        found, kind = text(target, "targetId", 200), text(target, "targetMimeType", 200)
    name = safe_name(text(told, "name"))
    if not found or not is_id(found) or not name or told.get("trashed") is True:
        return None
    what = part(told, "capabilities")
    is_own = kind.startswith(_OWN)
    return DriveEntry(
        found,
        name,
        EntryKind.FOLDER if kind == FOLDER else EntryKind.DOCUMENT if is_own else EntryKind.FILE,
        size=None if is_own else whole_number(told, "size"),
        modified=moment(told, "modifiedTime"),
        version=text(told, "md5Checksum", 100) or text(told, "headRevisionId", 200) or text(told, "version", 40),
        type="" if is_own else kind,
        exports=_EXPORTS.get(kind.removeprefix(_OWN), ()) if is_own and what.get("canDownload") is not False else (),
        web_url=web_page(told, "webViewLink"),
        may_share=what.get("canShare") is not False,
    )


def is_id(text: str) -> bool:
    """Whether it is written as Google's ids are; "root" is one too."""
    return bool(text) and len(text) <= 200 and all(one.isascii() and (one.isalnum() or one in "-_") for one in text)


def quoted(text: str) -> str:
    """A text in a query of `files.list`."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
