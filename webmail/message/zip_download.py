"""Zip download: all attachments of a message as one zip archive."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO

from webmail.account import Account
from webmail.errors import MailError
from webmail.imap import connect
from webmail.imap.bulk import bulk_fetch
from webmail.imap.reading import messages
from webmail.mail import Message, Part
from webmail.mime.headers.filenames import safe_name
from webmail.mime.structure import LEAF_LIMIT

MOST_BYTES = 2_000_000_000
_LARGE = 1_000_000_000
_TOGETHER = 1_000_000  # encoded bytes fetched at once
_MOST_TOGETHER = 100  # parts


class ZipTooLargeError(MailError):
    """More bytes or parts than one archive may contain."""

    status = 422


def write_attachments(account: Account, message: Message, parts: Iterable[Part], out: IO[bytes]) -> None:
    """Write a zip archive of these parts under unique names, in constant memory.

    1 round trip per megabyte of small parts, and per 512 KiB of a large one. Raises ZipTooLargeError, and what reading a part
    raises; `out` is unusable then.
    """
    files = list(parts)
    if sum(part.decoded_size for part in files) > MOST_BYTES or len(message.structure.all) >= LEAF_LIMIT:
        raise ZipTooLargeError(f"the files of message {message.uid} are too many, or larger than {MOST_BYTES} bytes")
    left = MOST_BYTES
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, (part, chunks) in zip(names(files), _contents(account, message, files), strict=True):
            entry = zipfile.ZipInfo(name, _zip_time(message.received))
            packed = part.type.startswith(("image/", "video/", "audio/"))
            entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=part.size > _LARGE) as file:
                for chunk in chunks:
                    left -= len(chunk)
                    if left < 0:
                        raise ZipTooLargeError("a part is larger than the server says")
                    file.write(chunk)


def _contents(account: Account, message: Message, files: Iterable[Part]) -> Iterator[tuple[Part, Iterable[bytes]]]:
    for batch in bulk_fetch.batches(files, _TOGETHER, _MOST_TOGETHER):
        if batch[0].size > _TOGETHER:
            yield batch[0], messages.stream(account, message.mailbox, message.uid, batch[0], message.uidvalidity)
            continue
        with connect(account, message.mailbox) as connection:
            whole = messages.parts(connection, message.mailbox, message.uid, batch, message.uidvalidity)
        for part in batch:
            yield part, [whole[part.section]]


def names(parts: Iterable[Part]) -> Iterator[str]:
    """A file name without path for each part, unique even case-insensitively: "a.pdf", "a (2).pdf"."""
    taken: set[str] = set()
    counts: dict[str, int] = {}
    for part in parts:
        name = safe_name(part.filename) or "attachment"
        stem, dot, ending = name.rpartition(".")
        stem, ending = (stem, f"{dot}{ending}") if stem else (name, "")
        key, found = name.casefold(), name
        while found.casefold() in taken:
            counts[key] = counts.get(key, 1) + 1
            found = f"{stem} ({counts[key]}){ending}"
        taken.add(found.casefold())
        yield found


def _zip_time(at: datetime) -> tuple[int, int, int, int, int, int]:
    return (min(max(at.year, 1980), 2107), at.month, at.day, at.hour, at.minute, at.second)
