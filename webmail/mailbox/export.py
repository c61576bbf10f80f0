"""Export: messages as one file: mbox (RFC 4155, "mboxrd" quoting), or a zip archive of .eml files."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import IO

from webmail.account import Account
from webmail.errors import MailError
from webmail.imap import bulk
from webmail.imap.connection import Connection
from webmail.mailbox.selection import Selection, count
from webmail.mime.filenames import called, safe_name

MOST_MESSAGES = 10_000
MOST_BYTES = 1_000_000_000  # takes about half a minute: proxies have timeouts
MOST_COMPRESSED = 50_000_000  # larger archives are stored: compressing is four times slower, and attachments hardly shrink
KINDS = {"mbox": "application/mbox", "zip": "application/zip"}
_FROM = re.compile(rb"^(>*From )", re.MULTILINE)
_LONGEST_HELD = 65536

Found = list[tuple[Selection, list[bulk.MessageFingerprint]]]


class ExportTooLarge(MailError):
    """More messages or bytes than one export may contain."""

    status = 422


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
    return _write_zip(account, found, out) if kind == "zip" else _write_mbox(account, found, out)


def _write_mbox(account: Account, found: Found, out: IO[bytes]) -> int:
    written = 0
    for group, messages in found:
        for message, chunks in bulk.contents(account, group.mailbox, messages, group.uidvalidity):
            sender = message.sender[0].email if message.sender and _plain(message.sender[0].email) else "MAILER-DAEMON"
            received = message.received.astimezone(UTC)
            out.write(f"From {sender} {_asctime(received)}\n".encode())
            for piece in mbox_lines(chunks):
                out.write(piece)
            written += 1
    return written


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


def _write_zip(account: Account, found: Found, out: IO[bytes]) -> int:
    written = 0
    several = len(found) > 1
    small = sum(message.size for _group, messages in found for message in messages) <= MOST_COMPRESSED
    with zipfile.ZipFile(out, "w", compresslevel=1) as archive:
        for group, messages in found:
            folder = "/".join(safe_name(part) or "_" for part in group.mailbox.split("/")) + "/" if several else ""
            for message, chunks in bulk.contents(account, group.mailbox, messages, group.uidvalidity):
                written += 1
                name = called(message.subject, "message")
                entry = zipfile.ZipInfo(f"{folder}{written:05d} {name}.eml", _zip_time(message))
                entry.compress_type = zipfile.ZIP_DEFLATED if small else zipfile.ZIP_STORED
                with archive.open(entry, "w") as file:
                    for chunk in chunks:
                        file.write(chunk)
    return written


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
