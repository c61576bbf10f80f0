"""Import sources: the messages of a file that somebody brings: one message (.eml), an mbox, or a zip archive of both.

What can't be read is told, one by one, and never keeps the others from being imported.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import PurePath
from typing import IO

from webmail.config.settings import Settings
from webmail.mail import Role
from webmail.mailbox.imports import import_archive
from webmail.mailbox.imports.import_archive import BROKEN, ArchiveFile, ArchiveListing, Kind
from webmail.mailbox.imports.import_filing import Filing, kept_flags, mozilla_marks, plausible, received_at, state_marks
from webmail.mailbox.imports.import_labels import by_labels, labels_in
from webmail.mailbox.imports.import_origins import Hints, Origin, Program, program_of, special_role
from webmail.mailbox.imports.incoming import LARGEST, Found, Incoming, Position, Unreadable, key_of_message
from webmail.mime.formats import mbox
from webmail.mime.formats.mbox_writer import own_notes
from webmail.mime.headers import headers
from webmail.mime.headers.header_lines import message_digest, named, without
from webmail.storage import CHUNK, temporary_file

_BEGINNING = 4096
_IN_MEMORY = 16_000_000
_MESSAGE = re.compile(rb"\A(?:[!-9;-~]{1,100}[ \t]*:[^\n]*\r?\n(?:[ \t][^\n]*\r?\n)*){1,}", re.DOTALL)
_BEFORE = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:[ \t]*\r?\n)*(>?From [^\n]*\n)?")
_MAILDIR_FLAGS = re.compile(r"[:;!_-]2,([A-Za-z]*)\Z")
_MAILDIR_LETTERS = {"S": "\\Seen", "R": "\\Answered", "F": "\\Flagged", "D": "\\Draft", "P": "$Forwarded"}
_DATE_IN_NAME = re.compile(r"-\d{4}-\d\d-\d\d(?: ?\(\d+\))?\Z")  # of an export of ours
_KEYWORD = re.compile(r"[A-Za-z0-9$!#&'+,./:;<=>?@^_`|~-]{1,100}")
_MOST_KEYWORDS = 50
_GMAILS = named(b"x-gmail-labels", b"x-gm-*")
_MOZILLAS = named(b"x-mozilla-*")
_STATES = named(b"status", b"x-status", b"x-keywords")
_OWN_ENTRY = re.compile(r"traboule ([0-9T:+-]{10,40})((?: [!-~]{1,100})*)\Z")


class NotMailError(Exception):
    """Nothing in the file is a message."""


class TooManyFilesError(Exception):
    """An archive has more files than are looked at."""


@dataclass(frozen=True, slots=True)
class _SourceFolder:
    """The folder of messages in a file, and who made it."""

    path: tuple[str, ...]
    program: Program
    role: Role | None = None
    tags: dict[str, str] = field(default_factory=dict)


class MailFile:
    """The messages of a file, in the same order each time; one is in memory at a time. A Source, whose methods raise
    NotMailError, TooManyFilesError, StorageAwayError and StorageFullError.

    `own`: the person says that it is an export of ours. `special`: what is called as a folder for sent mail and so on is it.
    """

    def __init__(self, file: IO[bytes], settings: Settings, name: str = "", *, own: bool = False, special: bool = False) -> None:
        self.file, self.settings, self.name, self.own, self.special = file, settings, name, own, special
        self._size = 0

    def count(self) -> int:
        """Reads an mbox whole."""
        self._size = 0
        if _is_zip(self.file):
            with self._archive() as (archive, found):
                return sum(self._count_in(archive, one) if one.fits else 1 for one in found.files)
        if mbox.is_mbox(_beginning(self.file)):
            return self._count_of(self.file)
        self._size = self.file.seek(0, 2)
        return 1

    def size(self) -> int:
        """Bytes of all messages, in about."""
        self.count()
        return self._size

    def messages(self, at: int, position: Position | None) -> Iterator[Found]:
        return islice(self._all(), at, None)

    def _all(self) -> Iterator[Found]:
        if _is_zip(self.file):
            with self._archive() as (archive, found):
                seen = set[bytes]()
                for one in found.files:
                    if one.fits:
                        yield from _once(self._messages_in(archive, one, found), seen)
                    else:
                        yield Unreadable(one.entry.filename[:200], "too-large")
        elif mbox.is_mbox(_beginning(self.file)):
            program = program_of(self.file, Hints(own=self.own))
            path = self._path_by_name(program.origin)
            role = special_role(path, program.origin, is_requested=self.special)
            yield from _of_mbox(self.file, _SourceFolder(() if role else path, program, role))
        elif _MESSAGE.match(_without_before(_beginning(self.file))[1]):
            yield _whole(self.file, "1", _SourceFolder((), Program(Origin.OTHER), Role.INBOX))
        else:
            raise NotMailError

    def _path_by_name(self, origin: Origin) -> tuple[str, ...]:
        """The folder of an mbox alone is called like the file."""
        name = PurePath(self.name.replace("\\", "/")).name
        stem = name[: -len(".mbox")] if name.lower().endswith(".mbox") else name
        stem = _DATE_IN_NAME.sub("", stem) if origin is Origin.OWN else stem
        return (stem,) if stem.strip() else ()

    def load(self, messages: Sequence[Incoming]) -> list[bytes | None]:
        return [one.content for one in messages]

    # --- zip archives ------------------------------------------------------------------------------------------------

    @contextmanager
    def _archive(self) -> Iterator[tuple[zipfile.ZipFile, ArchiveListing]]:
        try:
            if directory_size(self.file) > import_archive.LARGEST_DIRECTORY:
                raise TooManyFilesError
            archive = zipfile.ZipFile(self.file)
        except BROKEN as error:
            raise NotMailError from error
        with archive:
            if len(archive.infolist()) > import_archive.MOST_ENTRIES:
                raise TooManyFilesError
            found = import_archive.listed(archive, LARGEST, own=self.own)
            if not found.files:
                raise NotMailError
            yield archive, found

    def _count_in(self, archive: zipfile.ZipFile, archive_file: ArchiveFile) -> int:
        if archive_file.kind is not Kind.MBOX:
            self._size += archive_file.entry.file_size
            return 1
        try:
            with _unpacked(archive, archive_file.entry, self.settings) as file:
                return self._count_of(file)
        except BROKEN:
            return 1

    def _count_of(self, file: IO[bytes]) -> int:
        count = 0
        for entry in mbox.entries(file):
            count, self._size = count + 1, self._size + entry.size
        return count

    def _messages_in(self, archive: zipfile.ZipFile, archive_file: ArchiveFile, found: ArchiveListing) -> Iterator[Found]:
        try:
            with _unpacked(archive, archive_file.entry, self.settings) as file:
                if archive_file.kind is Kind.MBOX:
                    yield from _of_mbox(file, self._source_folder(archive_file, program_of(file, found.hints), found.tags))
                else:
                    origin = Origin.OWN if found.hints.own else Origin.OTHER
                    maildir = archive_file.kind is Kind.MAILDIR
                    origin = Origin.MOZILLA if maildir and found.hints.mozilla else origin
                    read = _whole(
                        file, archive_file.entry.filename, self._source_folder(archive_file, Program(origin), found.tags)
                    )
                    yield _marked_by_entry(read, archive_file, origin, found.tags) if isinstance(read, Incoming) else read
        except BROKEN:  # of the archive: reading what is unpacked already does not fail
            yield Unreadable(archive_file.entry.filename[:200], "broken")

    def _source_folder(self, file: ArchiveFile, program: Program, tags: dict[str, str]) -> _SourceFolder:
        role = file.role or special_role(file.path[-1:] if file.top else (), program.origin, is_requested=self.special)
        return _SourceFolder(() if role else file.path, program, role, tags)


def _once(found: Iterator[Found], seen: set[bytes]) -> Iterator[Found]:
    """A message of Gmail stands in the file of each of its labels, and is one message."""
    for one in found:
        if isinstance(one, Incoming) and one.once:
            yield replace(one, again=one.once in seen)
            seen.add(one.once)
        else:
            yield one


def _of_mbox(file: IO[bytes], position: _SourceFolder) -> Iterator[Found]:
    for number, entry in enumerate(mbox.entries(file), 1):
        name = "/".join((*position.path, str(number)))
        if entry.size > LARGEST:
            yield Unreadable(name, "too-large")
        elif not (raw := mbox.content(file, entry)).strip():
            yield Unreadable(name, "no-message")
        else:
            yield _incoming(raw, entry.separator, position)


def _incoming(raw: bytes, separator: bytes, position: _SourceFolder) -> Incoming:
    """A message of an mbox: its marks as the program notes them, which are taken off."""
    match position.program.origin:
        case Origin.OWN:
            notes = own_notes(raw) or own_notes(raw, older=True)
            raw = notes.content if notes else raw
            filing = _own_marks([*notes.flags, *notes.keywords], position.tags) if notes else Filing(("\\Seen",))
            return _made(raw, filing, position, received_at(headers.fields(raw), separator, noted=True))
        case Origin.GMAIL:
            found = headers.fields(raw)
            raw, labels = without(raw, _GMAILS), labels_in(found.get("x-gmail-labels", [b""])[0])
            made = _made(raw, by_labels(labels, position.program.words), position, received_at(found, separator))
            return replace(made, once=b" ".join(separator.split()[:2]) + message_digest(raw))
        case Origin.MOZILLA:
            found = headers.fields(raw)
            return _made(without(raw, _MOZILLAS), mozilla_marks(found), position, received_at(found, separator))
    found = headers.fields(raw)
    if position.program.states:
        return _made(without(raw, _STATES), state_marks(found), position, received_at(found, separator))
    return _made(raw, Filing(("\\Seen",)), position, received_at(found, separator))


def _made(content: bytes, filing: Filing, position: _SourceFolder, received: datetime | None) -> Incoming:
    where = {} if filing.role or filing.path else {"role": position.role, "path": position.path}
    filing = replace(filing, received=received, **where)  # type: ignore[arg-type]
    return Incoming(filing, len(content), key_of_message(content), content)


def _own_marks(flags: Sequence[str], names: dict[str, str]) -> Filing:
    """The flags that we wrote, those of tags by their names."""
    kept = [flag for flag in dict.fromkeys(flags) if flag not in names]
    plain = [flag for flag in kept if flag.startswith("\\") or _KEYWORD.fullmatch(flag)][:_MOST_KEYWORDS]
    return Filing(tuple(plain), tags=tuple(names[flag] for flag in dict.fromkeys(flags) if flag in names))


def _marked_by_entry(incoming: Incoming, file: ArchiveFile, origin: Origin, tags: dict[str, str]) -> Incoming:
    """A message in a file of its own in an archive: an export of ours notes its marks beside it, Maildir in its name."""
    entry = file.entry
    if origin is Origin.OWN and (noted := _OWN_ENTRY.match(entry.comment.decode("ascii", "replace"))):
        marks = _own_marks(noted[2].split(), tags)
        at = _told(noted[1]) or incoming.filing.received
        return replace(incoming, filing=replace(incoming.filing, flags=marks.flags, tags=marks.tags, received=at))
    if file.kind is not Kind.MAILDIR:
        return incoming
    name = PurePath(entry.filename.replace("\\", "/")).name
    found = _MAILDIR_FLAGS.search(name)
    letters = found[1] if found else ""
    at = incoming.filing.received or _moment_in(name)
    if origin is Origin.MOZILLA:  # which notes the marks in the message
        return replace(incoming, filing=replace(incoming.filing, received=at))
    flags = kept_flags(_MAILDIR_LETTERS[letter] for letter in letters if letter in _MAILDIR_LETTERS)
    return replace(incoming, filing=replace(incoming.filing, flags=flags, received=at, skip="T" in letters))


def _told(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return plausible(at if at.tzinfo else at.replace(tzinfo=UTC))


def _moment_in(name: str) -> datetime | None:
    """A Maildir's file is called after the second in which it came."""
    seconds = re.match(r"(\d{9,10})\.", name)
    return datetime.fromtimestamp(int(seconds[1]), UTC) if seconds else None


