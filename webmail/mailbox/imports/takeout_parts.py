"""Takeout parts: what an archive of Google Takeout has besides mail, by the names of its files: contacts and calendars."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from webmail.mailbox.imports.import_archive import BROKEN, LARGEST_DIRECTORY, MOST_ENTRIES, entry_name
from webmail.mailbox.imports.import_sources import directory_size

CHECK = "takeout-check"  # the kind of task that looks through one
_LARGEST = 20_000_000  # bytes of a file of contacts or of a calendar, unpacked
_LARGEST_CARDS = 40_000_000  # bytes of all contacts, which become one file
_MOST = 200  # of each


@dataclass(frozen=True, slots=True)
class TakeoutParts:
    """Names of files in the archive. `left_out`: those that are too large, or too many."""

    cards: tuple[str, ...] = ()
    calendars: tuple[str, ...] = ()
    left_out: int = 0

    @property
    def any(self) -> bool:
        return bool(self.cards or self.calendars)


def parts_in(file: IO[bytes]) -> TakeoutParts:
    """Nothing for what is no such archive. Reads its table of contents alone; where `file` stands afterwards is left open."""
    try:
        if not zipfile.is_zipfile(file) or directory_size(file) > LARGEST_DIRECTORY:
            return TakeoutParts()
        with zipfile.ZipFile(file) as archive:
            return parts_of(archive)
    except BROKEN:
        return TakeoutParts()


def parts_of(archive: zipfile.ZipFile) -> TakeoutParts:
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        return TakeoutParts()
    found: dict[str, list[str]] = {".vcf": [], ".ics": []}
    left_out = size_of_cards = 0
    for entry in entries:
        name = entry_name(entry)
        kind = PurePosixPath(name).suffix.lower()
        if not name.lower().startswith("takeout/") or kind not in found or entry.is_dir():
            continue
        size_of_cards += entry.file_size if kind == ".vcf" else 0
        too_large = entry.file_size > _LARGEST or (kind == ".vcf" and size_of_cards > _LARGEST_CARDS)
        if too_large or len(found[kind]) >= _MOST:
            left_out += 1
        else:
            found[kind].append(entry.filename)
    return TakeoutParts(tuple(found[".vcf"]), tuple(found[".ics"]), left_out)
