"""Enriched text: converts text/enriched (RFC 1896) and the older text/richtext to plain text; extracts uuencoded files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from webmail.mime.headers.filenames import safe_name
from webmail.mime.transfer_encoding import decode_transfer

RICH_TYPES = ("text/enriched", "text/richtext")
FILES_LIMIT = 20  # files in one text

_PARAM = re.compile(r"<param>[^<]{0,500}</param>", re.I)
_COMMAND = re.compile(r"<(/?)([a-z0-9-]{1,60})>", re.I)
_COMMENT = re.compile(r"<comment>[^<]{0,5000}</comment>", re.I)
_BEGIN = re.compile(r"^begin [0-7]{3,4} ([^\n]{1,200})\n", re.M)
_LINE = re.compile(r"[ -`]{0,90}\Z")


def enriched_to_text(source: str, kind: str = "text/enriched") -> str:
    """Plain text without formatting: in text/enriched, N line ends are N-1 (a single one is a space); in text/richtext <nl>."""
    text = _COMMENT.sub("", _PARAM.sub("", source))
    if kind == "text/richtext":
        means = {"nl": "\n", "lt": "<", "np": "\n\n"}
        return _COMMAND.sub(lambda found: means.get((found[1] + found[2]).lower(), ""), " ".join(text.splitlines()))
    text = re.sub(r"\n+", lambda ends: "\n" * (len(ends[0]) - 1) or " ", text.strip("\n"))
    return "<".join(_COMMAND.sub("", piece) for piece in text.split("<<"))


@dataclass(frozen=True, slots=True)
class UuencodedFile:
    name: str
    data: bytes


def without_files(text: str) -> tuple[str, tuple[UuencodedFile, ...]]:
    """Extract the uuencoded files of a text: the text with each replaced by its name in brackets, and the files. Linear time."""
    kept: list[str] = []
    files: list[UuencodedFile] = []
    place = 0
    while len(files) < FILES_LIMIT and (begin := _BEGIN.search(text, place)):
        end = _end_of(text, begin.end())
        if end < 0:
            kept.append(text[place : begin.end()])
            place = begin.end()
            continue
        name = safe_name(begin[1]) or "file"
        files.append(UuencodedFile(name, decode_transfer(text[begin.start() : end].encode("ascii", "replace"), "uuencode")))
        kept += [text[place : begin.start()], f"[{name}]\n"]
        place = end
    return "".join([*kept, text[place:]]), tuple(files)


def names_within(texts: Iterable[str]) -> list[str]:
    """The names of the uuencoded files in these texts."""
    return [file.name for text in texts if "begin " in text for file in without_files(text)[1]]


def _end_of(text: str, position: int) -> int:
    """The position after the "end" of a uuencoded file whose lines start at `position`; -1 if it is not one."""
    lines = 0
    while position < len(text):
        line_end = text.find("\n", position)
        line_end = len(text) if line_end < 0 else line_end
        line = text[position:line_end]
        if line.rstrip() == "end":
            return min(line_end + 1, len(text)) if lines else -1
        if not _LINE.match(line):
            return -1
        lines += 1
        position = line_end + 1
    return -1