def _whole(file: IO[bytes], name: str, position: _SourceFolder) -> Found:
    file.seek(0)
    raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        return Unreadable(name, "too-large")
    separator, raw = _without_before(raw)
    if not _MESSAGE.match(raw[:_BEGINNING]):
        return Unreadable(name, "no-message")
    raw = mbox.crlf(raw)
    if position.program.origin is Origin.MOZILLA:
        return _incoming(raw, separator, position)
    return _made(raw, Filing(("\\Seen",)), position, received_at(headers.fields(raw), separator))


def _without_before(raw: bytes) -> tuple[bytes, bytes]:
    """A line "From " that a message begins with, and the message without it, byte order mark and empty lines."""
    before = _BEFORE.match(raw)
    assert before is not None  # it matches nothing too
    return before[1] or b"", raw[before.end() :]


def _beginning(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(_BEGINNING)


def _is_zip(file: IO[bytes]) -> bool:
    return _beginning(file).startswith(b"PK\x03\x04")


def directory_size(file: IO[bytes]) -> int:
    """Bytes of the table of contents, as ZipFile will read them at once."""
    end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    return int(end[zipfile._ECD_SIZE]) if end else 0  # type: ignore[attr-defined]


@contextmanager
def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, settings: Settings) -> Iterator[IO[bytes]]:
    """An entry as a file to read from any position. Raises StorageFullError and StorageAwayError besides what says that it is
    broken."""
    with archive.open(entry) as packed:
        pieces = iter(lambda: packed.read(CHUNK), b"")
        with temporary_file(pieces, settings, _IN_MEMORY) as file:
            yield file
