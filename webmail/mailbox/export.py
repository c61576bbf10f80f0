"""Export: messages as one file: mbox (RFC 4155, "mboxrd" quoting), or a zip archive of .eml files."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count as count_from
from typing import IO

from webmail.account import Account
from webmail.errors import MailError
from webmail.imap import bulk
from webmail.imap.connection import Connection
from webmail.mailbox.selection import Selection, count
from webmail.mime.filenames import called, safe_name
from webmail.mime.formats.zip_stream import ZipStream
from webmail.storage import CHUNK

MOST_MESSAGES = 2_000  # of a file that is made while the person waits; `export_task.py` makes larger ones
MOST_BYTES = 200_000_000
MOST_COMPRESSED = 50_000_000  # larger archives are stored: compressing is four times slower, and attachments hardly shrink
MOST_IN_ARCHIVE = 100_000  # files in one zip: more make programs slow that open it
KINDS = {"mbox": "application/mbox", "zip": "application/zip"}
FOLDERS = "folders"  # a zip archive with an mbox for each folder: a whole mailbox
_FROM = re.compile(rb"^(>*From )", re.MULTILINE)
_NO_FOLDER = re.compile(r"(\.mbox)(?=/|\Z)", re.IGNORECASE)  # at its end: the file of another mailbox may be called so
_LONGEST_HELD = 65536

Found = list[tuple[Selection, list[bulk.MessageFingerprint]]]


class ExportTooLarge(MailError):
    """More messages or bytes than a person should wait for."""

    status = 422


@dataclass(slots=True)
class Written:
    """How many messages have been written so far."""

    count: int = 0


def measure(connection: Connection, chosen: Sequence[Selection]) -> Found:
    """The messages to export, with sizes. 1 round trip per mailbox and 350 to 5,000 messages. Raises ExportTooLarge."""
    if count(chosen) > MOST_MESSAGES:
        raise ExportTooLarge(f"{count(chosen)} messages")
    found: Found = []
    left = MOST_BYTES
    for group in chosen:
        known = bulk.identities(connection, group.mailbox, group.uids, group.uidvalidity)
        validity = connection.uidvalidity
        left -= sum(message.size for message in known.values())
        if left < 0:
            raise ExportTooLarge(f"more than {MOST_BYTES} bytes")
        if known:
            found.append((Selection(group.mailbox, validity, tuple(known)), list(known.values())))
    return found


def write(account: Account, found: Found, kind: str, out: IO[bytes]) -> int:
    """Write the export in constant memory; returns how many messages. Raises what reading them raises; `out` is unusable then."""
    written = Written()
    small = sum(message.size for _group, messages in found for message in messages) <= MOST_COMPRESSED
    for piece in pieces(account, found, kind, written, folders=len(found) > 1, compressed=small):
        out.write(piece)
    return written.count


def pieces(
    account: Account, found: Found, kind: str, written: Written, *, folders: bool, compressed: bool = False
) -> Iterator[bytes]:
    """The file, or a part of it, in pieces. `written` goes on counting; with `folders` an archive has one for each mailbox.

    Raises what reading the messages raises.
    """
    return _zip(account, found, written, folders, compressed) if kind == "zip" else _mbox(account, found, written)


def _mbox(account: Account, found: Found, written: Written) -> Iterator[bytes]:
    for group, messages in found:
        for message, chunks in bulk.contents(account, group.mailbox, messages, group.uidvalidity):
            sender = message.sender[0].email if message.sender and _plain(message.sender[0].email) else "MAILER-DAEMON"
            received = message.received.astimezone(UTC)
            yield f"From {sender} {_asctime(received)}\n{_status(message.flags)}".encode()
            yield from mbox_lines(chunks)
            written.count += 1


def _status(flags: frozenset[str]) -> str:
    """What is read, answered and flagged, as other programs note it in an mbox: `Status` and `X-Status` before other headers."""
    more = "".join(letter for letter, flag in (("A", "\\Answered"), ("F", "\\Flagged")) if flag in flags)
    return "Status: " + ("RO\n" if "\\Seen" in flags else "O\n") + (f"X-Status: {more}\n" if more else "")


def mbox_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a message in an mbox: LF line endings, "From " lines quoted, an empty line at the end."""
    held, ended = b"", True  # `held`: an incomplete line, or bytes whose CRLF may be split between chunks
    begins = True  # whether `held` is at the start of a line
    for chunk in chunks:
        data = (held + chunk).replace(b"\r\n", b"\n")
        cut = data.rfind(b"\n") + 1
        if not cut and len(data) < _LONGEST_HELD:
            held = data
            continue
        cut = cut or len(data) - data.endswith(b"\r")
        yield _quoted(data[:cut], begins)
        ended = begins = data[:cut].endswith(b"\n")
        held = data[cut:]
    if held:
        yield _quoted(held, begins)
        ended = held.endswith(b"\n")
    yield b"\n" if ended else b"\n\n"


def _quoted(data: bytes, begins: bool) -> bytes:
    if begins:
        return _FROM.sub(rb">\1", data)
    first, newline, rest = data.partition(b"\n")
    return first + newline + _FROM.sub(rb">\1", rest)


def _zip(account: Account, found: Found, written: Written, folders: bool, compressed: bool) -> Iterator[bytes]:
    with ZipStream() as archive:
        for group, messages in found:
            folder = _entry_name(group.mailbox) + "/" if folders else ""
            for message, chunks in bulk.contents(account, group.mailbox, messages, group.uidvalidity):
                written.count += 1
                name = f"{folder}{written.count:05d} {called(message.subject, 'message')}.eml"
                yield from archive.file(name, message.received, chunks, compressed=compressed)
        yield from archive.end()


def joined_archives(archives: Iterable[IO[bytes]]) -> Iterator[bytes]:
    """One zip archive with what several hold, in pieces. Each is read and closed in turn."""
    with ZipStream() as archive:
        for file in archives:
            with file, zipfile.ZipFile(file) as part:
                for entry in part.infolist():
                    with part.open(entry) as content:
                        yield from archive.file(entry.filename, datetime(*entry.date_time), _chunks(content))
        yield from archive.end()


def archive_of_folders(folders: Iterable[tuple[str, Iterable[bytes]]], at: datetime) -> Iterator[bytes]:
    """One zip archive with an mbox for each (mailbox name with "/", its mbox in chunks), in pieces. No two get the same name."""
    taken = set[str]()
    with ZipStream() as archive:
        for mailbox, chunks in folders:
            above, slash, last = _entry_name(mailbox).rpartition("/")
            wanted = _NO_FOLDER.sub(r"\1_", above) + slash + last
            name = next(name for name in _numbered(wanted) if name.casefold() not in taken)
            taken.add(name.casefold())
            yield from archive.file(f"{name}.mbox", at, chunks)
        yield from archive.end()


def _entry_name(mailbox: str) -> str:
    return "/".join(safe_name(part) or "_" for part in mailbox.split("/"))


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name} {number}" for number in count_from(2))


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(CHUNK), b"")


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _asctime(at: datetime) -> str:
    """Like C's asctime, independent of the locale."""
    return f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S} {at.year}"


def _plain(address: str) -> bool:
    return address.isascii() and address.isprintable() and " " not in address
