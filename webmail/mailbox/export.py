"""Export: messages as one file: mbox (RFC 4155, "mboxrd" quoting), or a zip archive of .eml files."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import IO

from webmail.account import Account
from webmail.errors import MailError
from webmail.imap.bulk import bulk_fetch
from webmail.imap.bulk.bulk_mbox import Written, mbox
from webmail.imap.bulk.chosen import Selection, count
from webmail.imap.connections.connection import Connection
from webmail.mime.formats.export_marker import MARKER
from webmail.mime.formats.mbox_writer import MboxNames, folder_name
from webmail.mime.formats.zip_stream import ZipStream
from webmail.mime.headers.filenames import called
from webmail.storage import CHUNK
from webmail.tasks.export_provenance import Marking

MOST_MESSAGES = 2_000  # of a file that is made while the person waits; `export_task.py` makes larger ones
MOST_BYTES = 200_000_000
MOST_COMPRESSED = 50_000_000  # larger archives are stored: compressing is four times slower, and attachments hardly shrink
MOST_IN_ARCHIVE = 100_000  # files in one zip: more make programs slow that open it
KINDS = {"mbox": "application/mbox", "zip": "application/zip"}
FOLDERS = "folders"  # a zip archive with an mbox for each folder: a whole mailbox

Found = list[tuple[Selection, list[bulk_fetch.MessageFingerprint]]]


class ExportTooLargeError(MailError):
    """More messages or bytes than a person should wait for."""

    status = 422


def measure(connection: Connection, chosen: Sequence[Selection]) -> Found:
    """The messages to export, with sizes. 1 round trip per mailbox and 350 to 5,000 messages. Raises ExportTooLargeError."""
    if count(chosen) > MOST_MESSAGES:
        raise ExportTooLargeError(f"{count(chosen)} messages")
    found: Found = []
    left = MOST_BYTES
    for group in chosen:
        known = bulk_fetch.identities(connection, group.mailbox, group.uids, group.uidvalidity)
        validity = connection.uidvalidity
        left -= sum(message.size for message in known.values())
        if left < 0:
            raise ExportTooLargeError(f"more than {MOST_BYTES} bytes")
        if known:
            found.append((Selection(group.mailbox, validity, tuple(known)), list(known.values())))
    return found


def write(account: Account, found: Found, kind: str, out: IO[bytes], marking: Marking) -> int:
    """Write the export in constant memory; returns how many messages. Raises what reading them raises; `out` is unusable then."""
    written = Written()
    small = sum(message.size for _group, messages in found for message in messages) <= MOST_COMPRESSED
    folders = len(found) > 1
    for piece in pieces(account, found, kind, written, folders=folders, compressed=small, marking=marking):
        out.write(piece)
    return written.count


def pieces(
    account: Account, found: Found, kind: str, written: Written,
    *, folders: bool, compressed: bool = False, marking: Marking | None = None,
) -> Iterator[bytes]:  # fmt: skip
    """The file, or a part of it, in pieces. `written` goes on counting; with `folders` an archive has one for each mailbox. With
    `marking` it says at its end that it is an export of ours.

    Raises what reading the messages raises.
    """
    if kind == "zip":
        return _zip(account, found, written, folders, compressed, marking)
    return chain.from_iterable(mbox(account, group, messages, written) for group, messages in found)


def _zip(
    account: Account, found: Found, written: Written, folders: bool, compressed: bool, marking: Marking | None
) -> Iterator[bytes]:
    with ZipStream() as archive:
        for group, messages in found:
            folder = folder_name(group.mailbox) + "/" if folders else ""
            for message, chunks in bulk_fetch.contents(account, group.mailbox, messages, group.uidvalidity):
                written.count += 1
                name = f"{folder}{written.count:05d} {called(message.subject, 'message')}.eml"
                note = _note(message.received, message.flags)
                yield from archive.file(name, message.received, chunks, compressed=compressed, note=note)
        names = {group.mailbox: folder_name(group.mailbox) + "/" if folders else "/" for group, _messages in found}
        yield from archive.end(marking.marker(names) if marking else b"")


def _note(received: datetime, flags: frozenset[str]) -> bytes:
    """How a message in a file of its own is marked, for the import here; its bytes stay as they are."""
    words = [flag for flag in sorted(flags) if flag != "\\Recent" and flag.isascii() and flag.isprintable()]
    return f"traboule {' '.join([received.astimezone(UTC).isoformat(), *words])}".encode()[:4000]


def joined_archives(archives: Iterable[IO[bytes]], names: Mapping[str, str], marking: Marking) -> Iterator[bytes]:
    """One zip archive with what several hold, in pieces, and what marks it. Each is read and closed in turn."""
    with ZipStream() as archive:
        for file in archives:
            with file, zipfile.ZipFile(file) as part:
                for entry in part.infolist():
                    with part.open(entry) as content:
                        at = datetime(*entry.date_time)
                        yield from archive.file(entry.filename, at, _chunks(content), note=entry.comment)
        yield from archive.end(marking.marker(names))


def archive_of_folders(folders: Iterable[tuple[str, Iterable[bytes]]], at: datetime, marking: Marking) -> Iterator[bytes]:
    """One zip archive with an mbox for each (mailbox name with "/", its mbox in chunks), in pieces. No two get the same name."""
    names, made = MboxNames(), dict[str, str]()
    with ZipStream() as archive:
        for mailbox, chunks in folders:
            made[mailbox] = names.name_of(mailbox)
            yield from archive.file(made[mailbox], at, chunks)
        yield from archive.file(MARKER, at, [marking.marker(made)])
        yield from archive.end()


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(CHUNK), b"")
