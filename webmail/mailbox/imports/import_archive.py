"""Import archive: which files of a zip archive hold mail, and the folder of each, as the program that made it lays them out.

Known are exports of ours, Google Takeout, Thunderbird's folders (`Inbox`, `Inbox.sbd/`), Apple Mail's (`Projects.mbox/mbox`),
Maildir (`.Projects.2024/cur/`) and folders of .mbox and .eml files.
"""

from __future__ import annotations

import io
import json
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from webmail.mail import Role
from webmail.mailbox.imports.import_filing import decoded
from webmail.mailbox.imports.import_origins import Hints
from webmail.mime.formats import mbox
from webmail.mime.formats.export_marker import MARKER, NOT_A_FOLDER, ExportMarker, MarkedFolder, read_marker

MOST_ENTRIES = 250_000  # files of an archive
LARGEST_INSIDE = 20_000_000_000  # bytes of all files of an archive, unpacked
LARGEST_DIRECTORY = 128 * MOST_ENTRIES  # bytes of an archive's table of contents: all of it is in memory, several times its size
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)
_BEGINNING = 2048
_LARGEST_MARKER = 20_000_000
_UTF8_NAME = 0x800
_JUNK = re.compile(r"(?:^|/)(?:__MACOSX/|\.(?!\.?/))")  # what systems add to archives
_NO_MAIL = (".msf", ".dat", ".html", ".json", ".pdf", ".png", ".jpg")
_ROOTS = {"", "maildir", ".maildir", "mail", ".mail", "mailbox"}
_WRAPPERS = {"imapmail", "mail", "profiles"}


class Kind(StrEnum):
    """What a file of an archive is."""

    MBOX = "mbox"
    MESSAGE = "message"
    MAILDIR = "maildir"  # a message, marked in its name


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file of an archive that may hold mail. `fits`: it is unpacked. `top`: its folder stands at the top level."""

    entry: zipfile.ZipInfo
    kind: Kind
    path: tuple[str, ...]
    fits: bool
    top: bool = False
    role: Role | None = None  # told by an export of ours


@dataclass(frozen=True, slots=True)
class ArchiveListing:
    """The files that may hold mail, in the order of the archive; what they have in common; `tags`: names by keyword."""

    files: Sequence[ArchiveFile]
    hints: Hints
    tags: dict[str, str] = field(default_factory=dict)


def listed(archive: zipfile.ZipFile, largest_message: int, *, own: bool) -> ArchiveListing:
    """A few kilobytes can say that they are gigabytes, but no more is read of a file than it says."""
    names = [(entry, entry_name(entry)) for entry in archive.infolist() if not entry.is_dir()]
    marker = _marker(archive, names)
    mozilla = any(name.lower().endswith(".msf") or ".sbd/" in name.lower() for _entry, name in names)
    takeout = any(name.lower().startswith("takeout/") for _entry, name in names)
    hints = Hints(own=own or marker is not None, mozilla=mozilla and marker is None, takeout=takeout and marker is None)
    found = [(entry, name, kind) for entry, name in names if (kind := _kind(archive, entry, name))]
    marked = marker.folders if marker else {}
    layout = _Layout(hints, [_parts(name) for _entry, name, kind in found if kind is Kind.MAILDIR or hints.mozilla])
    files: list[ArchiveFile] = []
    left = LARGEST_INSIDE
    for entry, name, kind in found:
        fits = entry.file_size <= (left if kind is Kind.MBOX else min(left, largest_message))
        left -= entry.file_size if fits else 0
        known = marked.get(name) or marked.get(name.rpartition("/")[0] + "/")
        if known:
            files.append(ArchiveFile(entry, kind, known.path, fits, role=_role(known)))
        else:
            path, top = layout.folder_of(_parts(name), kind)
            files.append(ArchiveFile(entry, kind, path[-10:], fits, top))
    return ArchiveListing(files, hints, marker.tags if marker else {})


def entry_name(entry: zipfile.ZipInfo) -> str:
    """Its name with "/" between folders. Archives whose flag does not say so are in UTF-8 (macOS) or as French Windows writes."""
    name = entry.filename
    if not entry.flag_bits & _UTF8_NAME:
        raw = name.encode("cp437", "replace")
        try:
            name = raw.decode()
        except UnicodeDecodeError:
            name = raw.decode("cp850", "replace")
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _parts(name: str) -> list[str]:
    return [part for part in name.split("/") if part not in ("", ".", "..")]


def _marker(archive: zipfile.ZipFile, names: Iterable[tuple[zipfile.ZipInfo, str]]) -> ExportMarker | None:
    """In a file, or in the archive's comment where each message has a file."""
    entry = next((entry for entry, name in names if name == MARKER and entry.file_size <= _LARGEST_MARKER), None)
    try:
        return read_marker(json.loads(archive.read(entry) if entry else archive.comment))
    except BROKEN:  # ValueError for what is no JSON
        return None


