"""Mbox files: finds the messages in one (RFC 4155) and takes back its quoting.

A message begins with a line "From ", at the beginning or after an empty line, that a header follows; or after any line, if it has
a date as these lines have. So an unquoted sentence that begins with "From" does not cut a message in two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

_LONGEST_LINE = 65536  # bytes read at once: what is longer is one line in pieces
_BOM = b"\xef\xbb\xbf"
_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*From (?!:)")
_HEADER = re.compile(rb"[!-9;-~]{1,200}[ \t]*:|>?From ")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
# the end of C's asctime, and what programs make of it: "Tue Mar  5 09:00:00 2019", "Thu Jan 02 10:11:12 +0000 2024"
_DATED = re.compile(rb"From .{0,400}\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b.{3,20}\d{1,2}:\d\d.{0,30}\d{4}[ \t]{0,20}\r?\n?\Z")
_DAY_NAMED = re.compile(rb"From .{0,400}\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b.{0,40}\d{4}[ \t]{0,20}\r?\n?\Z")
_UNNAMED = re.compile(rb"From (?:- )?[ \t]*\r?\n?\Z|From - ")  # Thunderbird's


@dataclass(frozen=True, slots=True)
class MboxEntry:
    """A message of the file: `separator` is its line "From ", its bytes are from `start` to `end`."""

    separator: bytes
    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


def entries(file: IO[bytes]) -> Iterator[MboxEntry]:
    """The messages of a file, in order; one pass in constant memory. Nothing before the first line "From " counts."""
    separator, start = b"", 0
    empty, begins = True, True  # whether the line before was empty; whether a line begins here
    at = file.seek(0)
    line = file.readline(_LONGEST_LINE)
    bom = len(_BOM) if line.startswith(_BOM) else 0
    at, line = at + bom, line[bom:]
    while line:
        following = file.readline(_LONGEST_LINE)
        after = at + len(line)
        if begins and line.startswith(b"From ") and _is_separator(line, following, after_empty=empty):
            if separator:
                yield MboxEntry(separator, start, at)
                file.seek(after + len(following))  # whoever got the message has read elsewhere
            separator, start = line.strip()[:500] or b"From", after
        empty = begins and not line.strip(b"\r\n")
        begins = line.endswith(b"\n")
        at, line = after, following
    if separator:
        yield MboxEntry(separator, start, at)


def _is_separator(line: bytes, following: bytes, *, after_empty: bool) -> bool:
    if _HEADER.match(following):
        return after_empty or bool(_DATED.match(line))  # some programs write no empty line between messages
    return after_empty and not following.strip() and bool(_DAY_NAMED.match(line) or _UNNAMED.match(line))


def content(file: IO[bytes], entry: MboxEntry) -> bytes:
    """A message as it was: lines "From " unquoted, CRLF line ends, without the empty line that ends it."""
    file.seek(entry.start)
    return crlf(_QUOTED.sub(rb"\1", _without_last_empty_line(file.read(entry.size))))


def _without_last_empty_line(raw: bytes) -> bytes:
    for end in (b"\r\n\r\n", b"\n\n"):
        if raw.endswith(end):
            return raw[: -len(end) // 2]
    return raw


def crlf(raw: bytes) -> bytes:
    """With CRLF line ends, as IMAP wants them (RFC 3501 section 2.2). A lone CR is no line end and stays."""
    return re.sub(rb"\r?\n", b"\r\n", raw)


def is_mbox(beginning: bytes) -> bool:
    """Whether a file begins as one, after a byte order mark or empty lines."""
    return bool(_BEGINS.match(beginning))
