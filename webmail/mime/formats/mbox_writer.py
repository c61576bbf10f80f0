"""Writing mbox files (RFC 4155, "mboxrd" quoting): one message after the other, and names for a file of each mailbox."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count as count_from

from webmail.mime.headers.filenames import safe_name
from webmail.mime.headers.month_names import MONTHS

_FROM = re.compile(rb"^(>*From )", re.MULTILINE)
_NO_FOLDER = re.compile(r"(\.mbox)(?=/|\Z)", re.IGNORECASE)  # at its end: the file of another mailbox may be called so
_LONGEST_HELD = 65536


def mbox_message(sender: str, received: datetime, flags: frozenset[str], chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A message as it stands in an mbox: the line that begins it, how it is marked, and its lines."""
    address = sender if _plain(sender) else "MAILER-DAEMON"
    yield f"From {address} {_asctime(received.astimezone(UTC))}\n{_notes(flags)}".encode()
    yield from mbox_lines(chunks)


_LETTERS = (("A", "\\Answered"), ("F", "\\Flagged"), ("T", "\\Draft"))


def _notes(flags: frozenset[str]) -> str:
    """How it is marked, as other programs note it in an mbox. Always these three lines, before all headers of the message: so no
    header of the message can be taken for one of them."""
    read = "RO" if "\\Seen" in flags else "O"
    letters = "".join(letter for letter, flag in _LETTERS if flag in flags)
    keywords = " ".join(sorted(flag for flag in flags if not flag.startswith("\\") and flag.isascii() and flag.isprintable()))
    return f"Status: {read}\nX-Status: {letters}\nX-Keywords: {keywords}\n"


@dataclass(frozen=True, slots=True)
class OwnNotes:
    """What `mbox_message` noted of a message, and the message without it."""

    flags: tuple[str, ...]
    keywords: tuple[str, ...]
    content: bytes


_NOTED = re.compile(rb"Status: (R?)O\r?\nX-Status: ([AFT]*)\r?\nX-Keywords: ([!-~ ]*)\r?\n")
_NOTED_BEFORE = re.compile(rb"Status: (R?)O\r?\n(?:X-Status: ([AF]+)\r?\n)?()")  # as older versions wrote them


def own_notes(raw: bytes, *, older: bool = False) -> OwnNotes | None:
    """Read what `mbox_message` wrote; None if this is no message of it."""
    found = _NOTED.match(raw) or (_NOTED_BEFORE.match(raw) if older else None)
    if found is None:
        return None
    letters = (found[2] or b"").decode()
    flags = ["\\Seen"] if found[1] else []
    flags += [flag for letter, flag in _LETTERS if letter in letters]
    return OwnNotes(tuple(flags), tuple(found[3].decode().split()), raw[found.end() :])


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

    def name_of(self, mailbox: str) -> str:
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
    return "@" in address and address.isascii() and address.isprintable() and " " not in address