def _role(existing: MarkedFolder) -> Role | None:
    return Role(existing.role) if existing.role in set(Role) else None


def _kind(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> Kind | None:
    parts, low = _parts(name), name.lower()
    if not parts or low.startswith("__macosx/") or parts[-1].startswith(".") or name == MARKER or name in NOT_A_FOLDER:
        return None
    if len(parts) > 1 and parts[-2] in ("cur", "new") and not low.endswith(".mbox"):
        return Kind.MAILDIR if parts[-1] not in ("dovecot-uidlist", "dovecot-keywords") else None
    if _JUNK.search(name) or parts[-2:-1] == ["tmp"]:
        return None
    if low.endswith(".eml"):
        return Kind.MESSAGE
    if low.endswith(".mbox"):
        return Kind.MBOX
    return Kind.MBOX if entry.file_size and not low.endswith(_NO_MAIL) and _begins_as_mbox(archive, entry) else None


def _begins_as_mbox(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    try:
        with archive.open(entry) as packed:
            beginning = packed.read(_BEGINNING)
    except BROKEN:
        return False
    return mbox.is_mbox(beginning) and next(mbox.entries(io.BytesIO(beginning)), None) is not None


class _Layout:
    """Where the folders of an archive stand. `deep`: the paths of what lies in Thunderbird's folders or Maildir."""

    def __init__(self, hints: Hints, deep: Sequence[list[str]]) -> None:
        self.hints = hints
        self.bases = {tuple(self._base(parts)) for parts in deep}
        self.common = _common([self._accounts(base) for base in self.bases])

    @staticmethod
    def _base(parts: list[str]) -> list[str]:
        """The folder's own path: a Maildir's is the one above `cur`."""
        return parts[:-2] if len(parts) > 1 and parts[-2] in ("cur", "new") else parts

    def _accounts(self, base: tuple[str, ...]) -> tuple[str, ...]:
        """What stands above the first folder of mail: the account's, the profile's."""
        if self.hints.mozilla:
            above = next((at for at, part in enumerate(base) if part.lower().endswith(".sbd")), len(base) - 1)
            return base[: max(above, 0)]
        return base[:-1] if base and base[-1].startswith(".") else base

    def folder_of(self, parts: list[str], kind: Kind) -> tuple[tuple[str, ...], bool]:
        """The path of its folder, and whether that stands at the top level of a mailbox."""
        if self.hints.mozilla and kind is not Kind.MESSAGE:
            return self._mozillas(self._base(parts))
        if kind is Kind.MAILDIR:
            return self._maildirs(self._base(parts))
        if kind is Kind.MBOX:
            name = parts.pop()
            if name.lower() != "mbox" or not parts:  # Apple's lies in a folder of its own
                parts = [*parts, _without_ending(name)]
            parts = [_without_ending(part) for part in parts]
        else:
            parts = parts[:-1]
        if parts[:1] and parts[0].lower() == "takeout":
            parts = parts[2:]
        return tuple(parts), len(parts) == 1

    def _mozillas(self, base: list[str]) -> tuple[tuple[str, ...], bool]:
        accounts = self._accounts(tuple(base))
        levels = [_without_sbd(part) for part in base[len(accounts) :]]
        levels[-1:] = [_without_ending(levels[-1])] if levels else []
        if levels[:1] and levels[0].lower() == "inbox" and len(levels) == 1:
            return ("INBOX",), True
        own = [part for part in accounts[len(self.common) :] if part.lower() not in _WRAPPERS]
        path = tuple(decoded(level) for level in levels)
        return (path, True) if len(path) == 1 and not own else ((*own, *path), len(path) == 1)

    def _maildirs(self, base: list[str]) -> tuple[tuple[str, ...], bool]:
        if base and base[-1].startswith(".") and len(base[-1]) > 1:
            path = tuple(decoded(level) for level in base[-1].split(".") if level)
            return path, len(path) == 1
        inside = base[len(self.common) :]
        if not inside:
            alone = len(self.bases) == 1 and base and base[-1].lower() not in _ROOTS
            return ((decoded(base[-1]),), True) if alone else (("INBOX",), True)
        return tuple(decoded(level) for level in inside), len(inside) == 1


def _common(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """What all of them begin with."""
    if not paths:
        return ()
    first, last = min(paths), max(paths)
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:same]


def _without_ending(name: str) -> str:
    return name[: -len(".mbox")] if name.lower().endswith(".mbox") and len(name) > len(".mbox") else name


def _without_sbd(name: str) -> str:
    return name[: -len(".sbd")] if name.lower().endswith(".sbd") else name
