"""Writing mbox files (RFC 4155, "mboxrd" quoting): one message after the other, and names for a file of each mailbox."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import count as count_from

from webmail.mime.filenames import safe_name
from webmail.mime.month_names import MONTHS

_FROM = re.compile(rb"^(>*From )", re.MULTILINE)
_NO_FOLDER = re.compile(r"(\.mbox)(?=/|\Z)", re.IGNORECASE)  # at its end: the file of another mailbox may be called so
_LONGEST_HELD = 65536


def mbox_message(sender: str, received: datetime, flags: frozenset[str], chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A message as it stands in an mbox: the line that begins it, what is read, answered and flagged, and its lines."""
    address = sender if _plain(sender) else "MAILER-DAEMON"
    yield f"From {address} {_asctime(received.astimezone(UTC))}\n{_status(flags)}".encode()
    yield from mbox_lines(chunks)


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


def folder_name(mailbox: str) -> str:
    """The name of a mailbox as one of files and folders, with "/" between them."""
    return "/".join(safe_name(part) or "_" for part in mailbox.split("/"))


class MboxNames:
    """Names of files for mailboxes: no two get the same, on systems that do not tell capital letters apart either."""

    def __init__(self) -> None:
        self._taken = set[str]()

    def of(self, mailbox: str) -> str:
        above, slash, last = folder_name(mailbox).rpartition("/")
        wanted = _NO_FOLDER.sub(r"\1_", above) + slash + last
        name = next(name for name in _numbered(wanted) if name.casefold() not in self._taken)
        self._taken.add(name.casefold())
        return f"{name}.mbox"


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name} {number}" for number in count_from(2))


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _asctime(at: datetime) -> str:
    """Like C's asctime, independent of the locale."""
    return f"{_DAYS[at.weekday()]} {MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S} {at.year}"


def _plain(address: str) -> bool:
    return bool(address) and address.isascii() and address.isprintable() and " " not in address
