"""A message as its part of an mbox, wherever its bytes are cut."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

import pytest

from webmail.mailbox import export
from webmail.mime.formats.export_marker import MARKER
from webmail.mime.formats.mbox_writer import mbox_lines
from webmail.tasks.export_provenance import Marking

NOTHING = Marking({}, {})

MESSAGE = (
    b"From: a@b.example\r\nSubject: x\r\n\r\nFrom here\r\n>From there\r\nnot From\r\nFro\r\nm \r\n\rFrom\r\n>>From \r\nFrom end"
)
QUOTED = b"From: a@b.example\nSubject: x\n\n>From here\n>>From there\nnot From\nFro\nm \n\rFrom\n>>>From \n>From end\n\n"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 16, 64, 1000])
def test_lines_are_quoted_wherever_the_bytes_are_cut(size: int) -> None:
    chunks = [MESSAGE[at : at + size] for at in range(0, len(MESSAGE), size)]
    assert b"".join(mbox_lines(chunks)) == QUOTED


def test_a_line_without_an_end_is_not_held_for_ever() -> None:
    chunks = (b"x" * 50_000 for _ in range(100))
    longest = 0
    whole = b""
    for piece in mbox_lines(chunks):
        longest = max(longest, len(piece))
        whole += piece
    assert whole == b"x" * 5_000_000 + b"\n\n" and longest < 200_000


def test_an_empty_message_is_a_line() -> None:
    assert b"".join(mbox_lines([])) == b"\n"
    assert b"".join(mbox_lines([b"a\r\n"])) == b"a\n\n"


def test_two_folders_are_never_one_file() -> None:
    at = datetime(2026, 3, 4, tzinfo=UTC)
    made = b"".join(
        export.archive_of_folders([(name, [b"From x", b"y"]) for name in ("a:b", "A*b", "c/d", "../e", "")], at, NOTHING)
    )
    archive = zipfile.ZipFile(io.BytesIO(made))
    names = [name for name in archive.namelist() if name != MARKER]
    assert len({name.casefold() for name in names}) == 5 and "c/d.mbox" in names
    assert not any(name.startswith(("/", ".")) for name in names)
    assert {archive.read(name) for name in names} == {b"From xy"}


def test_a_file_never_stands_where_another_needs_a_folder() -> None:
    folders = [(name, [b"x"]) for name in ("A", "a.MBOX/b", "A.mbox/b/c", "A.mbox")]
    made = b"".join(export.archive_of_folders(folders, datetime(2026, 3, 4, tzinfo=UTC), NOTHING))
    names = [name.casefold() for name in zipfile.ZipFile(io.BytesIO(made)).namelist()]
    above = {name[:at] for name in names for at, letter in enumerate(name) if letter == "/"}
    assert len(set(names)) == 5 and not above.intersection(names)
