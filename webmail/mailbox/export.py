"""Export: messages as one file: mbox (RFC 4155, "mboxrd" quoting), or a zip archive of .eml files."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

from webmail.account import Account
from webmail.errors import MailError
from webmail.imap import bulk
from webmail.imap.connection import Connection
from webmail.mailbox.selection import Selection, count
from webmail.mime.filenames import called, safe_name
from webmail.storage import CHUNK

MOST_MESSAGES = 2_000  # of a file that is made while the person waits; `export_task.py` makes larger ones
MOST_BYTES = 200_000_000
MOST_COMPRESSED = 50_000_000  # larger archives are stored: compressing is four times slower, and attachments hardly shrink
MOST_IN_ARCHIVE = 100_000  # files in one zip, whose table of contents is in memory until the end
KINDS = {"mbox": "application/mbox", "zip": "application/zip"}
_FROM = re.compile(rb"^(>*From )", re.MULTILINE)
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
            yield f"From {sender} {_asctime(received)}\n".encode()
            yield from mbox_lines(chunks)
            written.count += 1


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
    out = _Taken()
    with zipfile.ZipFile(out, "w", compresslevel=1) as archive:
        for group, messages in found:
            folder = "/".join(safe_name(part) or "_" for part in group.mailbox.split("/")) + "/" if folders else ""
            for message, chunks in bulk.contents(account, group.mailbox, messages, group.uidvalidity):
                written.count += 1
                name = called(message.subject, "message")
                entry = zipfile.ZipInfo(f"{folder}{written.count:05d} {name}.eml", _zip_time(message))
                entry.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
                yield from _entry(archive, entry, chunks, out)
    yield out.take()


def joined_archives(archives: Iterable[IO[bytes]]) -> Iterator[bytes]:
    """One zip archive with what several hold, in pieces. Each is read and closed in turn."""
    out = _Taken()
    with zipfile.ZipFile(out, "w") as archive:
        for file in archives:
            with file, zipfile.ZipFile(file) as part:
                for entry in part.infolist():
                    fresh = zipfile.ZipInfo(entry.filename, entry.date_time)
                    fresh.compress_type = entry.compress_type
                    with part.open(entry) as content:
                        yield from _entry(archive, fresh, iter(lambda content=content: content.read(CHUNK), b""), out)  # type: ignore[misc]
    yield out.take()


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, chunks: Iterable[bytes], out: _Taken) -> Iterator[bytes]:
    with archive.open(entry, "w") as file:
        for chunk in chunks:
            file.write(chunk)
            yield out.take()


class _Taken:
    """Where an archive is written to: what came since it was last taken."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: Any, /) -> int:
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Whoever takes the pieces decides when it ends."""

    def take(self) -> bytes:
        taken, self._written = b"".join(self._written), []
        return taken


def _zip_time(message: bulk.MessageFingerprint) -> tuple[int, int, int, int, int, int]:
    at = message.received
    return (min(max(at.year, 1980), 2107), at.month, at.day, at.hour, at.minute, at.second)


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _asctime(at: datetime) -> str:
    """Like C's asctime, independent of the locale."""
    return f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S} {at.year}"


def _plain(address: str) -> bool:
    return address.isascii() and address.isprintable() and " " not in address
