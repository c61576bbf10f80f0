"""Texts neither plain nor HTML: text/enriched (RFC 1896), its ancestor text/richtext, and files within texts (uuencode)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from webmail.mime.filenames import safe_name
from webmail.mime.transfer_encoding import decode_transfer

RICH_TYPES = ("text/enriched", "text/richtext")
FILES_LIMIT = 20  # of one text

_PARAM = re.compile(r"<param>[^<]{0,500}</param>", re.I)
_COMMAND = re.compile(r"<(/?)([a-z0-9-]{1,60})>", re.I)
_COMMENT = re.compile(r"<comment>[^<]{0,5000}</comment>", re.I)
_BEGIN = re.compile(r"^begin [0-7]{3,4} ([^\n]{1,200})\n", re.M)
_LINE = re.compile(r"[ -`]{0,90}\Z")


def enriched_to_text(source: str, kind: str = "text/enriched") -> str:
    """The words, without their looks: in text/enriched one line end is a blank and two are one, in text/richtext <nl> is one."""
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
    """A text with its uuencoded files taken out, each replaced by its name in brackets, and the files. Linear."""
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
    """What the files in some texts are called."""
    return [file.name for text in texts if "begin " in text for file in without_files(text)[1]]


def _end_of(text: str, place: int) -> int:
    """Where the file whose lines begin at `place` ends, after its "end"; -1 where these are no such lines."""
    lines = 0
    while place < len(text):
        line_end = text.find("\n", place)
        line_end = len(text) if line_end < 0 else line_end
        line = text[place:line_end]
        if line.rstrip() == "end":
            return min(line_end + 1, len(text)) if lines else -1
        if not _LINE.match(line):
            return -1
        lines += 1
        place = line_end + 1
    return -1
