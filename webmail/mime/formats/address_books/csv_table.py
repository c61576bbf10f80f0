"""CSV table: the bytes of a file as rows of cells: charset, separator and quotes found out, everything bounded (RFC 4180)."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

from webmail.mime.charsets import decode_bytes
from webmail.mime.formats.address_books.entry import Remark, RemarkKind
from webmail.mime.headers.encoded_words import words_in

MOST_COLUMNS = 300
LONGEST_CELL = 60_000
_SEPARATORS = ",;\t|"
_TOLD = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)  # how Excel tells the separator
_NEVER_ONE = '" \r'
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_VALUE = re.compile(r"@|^\+?[\d ().-]{6,}$|^\d{1,4}[-/.]\d")  # in a first row: a person, not the names of columns


@dataclass(frozen=True, slots=True)
class CsvTable:
    """`rows`: (line of the file, cells), without the first one, which is `header`, and without empty ones."""

    header: list[str]
    rows: list[tuple[int, list[str]]]
    remarks: list[Remark]
    has_header: bool = True


def text_of(data: bytes) -> str:
    """The text of a file. UTF-16 is found out without a mark too, as some programs write it."""
    start = data[:400]
    if len(start) >= 8 and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
        if start[1::2].count(0) > len(start) // 4 and not start[::2].count(0):
            return decode_bytes(data, "utf-16-le")
        if start[::2].count(0) > len(start) // 4 and not start[1::2].count(0):
            return decode_bytes(data, "utf-16-be")
    return decode_bytes(data)


def table(text: str, most: int, has_header: bool | None = None) -> CsvTable:
    """The rows of a file, at most `most`; `has_header` None: found out. Never raises; linear time."""
    remarks: list[Remark] = []
    if told := _TOLD.match(text):
        text, skipped = text[told.end() :], 1
    else:
        skipped = 0
    separator = told[1] if told and told[1] not in _NEVER_ONE else _separator(text)
    clean = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    rows = _rows(clean, separator, skipped, most + 1, remarks)
    if has_header is None:
        has_header = bool(rows) and not any(_VALUE.search(cell) for cell in rows[0][1])
    header = rows.pop(0)[1] if has_header and rows else []
    if len(rows) > most:
        remarks.append(Remark(rows[most][0], RemarkKind.TOO_MANY, str(most)))
    return CsvTable(header, rows[:most], remarks, has_header)


def _rows(text: str, separator: str, skipped: int, most: int, remarks: list[Remark]) -> list[tuple[int, list[str]]]:
    found: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    line = 0
    try:
        for cells in reader:
            line, began = reader.line_num, line + 1
            if any(cell.strip() for cell in cells[:MOST_COLUMNS]):
                found.append((began + skipped, [cell.strip()[:LONGEST_CELL] for cell in cells[:MOST_COLUMNS]]))
            if len(found) > most:
                break
    except csv.Error:  # a cell of more than 131,072 characters: a quote that is never closed
        remarks.append(Remark(line + 1 + skipped, RemarkKind.QUOTES))
    return found


def _separator(text: str) -> str:
    """The one that stands most often outside quotes in the first rows."""
    counts: Counter[str] = Counter()
    quoted = False
    for letter in text[:20_000]:
        if letter == '"':
            quoted = not quoted
        elif not quoted and letter in _SEPARATORS:
            counts[letter] += 1
        elif letter in "\r\n" and not quoted and counts:
            break
    return counts.most_common(1)[0][0] if counts else ","


def header_key(text: str) -> str:
    """The name of a column for comparing: "E-mail Address" and "e-mail address:" are the same."""
    return " ".join(words_in(text))
