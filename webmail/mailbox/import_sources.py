"""Import sources: the messages of a file that somebody brings: one message (.eml), an mbox, or a zip archive of both.

What can't be read is told, one by one, and never keeps the others from being imported.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import IO

from webmail.config import Settings
from webmail.imap.bulk import MessageFingerprint
from webmail.mailbox.import_filing import filing_of
from webmail.mailbox.incoming import LARGEST, Found, Incoming, Position, Unreadable, message_key
from webmail.mime import headers
from webmail.mime.formats import mbox
from webmail.storage import CHUNK, temporary_file

MOST_ENTRIES = 250_000  # files of an archive
LARGEST_INSIDE = 20_000_000_000  # bytes of all files of an archive, unpacked
_LARGEST_DIRECTORY = 128 * MOST_ENTRIES  # bytes of an archive's table of contents: all of it is in memory, several times its size
_BEGINNING = 4096
_IN_MEMORY = 16_000_000
_HEADER = re.compile(rb"\A(?:[!-9;-~]{1,100}[ \t]*:[^\n]*\r?\n(?:[ \t][^\n]*\r?\n)*){1,}", re.DOTALL)
_JUNK = re.compile(r"(?:^|/)(?:__MACOSX/|\.(?!\.?/))")  # what systems add to archives
_NOTES = re.compile(rb"\A(?:(?:X-)?Status: ?[A-Z]*\r\n){1,2}(?=[!-9;-~]+:)")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


class NotMail(Exception):
    """Nothing in the file is a message."""


class TooManyFiles(Exception):
    """An archive has more files than are looked at."""


class MailFile:
    """The messages of a file, in the same order each time; one is in memory at a time. A Source, whose methods raise NotMail,
    TooManyFiles, StorageAway and StorageFull.
    """

    def __init__(self, file: IO[bytes], settings: Settings) -> None:
        self.file, self.settings = file, settings

    def count(self) -> int:
        """Reads an mbox whole."""
        if _is_zip(self.file):
            with _archive(self.file) as archive:
                return sum(_count_in(archive, entry, self.settings) if fits else 1 for entry, fits in _entries_of(archive))
        if mbox.is_mbox(_beginning(self.file)):
            return sum(1 for _ in mbox.entries(self.file))
        return 1

    def messages(self, at: int, position: Position | None) -> Iterator[Found]:
        return islice(self._all(), at, None)

    def _all(self) -> Iterator[Found]:
        if _is_zip(self.file):
            with _archive(self.file) as archive:
                for entry, fits in _entries_of(archive):
                    if fits:
                        yield from _messages_in(archive, entry, self.settings)
                    else:
                        yield Unreadable(entry.filename[:200], "too-large")
        elif mbox.is_mbox(_beginning(self.file)):
            yield from _of_mbox(self.file, ())
        elif _HEADER.match(_beginning(self.file)):
            yield _whole(self.file, "1", ())
        else:
            raise NotMail

    def key_of(self, there: MessageFingerprint) -> bytes:
        return message_key(there.message_id, there.subject, there.sender, there.size)

    def load(self, messages: Sequence[Incoming]) -> list[bytes | None]:
        return [one.content for one in messages]


def _incoming(raw: bytes, separator: bytes, path: tuple[str, ...]) -> Incoming:
    envelope, filing = headers.envelope(raw), filing_of(raw, separator, path)
    content = _NOTES.sub(b"", raw) if separator else raw  # before the message's own headers: written by who made the mbox
    # shortened as in imap/bulk.py
    key = message_key(envelope.message_id[:998], envelope.subject[:500], envelope.sender[:5], len(content))
    return Incoming(filing, len(content), key, content)


def _beginning(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(_BEGINNING)


def _is_zip(file: IO[bytes]) -> bool:
    return _beginning(file).startswith(b"PK\x03\x04")


# --- mbox, and a message alone ---------------------------------------------------------------------------------------


def _of_mbox(file: IO[bytes], path: tuple[str, ...]) -> Iterator[Found]:
    for number, entry in enumerate(mbox.entries(file), 1):
        name = "/".join((*path, str(number)))
        if entry.size > LARGEST:
            yield Unreadable(name, "too-large")
        elif not (raw := mbox.content(file, entry)).strip():
            yield Unreadable(name, "no-message")
        else:
            yield _incoming(raw, entry.separator, path)


def _whole(file: IO[bytes], name: str, path: tuple[str, ...]) -> Found:
    file.seek(0)
    raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        return Unreadable(name, "too-large")
    if not _HEADER.match(raw[:_BEGINNING]):
        return Unreadable(name, "no-message")
    return _incoming(mbox.crlf(raw), b"", path)


# --- zip archives ----------------------------------------------------------------------------------------------------


@contextmanager
def _archive(file: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    try:
        if _directory_size(file) > _LARGEST_DIRECTORY:
            raise TooManyFiles
        archive = zipfile.ZipFile(file)
    except _BROKEN as error:
        raise NotMail from error
    with archive:
        yield archive


def _directory_size(file: IO[bytes]) -> int:
    """Bytes of the table of contents, as ZipFile will read them at once."""
    end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    return int(end[zipfile._ECD_SIZE]) if end else 0  # type: ignore[attr-defined]


def _entries_of(archive: zipfile.ZipFile) -> list[tuple[zipfile.ZipInfo, bool]]:
    """The files that may hold mail, in the order of the archive, each with whether it is unpacked: a few kilobytes can say that
    they are gigabytes, but no more is read of a file than it says. Raises NotMail if there are none, TooManyFiles.
    """
    if len(archive.infolist()) > MOST_ENTRIES:
        raise TooManyFiles
    found, left = list[tuple[zipfile.ZipInfo, bool]](), LARGEST_INSIDE
    for entry in archive.infolist():
        if entry.filename.lower().endswith((".eml", ".mbox")) and not _JUNK.search(entry.filename):
            fits = entry.file_size <= (left if _is_mbox(entry) else min(left, LARGEST))
            left -= entry.file_size if fits else 0
            found.append((entry, fits))
    if not found:
        raise NotMail
    return found


def _count_in(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, settings: Settings) -> int:
    if not _is_mbox(entry):
        return 1
    try:
        with _unpacked(archive, entry, settings) as file:
            return sum(1 for _ in mbox.entries(file))
    except _BROKEN:
        return 1


def _messages_in(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, settings: Settings) -> Iterator[Found]:
    try:
        with _unpacked(archive, entry, settings) as file:
            if _is_mbox(entry):
                yield from _of_mbox(file, _path_of(entry))
            else:
                yield _whole(file, entry.filename, _path_of(entry))
    except _BROKEN:  # of the archive: reading what is unpacked already does not fail
        yield Unreadable(entry.filename[:200], "broken")


def _is_mbox(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.lower().endswith(".mbox")


def _path_of(entry: zipfile.ZipInfo) -> tuple[str, ...]:
    """The folder of an archive in which a message lies; an mbox is a folder itself. Takeout's own folders say nothing."""
    *folders, name = [part for part in entry.filename.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    if _is_mbox(entry):
        folders.append(name[: -len(".mbox")])
    return tuple(folders[2:] if folders[:1] == ["Takeout"] else folders)[-10:]


@contextmanager
def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, settings: Settings) -> Iterator[IO[bytes]]:
    """An entry as a file to read from any position. Raises StorageFull and StorageAway besides what says that it is broken."""
    with archive.open(entry) as packed:
        pieces = iter(lambda: packed.read(CHUNK), b"")
        with temporary_file(pieces, settings, _IN_MEMORY) as file:
            yield file
